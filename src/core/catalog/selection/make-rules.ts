import type { Formats } from './choose-formats.ts';
import type { FileKind } from './file-kind.ts';
import { findDuplicates } from './find-duplicates.ts';
import type { Group, SizedFile } from './groups.ts';
import { because, becauseDuplicate, type Reason } from './reasons.ts';
import type { SelectionRequest } from './select-files.ts';

/** The decision about one file. */
export interface Decision {
  readonly isTaken: boolean;
  readonly why: Reason;
}

/** Beside GGUF weights, other files are taken if they are smaller than this, in bytes. */
const smallFile = 10 * 1024 * 1024;

type Code = Parameters<typeof because>[0];
const take = (code: Code): Decision => ({ isTaken: true, why: because(code) });
const leave = (code: Code): Decision => ({ isTaken: false, why: because(code) });

/** The rules for each file, after formats, quantization and projectors have been chosen. */
export function makeRules<F extends SizedFile>(
  listing: readonly F[],
  { include, whole = false, weights, mmproj }: SelectionRequest,
  {
    kinds,
    formats,
    group,
    projectors,
    isExcluded,
    isIncluded,
  }: {
    readonly kinds: ReadonlyMap<string, FileKind>;
    readonly formats: Formats;
    readonly group: Group<F> | undefined;
    readonly projectors: readonly F[];
    readonly isExcluded: (path: string) => boolean;
    readonly isIncluded: (path: string) => boolean;
  },
): (file: F) => Decision {
  const chosen = new Set(group?.files.map(({ path }) => path));
  const taken = new Set(projectors.map(({ path }) => path));
  const duplicate = findDuplicates(
    kinds,
    listing.filter(({ path }) => !isExcluded(path)),
  );
  // E.g. a repo with only projectors is a repo for projectors.
  const hasWeights = [...kinds.values()].some((kind) => kind === 'gguf' || isOtherWeights(kind));

  const byKind = ({ path, size }: F): Decision => {
    const kind = kinds.get(path) ?? 'plain';
    if (kind === 'litter') return leave('litter');
    if (kind === 'gguf') return leave(formats.gguf ? 'other-quantization' : 'other-weights');
    if (kind === 'projector' && formats.gguf) return leave('other-projector');
    if (kind === 'projector') return hasWeights ? leave('other-weights') : take('file-of-model');
    if (kind === 'imatrix' || kind === 'draft' || kind === 'adapter' || kind === 'vocabulary')
      return hasWeights ? leave(kind) : take('file-of-model');
    const twice = duplicate(path);
    if (formats.others) {
      if (twice !== undefined) return { isTaken: false, why: becauseDuplicate(twice) };
      return take(isOtherWeights(kind) ? 'weights' : 'file-of-model');
    }
    if (kind !== 'plain') return leave('other-weights');
    return size < smallFile ? take('small-file') : leave('large-file');
  };
  const byPattern = (file: F): Decision => {
    if (!isIncluded(file.path)) return leave('not-included');
    const rule = byKind(file);
    return weights !== undefined && rule.why.code === 'other-weights' ? rule : take('included');
  };
  return (file) => {
    const { path } = file;
    if (kinds.get(path) === 'litter') return leave('litter');
    if (isExcluded(path)) return leave('excluded');
    if (chosen.has(path)) return take('chosen-weights');
    if (taken.has(path) && (include === undefined || mmproj !== undefined)) return take('projector');
    if (include !== undefined) return byPattern(file);
    return whole ? take('whole') : byKind(file);
  };
}

const isOtherWeights = (kind: FileKind): boolean => kind === 'safetensors' || kind === 'pytorch' || kind === 'other-format';
