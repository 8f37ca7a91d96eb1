import type { Group, SizedFile } from './groups.ts';
import { findLabel } from './label.ts';

/** The default types of projectors, best first; quantized ones come last. */
const order = ['F16', 'BF16', 'F32'];

/**
 * Selects a repo's projector for a quantization: beside it, and not made for a model with another name; then F16, BF16, F32. Of two with
 * the same type, the one with the name of the weights.
 * @param wanted the path or the base name of one, or `all`; undefined to choose
 * @returns empty if `wanted` matches none
 */
export function pickProjectors<F extends SizedFile>(
  projectors: readonly F[],
  { wanted, group }: { readonly wanted: string | undefined; readonly group: Group<F> | undefined },
): readonly F[] {
  if (wanted === 'all') return projectors;
  if (wanted !== undefined) {
    const exact = projectors.filter(({ path }) => path === wanted);
    const named = exact.length > 0 ? exact : projectors.filter(({ path }) => baseName(path) === wanted);
    return named.length === 1 ? named : [];
  }
  const beside = narrow(projectors, ({ path }) => group !== undefined && folderOf(path) === folderOf(group.ggufFile));
  const namedAfter = new Map(beside.map(({ path }) => [path, group === undefined ? 'nothing' : whatIsNamed(path, group.ggufFile)]));
  // A word that the weights do not have may be another model's name, or anything else (`mmproj-vision-F16.gguf`).
  const isForSome = [...namedAfter.values()].includes('these weights');
  const fitting = isForSome ? beside.filter(({ path }) => namedAfter.get(path) !== 'other words') : beside;
  const hasOwnName = ({ path }: F): number => (namedAfter.get(path) === 'these weights' ? 0 : 1);
  const [best] = fitting.toSorted((a, b) => rankOf(a.path) - rankOf(b.path) || hasOwnName(a) - hasOwnName(b) || (a.path < b.path ? -1 : 1));
  return best === undefined ? [] : [best];
}

/** The files that match a rule, or all if none matches. */
const narrow = <F>(files: readonly F[], rule: (file: F) => boolean): readonly F[] => {
  const fitting = files.filter(rule);
  return fitting.length > 0 ? fitting : files;
};

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/** Interprets the name of a projector besides its type: `mmproj-Foo-7B-f16.gguf` is made for `Foo-7B-Q4_K_M.gguf`. */
function whatIsNamed(projector: string, weights: string): 'nothing' | 'these weights' | 'other words' {
  const words = baseName(projector)
    .replace(/\.gguf$/i, '')
    .split(/[-_.]/)
    .filter(
      (word) => word !== '' && !/^(?:mm|proj|mmproj|projector|multi|modal|multimodal|model)$/i.test(word) && findLabel(word) === undefined,
    );
  const own = new Set(baseName(weights).toLowerCase().split(/[-_.]/));
  if (words.length === 0) return 'nothing';
  return words.every((word) => own.has(word.toLowerCase())) ? 'these weights' : 'other words';
}

function rankOf(path: string): number {
  const label = findLabel(baseName(path));
  if (label === undefined) return order.length;
  const known = order.indexOf(label.text);
  // More bits are better; all of them come after a projector without a label.
  return known === -1 ? order.length + 1 + (64 - label.bits) / 64 : known;
}
