import { type KindFile, kindsOfFiles } from './file-kind.ts';
import { findGroup } from './find-group.ts';
import { groupFiles, isLoadable, listGroups, pickLoadable } from './groups.ts';
import { pickProjectors } from './pick-projectors.ts';

/** The files of a model that programs are given by what they are: repo-relative paths, undefined where there is none. */
export interface LoadableFiles {
  /** What a program loads: the first shard of the best quantization. */
  readonly gguf: string | undefined;
  /** The projector for it. */
  readonly mmproj: string | undefined;
  /** A draft model, or a head that predicts several tokens. */
  readonly draft: string | undefined;
  /** What names the quantization of `gguf`. */
  readonly selector: string | undefined;
}

/**
 * Finds what a program loads among the files of a model. Pure.
 * @param pin the GGUF file that the model's card names; counts where it is there
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
