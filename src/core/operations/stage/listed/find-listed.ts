import type { ModelRef } from '../../../kernel/model-id.ts';
import type { LocalCopy } from '../../../staging/local-copy.ts';
import type { ListedModel } from '../../../store/listed-contract.ts';
import type { NeededFile } from '../needed-files.ts';
import { choosePart, type SelectedPart, selectPart } from '../select-part.ts';
import { findHere } from '../wanted-part.ts';

/** The input for selecting files in a store without manifests. */
interface WantedOfList {
  readonly model: ListedModel;
  readonly pin?: string | undefined;
  readonly needs?: readonly NeededFile[] | undefined;
}

/** The key of a quantization in a copy's record. */
export const listedKey = (selector: string | null): string => selector ?? '';

/** The files of a copy that were staged while the store had its current state of the model. */
export function filesOfState({ groups, manifest, listed = {} }: LocalCopy, state: string): ReadonlySet<string> {
  const isNow = ({ selector }: { readonly selector: string | null }): boolean => listed[listedKey(selector)] === state;
  if (!groups.some(isNow)) return new Set();
  // Shared files were compared when the last quantization was added.
  const older = new Set(groups.filter((group) => !isNow(group)).flatMap(({ files }) => files));
  return new Set(manifest.files.map(({ path }) => path as string).filter((path) => !older.has(path)));
}

/** The paths for a reference. @throws SkulkError FILE_NOT_FOUND */
export const chooseListed = (ref: ModelRef, { model, pin, needs }: WantedOfList) =>
  choosePart(
    ref,
    model.files.map((path) => ({ path, size: 0 })),
    pin,
    needs,
  );

/**
 * The part of a copy for a reference, if the store reported no change since it was staged; undefined if it must be fetched.
 * @throws SkulkError FILE_NOT_FOUND
 */
export function findListed(ref: ModelRef, copy: LocalCopy, { model, pin, needs }: WantedOfList): SelectedPart | undefined {
  const { files, group, missingPin } = chooseListed(ref, { model, pin, needs });
  if (copy.listed?.[listedKey(group.selector)] !== model.state) return undefined;
  const here = new Set<string>(copy.manifest.files.map(({ path }) => path));
  if (files.some(({ path }) => !here.has(path) || copy.changed.has(path))) return undefined;
  const exact = group.selector === null ? ref : { ...ref, selector: group.selector };
  if (findHere(exact, copy, pin, needs) === undefined) return undefined;
  return { ...selectPart(exact, copy.manifest, pin, needs), missingPin };
}
