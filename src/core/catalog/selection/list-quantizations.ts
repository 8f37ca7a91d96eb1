import type { Quantization } from '../../protocol/models/hub-offer.ts';
import { kindsOfFiles } from './file-kind.ts';
import { isBroken, listGroups, type SizedFile } from './groups.ts';
import { pickProjectors } from './pick-projectors.ts';
import { type Selection, type SelectionRequest, selectFiles } from './select-files.ts';

/**
 * The available quantizations of a repo, smallest first; empty without GGUF weights. Pure.
 * @param selection the default selection
 * @param limit the maximum number; if there are more, the best
 */
export function listQuantizations(
  listing: readonly SizedFile[],
  { selection, request, limit }: { readonly selection: Selection<SizedFile>; readonly request: SelectionRequest; readonly limit: number },
): readonly Quantization[] {
  const kinds = kindsOfFiles(listing);
  const groups = listGroups(listing, kinds).filter((group) => !isBroken(group));
  const projectors = listing.filter(({ path }) => kinds.get(path) === 'projector');
  const [first] = groups;
  if (first === undefined) return [];
  const { taken } = selectFiles(listing, { modelId: request.modelId, selector: first.files[0]?.path });
  const small = taken.filter(({ why }) => why.code === 'small-file').map(({ file }) => file);
  return groups
    .slice(0, limit)
    .map((group): Quantization => {
      const files = [...group.files, ...pickProjectors(projectors, { wanted: undefined, group }), ...small];
      return {
        label: group.selector,
        gguf_file: group.ggufFile,
        files: files.map(({ path }) => path),
        size_bytes: files.reduce((sum, { size }) => sum + size, 0),
        is_preferred: group.ggufFile === selection.group?.ggufFile,
      };
    })
    .toSorted((a, b) => a.size_bytes - b.size_bytes || (a.label < b.label ? -1 : 1));
}
