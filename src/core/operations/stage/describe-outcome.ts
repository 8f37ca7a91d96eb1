import type { Companion } from '../../catalog/companions.ts';
import { totalBytes } from '../../catalog/manifest.ts';
import type { KindFile } from '../../catalog/selection/file-kind.ts';
import { findLoadable } from '../../catalog/selection/loadable-files.ts';
import type { GroupFiles } from '../../staging/groups/copy-groups.ts';
import type { TogetherOutcome } from '../../swarm/fetch-together.ts';
import { diskRoom } from '../../transfer/disk-room.ts';
import type { ModelStage, StageOutcome } from './model-stage.ts';
import type { SelectedPart } from './select-part.ts';
import type { PlannedModel, StagedModel } from './stage-report.ts';

/** A copy, or the canonical directory instead. */
interface Found {
  readonly source: StagedModel['source'];
  readonly path: string;
  /** The requested part of it. */
  readonly part: SelectedPart;
  readonly companions: readonly Companion[];
  /** Whether a store said what it has. */
  readonly isChecked: boolean;
  /** See `StagedModel`. */
  readonly verified?: StagedModel['verified'] | undefined;
}

/** The files that a program loads, and the quantization, for reports. @param files of the copy or the plan */
export function nameLoaded(
  files: readonly KindFile[],
  group: Pick<GroupFiles, 'selector'>,
): Pick<StagedModel, 'gguf_file' | 'mmproj_file' | 'selector'> {
  const { gguf, mmproj, selector } = findLoadable(files);
  return { gguf_file: gguf ?? null, mmproj_file: mmproj ?? null, selector: group.selector ?? selector ?? null };
}

/** The space that a planned copy takes on the disk of a path, and what is missing. */
export async function measureSpaceFor(
  path: string,
  needed: number,
): Promise<Pick<PlannedModel, 'bytes_to_allocate' | 'free_bytes' | 'bytes_missing'>> {
  const { free } = await diskRoom(path);
  return { bytes_to_allocate: needed, free_bytes: free, bytes_missing: needed === 0 ? 0 : Math.max(0, needed - free) };
}

/** The report for a new copy. @param bytesTransferred over the network or from disk to disk, including repeated bytes */
export function describeMade(
  { ref, began, card }: ModelStage,
  {
    source,
    path,
    part,
    companions,
    isChecked,
    bytesTransferred,
    verified,
    shared,
  }: Found & { readonly bytesTransferred: number; readonly shared?: TogetherOutcome | undefined },
): StageOutcome {
  const { manifest, group } = part;
  const bytesTotal = totalBytes(manifest.files);
  const files = manifest.files.map((file) => file.path);
  return {
    companions: card?.companions ?? companions,
    files: manifest.files,
    group,
    staged: {
      model_id: ref.modelId,
      path,
      source,
      revision: manifest.revision,
      digest: manifest.digest,
      ...nameLoaded(manifest.files, group),
      files: manifest.files.length,
      file_paths: files,
      bytes_total: bytesTotal,
      bytes_transferred: bytesTransferred,
      ...(source === 'swarm' && shared !== undefined && describeShared(shared, bytesTransferred)),
      bytes_reused: Math.max(0, bytesTotal - bytesTransferred),
      seconds: Math.round(performance.now() - began) / 1000,
      checked: isChecked,
      ...(verified !== undefined && { verified }),
    },
  };
}

/** The bytes that the store sent to this node alone, and the others. */
const describeShared = ({ bytesBySwarm, members, hostSentBytes }: TogetherOutcome, bytesTransferred: number) => ({
  bytes_by_wire: bytesTransferred - bytesBySwarm,
  swarm: { members, host_sent_bytes: hostSentBytes },
});

/** The report or the plan if everything is here already. */
export async function describeUnchanged(stage: ModelStage, found: Found): Promise<StageOutcome> {
  if (!stage.options.dryRun) return describeMade(stage, { ...found, bytesTransferred: 0 });
  const { source, path, part, companions } = found;
  const { manifest, group } = part;
  const bytesTotal = totalBytes(manifest.files);
  return {
    companions: stage.card?.companions ?? companions,
    files: manifest.files,
    group,
    planned: {
      model_id: stage.ref.modelId,
      path,
      source,
      ...nameLoaded(manifest.files, group),
      bytes_total: bytesTotal,
      bytes_to_transfer: 0,
      bytes_to_reuse: bytesTotal,
      ...(await measureSpaceFor(path, 0)),
      files: manifest.files.map((file) => ({ path: file.path, size: file.size, action: 'reuse' })),
    },
  };
}
