import { groupsOf } from '../../catalog/manifest.ts';
import type { KindFile } from '../../catalog/selection/file-kind.ts';
import { listGroups } from '../../catalog/selection/groups.ts';
import { stagedOn } from '../../protocol/describe/may-have.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { ShownModel, StoredQuantization } from '../../protocol/models/shown-model.ts';

/**
 * Describes the quantizations of a model, best choice first. Pure.
 * @param files of the model; sizes that are not known are 0
 * @param nodes those that reported a copy of the model; a node without details about quantizations counts for none
 */
export function describeQuantizations(
  files: readonly (KindFile & { readonly size: number })[],
  { manifest, nodes }: { readonly manifest: Manifest | undefined; readonly nodes: ShownModel['nodes'] },
): readonly StoredQuantization[] {
  const digests = new Map((manifest === undefined ? [] : groupsOf(manifest.files)).map(({ selector, digest }) => [selector, digest]));
  return listGroups(files).map(({ selector, label, files: own, sizeBytes }) => ({
    selector,
    label: label?.text ?? null,
    files: own.map(({ path }) => path),
    size_bytes: sizeBytes,
    bits_per_weight: label?.bitsPerWeight ?? null,
    digest: digests.get(selector) ?? null,
    staged_on: stagedOn(nodes, selector).map(({ hostname, node_id }) => (hostname === '' ? node_id : hostname)),
  }));
}
