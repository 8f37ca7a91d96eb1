import type { ModelId } from '../../kernel/model-id.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import { readCopyRecord, writeCopyRecord } from '../copy-record.ts';
import { copyPath, type StagingLayout } from '../layout.ts';
import { behindGate } from '../leases/gate.ts';
import { isPartOf } from './plan-growth.ts';

/**
 * Writes down that all of a copy is what the store has now, after the store got another quantization: the next question then has a short
 * answer. A failure does not matter, as the copy is good all the same.
 */
export async function renewWhole(layout: StagingLayout, modelId: ModelId, whole: Manifest, signal: AbortSignal): Promise<void> {
  const directory = copyPath(layout, modelId);
  await behindGate(layout, signal, async (gate) => {
    const record = await readCopyRecord(directory);
    if (record === undefined || record.of === whole.digest || !isPartOf(record.manifest, whole)) return;
    await gate.assertHeld();
    // The store's own word for all of it is more than what was known of it before.
    await writeCopyRecord(directory, { ...record, of: whole.digest, verified: undefined, listed: undefined });
  }).catch((error: unknown) => {
    if (signal.aborted) throw error;
  });
}
