import { join } from 'node:path';
import { acquireLock, type HeldLock } from '../../kernel/process/lock.ts';
import type { StagingLayout } from '../layout.ts';

/** No model's lock can have this name, as no model id begins with a dot. */
const gateName = '.leases';
/** Behind the gate lie a few file operations; whoever takes longer than this is stuck. */
const patienceMs = 60_000;

/**
 * Runs something that takes a lease, or that makes a copy vanish or change, while nobody else on this node does either.
 * Without it a lease could be written between an eviction's look at the leases and its rename.
 * @param work gets the gate, to ask whether it is still shut right before each step that others see
 * @throws SkulkError LOCKED when somebody is stuck behind the gate
 */
export async function behindGate<T>(
  { locks }: Pick<StagingLayout, 'locks'>,
  signal: AbortSignal,
  work: (gate: Pick<HeldLock, 'assertHeld'>) => Promise<T>,
): Promise<T> {
  await using gate = await acquireLock(join(locks, gateName), { purpose: 'a lease or an eviction', timeoutMs: patienceMs, signal });
  return await work(gate);
}
