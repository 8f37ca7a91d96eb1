import type { Formats } from './choose-formats.ts';
import { findGroup } from './find-group.ts';
import { type Group, isBroken, type SizedFile } from './groups.ts';
import { type Problem, problems, type Warning } from './problems.ts';
import type { SelectionRequest } from './select-files.ts';

/** A quantization, and warnings about the choice; none if no GGUF weights are wanted, or patterns select the files. */
export type ChosenGroup<F extends SizedFile> =
  | { readonly group?: Group<F>; readonly warning?: Warning | undefined }
  | { readonly problem: Problem };

/**
 * The quantization to take: by the selector, else the card's pin, else the best one that is not excluded. A group with missing files, or
 * with an unknown kind of split, is rejected and never replaced by another.
 */
export function chooseGroup<F extends SizedFile>(
  listing: readonly F[],
  groups: readonly Group<F>[],
  {
    selector,
    alsoNamed,
    pin,
    include,
    weights,
    whole = false,
    formats,
    isExcluded,
  }: SelectionRequest & { readonly formats: Formats; readonly isExcluded: (path: string) => boolean },
): ChosenGroup<F> {
  const isLeftOut = ({ files }: Group<F>): boolean => files.every(({ path }) => isExcluded(path));
  if (selector !== undefined) {
    const found = findGroup(listing, selector, groups);
    if (found.state === 'none') return { problem: problems.noSuchSelection(selector, groups) };
    if (found.state === 'ambiguous') return { problem: problems.ambiguousSelector(selector, found.groups) };
    const also = alsoNamed === undefined ? undefined : findGroup(listing, alsoNamed, groups);
    if (also?.state === 'none') return { problem: problems.noSuchSelection(alsoNamed ?? '', groups) };
    // An ambiguous label is made clear by the path beside it.
    const named = also?.state === 'found' ? [also.group] : also?.groups;
    if (named?.every(({ ggufFile }) => ggufFile !== found.group.ggufFile) === true)
      return { problem: problems.twoSelectors(selector, alsoNamed ?? '') };
    if (isLeftOut(found.group)) return { problem: problems.selectorIsExcluded(selector) };
    return unlessBroken(found.group, groups);
  }
  if (include !== undefined) return {};
  const pinned = pin === undefined ? undefined : findGroup(listing, pin, groups);
  if (formats.gguf && pinned?.state === 'found' && !isLeftOut(pinned.group)) return unlessBroken(pinned.group, groups);
  const best = formats.gguf ? groups.find((group) => !isLeftOut(group)) : undefined;
  const warning: Warning | undefined =
    pin === undefined || pinned?.state === 'found' || weights === 'safetensors'
      ? undefined
      : { code: 'pin-not-found', pin, taken: best?.ggufFile };
  if (best === undefined) return { warning };
  const chosen = whole ? { group: best } : unlessBroken(best, groups);
  return 'problem' in chosen ? chosen : { ...chosen, warning };
}

const unlessBroken = <F extends SizedFile>(group: Group<F>, groups: readonly Group<F>[]): ChosenGroup<F> =>
  isBroken(group) ? { problem: problems.broken(group, groups) } : { group };
