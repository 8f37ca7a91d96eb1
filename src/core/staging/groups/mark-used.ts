import type { ModelId } from '../../kernel/model-id.ts';
import { readCopyRecord, writeCopyRecord } from '../copy-record.ts';
import { readLastUsed, touchLastUsed } from '../last-used.ts';
import { copyPath, type StagingLayout } from '../layout.ts';
import { behindGate } from '../leases/gate.ts';
import { type CopyGroup, type GroupFiles, newestGroup, withLastUse } from './copy-groups.ts';

/**
 * Marks a quantization of a copy, or all of it, as used now. The copy's own date is the last use of its most recently used group, so the
 * record is only written when another group is used. Errors are ignored, because the copy is still valid.
 * @param isUsed whether a group of the copy is used
 */
export async function markUsed(
  layout: StagingLayout,
  modelId: ModelId,
  { now, signal, isUsed }: { readonly now: Date; readonly signal: AbortSignal; readonly isUsed: (group: GroupFiles) => boolean },
): Promise<void> {
  const directory = copyPath(layout, modelId);
  const before = await readLastUsed(directory);
  const isRecorded = ({ groups }: { readonly groups: readonly CopyGroup[] }): boolean => {
    const [first, ...others] = groups.filter(isUsed);
    return groups.length < 2 || first === undefined || (others.length === 0 && first === newestGroup(groups));
  };
  const record = await readCopyRecord(directory).catch(() => undefined);
  if (record !== undefined && !isRecorded(record)) {
    await behindGate(layout, signal, async (gate) => {
      const current = await readCopyRecord(directory);
      if (current === undefined || isRecorded(current)) return;
      const groups = withLastUse(current.groups, before).map((group) =>
        isUsed(group) ? { ...group, lastUsed: now.toISOString() } : group,
      );
      await gate.assertHeld();
      await writeCopyRecord(directory, { ...current, groups });
    }).catch((error: unknown) => {
      if (signal.aborted) throw error;
    });
  }
  await touchLastUsed(directory, now);
}
