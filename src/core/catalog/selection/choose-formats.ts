import type { FileKind } from './file-kind.ts';
import type { Group } from './groups.ts';
import { type Problem, problems } from './problems.ts';
import type { SelectionRequest } from './select-files.ts';

/** Which weights of a repo are possible. */
export interface Formats {
  readonly gguf: boolean;
  /** Safetensors, or their replacement in a repo without them. */
  readonly others: boolean;
}

/**
 * Chooses between GGUF and safetensors in a repo with both: GGUF if the repo's name contains GGUF, the request names a GGUF file, or the
 * card pins one; else safetensors. `--weights` and `--whole` override that, and `--exclude` of one whole format leaves the other.
 */
export function chooseFormats(
  { modelId = '', selector, pin, include, weights, whole = false }: SelectionRequest,
  {
    kinds,
    groups,
    isExcluded,
  }: { readonly kinds: ReadonlyMap<string, FileKind>; readonly groups: readonly Group[]; readonly isExcluded: (path: string) => boolean },
): Formats | { readonly problem: Problem } {
  const hasSafetensors = [...kinds.values()].includes('safetensors');
  // A GGUF file that is not weights can be named too.
  const hasGguf = groups.length > 0 || (selector !== undefined && /\.gguf/i.test(selector) && kinds.has(selector));
  if (selector !== undefined && weights === 'safetensors') return { problem: problems.selectorOfSafetensors(selector) };
  if (weights === 'gguf' && !hasGguf) return { problem: problems.noSuchWeights('gguf') };
  if (weights === 'safetensors' && !hasSafetensors) return { problem: problems.noSuchWeights('safetensors') };
  if (selector !== undefined && !hasGguf) return { problem: problems.noSuchSelection(selector, groups) };
  if (whole || weights === 'all') return { gguf: hasGguf, others: true };
  if (weights !== undefined) return { gguf: weights === 'gguf', others: weights !== 'gguf' };
  const isNamed = selector !== undefined || pin !== undefined || /gguf/i.test(modelId);
  const isOffered = (kind: FileKind): boolean => [...kinds].some(([path, one]) => one === kind && !isExcluded(path));
  // Excluded files do not count as a choice.
  const offersGguf = selector !== undefined || include !== undefined || !hasGguf || isOffered('gguf') || !isOffered('safetensors');
  const gguf = hasGguf && offersGguf && (isNamed || !hasSafetensors || !isOffered('safetensors'));
  return { gguf, others: !gguf };
}
