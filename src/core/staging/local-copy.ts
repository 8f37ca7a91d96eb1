import type { Companion } from '../catalog/companions.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { Manifest } from '../protocol/manifest.ts';
import { findChangedFiles, type ModelPart, readCopyRecord } from './copy-record.ts';
import { copyPath, type StagingLayout } from './layout.ts';

/** A staged copy and which of its files are no longer what was verified. */
export interface LocalCopy {
  readonly manifest: Manifest;
  readonly companions: readonly Companion[];
  readonly changed: ReadonlySet<string>;
  /** Undefined when it is the whole model. */
  readonly part: ModelPart | undefined;
  /** When it was staged, in ISO 8601; undefined when its record does not say. */
  readonly stagedAt?: string | undefined;
}

/** Looks at a model's copy without reading its bytes; undefined when there is none. */
export async function readLocalCopy(layout: StagingLayout, modelId: ModelId): Promise<LocalCopy | undefined> {
  const directory = copyPath(layout, modelId);
  const record = await readCopyRecord(directory);
  if (record === undefined || record.manifest.model_id !== modelId) return undefined;
  const { manifest, companions, part, stagedAt } = record;
  return { manifest, companions, part, stagedAt, changed: new Set(findChangedFiles(directory, record)) };
}
