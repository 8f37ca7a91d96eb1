import { type KindFile, kindsOfFiles } from './file-kind.ts';
import { findGroup } from './find-group.ts';
import { groupFiles, isLoadable, listGroups, pickLoadable } from './groups.ts';
import { pickProjectors } from './pick-projectors.ts';

/** The files of a model for programs, by purpose: repo-relative paths; undefined if there is none. */
export interface LoadableFiles {
  /** The first shard of the best quantization. */
  readonly gguf: string | undefined;
  /** The projector for it. */
  readonly mmproj: string | undefined;
  /** A draft model, or a head that predicts several tokens. */
  readonly draft: string | undefined;
  /** The selector of `gguf`. */
  readonly selector: string | undefined;
}

/**
 * Finds the files that a program loads among a model's files. Pure.
 * @param pin the GGUF file in the model's card; used if it exists
 */
export function findLoadable(listed: readonly KindFile[], pin?: string): LoadableFiles {
  const kinds = kindsOfFiles(listed);
  const files = listed.map((file) => ({ ...file, size: 0 }));
  const ofKind = (kind: string) => files.filter(({ path }) => kinds.get(path) === kind);
  const groups = listGroups(files, kinds);
  const pinned = pin === undefined ? undefined : findGroup(files, pin, groups);
  const group = pinned?.state === 'found' && isLoadable(pinned.group) ? pinned.group : pickLoadable(groups);
  const [mmproj] = pickProjectors(ofKind('projector'), { wanted: undefined, group });
  return {
    gguf: group?.ggufFile,
    mmproj: mmproj?.path,
    draft: pickLoadable(groupFiles(ofKind('draft')))?.ggufFile,
    selector: group?.selector,
  };
}
