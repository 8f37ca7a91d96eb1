import type { ModelId } from '../../kernel/model-id.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import { readCopyRecord, writeCopyRecord } from '../copy-record.ts';
import { copyPath, type StagingLayout } from '../layout.ts';
import { behindGate } from '../leases/gate.ts';
import { isPartOf } from './plan-growth.ts';

/**
 * Records that all of a copy matches the store's current version, after another quantization was added to the store. That makes the next
 * check fast. Errors are ignored, because the copy is still valid.
 */
export async function renewWhole(layout: StagingLayout, modelId: ModelId, whole: Manifest, signal: AbortSignal): Promise<void> {
  const directory = copyPath(layout, modelId);
  await behindGate(layout, signal, async (gate) => {
    const record = await readCopyRecord(directory);
    if (record === undefined || record.of === whole.digest || !isPartOf(record.manifest, whole)) return;
    await gate.assertHeld();
    // The store's manifest for all of it replaces weaker earlier proofs.
    await writeCopyRecord(directory, { ...record, of: whole.digest, verified: undefined, listed: undefined });
  }).catch((error: unknown) => {
    if (signal.aborted) throw error;
  });
}
