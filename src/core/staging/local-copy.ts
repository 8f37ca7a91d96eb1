import type { ModelId } from '../kernel/model-id.ts';
import { type CopyRecord, findChangedFiles, readCopyRecord } from './copy-record.ts';
import { namesGroup, splitGroups } from './groups/copy-groups.ts';
import { copyPath, type StagingLayout } from './layout.ts';

/** A staged copy, and which of its files changed since they were verified. */
export interface LocalCopy extends CopyRecord {
  readonly changed: ReadonlySet<string>;
}

/** Reads a model's copy without reading the bytes of its files; undefined if there is none. */
export async function readLocalCopy(layout: StagingLayout, modelId: ModelId): Promise<LocalCopy | undefined> {
  const directory = copyPath(layout, modelId);
  const record = await readCopyRecord(directory);
  if (record === undefined || record.manifest.model_id !== modelId) return undefined;
  return { ...record, changed: new Set(findChangedFiles(directory, record)) };
}

/** Whether there is a copy of a model, or of one quantization of it. */
export async function hasCopy(layout: StagingLayout, modelId: ModelId, selector?: string): Promise<boolean> {
  const copy = await readLocalCopy(layout, modelId);
  if (copy === undefined || selector === undefined) return copy !== undefined;
  return splitGroups(copy.manifest, copy.groups).some((group) => namesGroup(selector, group));
}
