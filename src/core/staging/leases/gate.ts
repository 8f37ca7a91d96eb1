import { join } from 'node:path';
import { acquireLock, type HeldLock } from '../../kernel/process/lock.ts';
import type { StagingLayout } from '../layout.ts';

/** No model's lock can have this name, because a model id never begins with a dot. */
const gateName = '.leases';
/** The gate protects only a few file operations. A process that takes longer is stuck. */
const patienceMs = 60_000;

/**
 * Runs work that takes a lease, or removes or changes a copy, while no other process on this node does either. Without the gate, a lease
 * could be written between an eviction's check of the leases and its rename.
 * @param work called with the gate, to check that it is still held right before each step that others can see
 * @throws SkulkError LOCKED if another process is stuck behind the gate
 */
export async function behindGate<T>(
  { locks }: Pick<StagingLayout, 'locks'>,
  signal: AbortSignal,
  work: (gate: Pick<HeldLock, 'assertHeld'>) => Promise<T>,
): Promise<T> {
  await using gate = await acquireLock(join(locks, gateName), { purpose: 'a lease or an eviction', timeoutMs: patienceMs, signal });
  return await work(gate);
}
