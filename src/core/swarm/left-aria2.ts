import { readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSystemError } from '../kernel/errors.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import { killGroup } from '../kernel/process/child-program.ts';
import { isLocalProcess, lifeOf, locate, type ProcessIdentity, type ProcessOnMachine } from '../kernel/process/process-identity.ts';

/** Saves which aria2 writes to a directory, before it begins. */
export const recordAria2 = (record: string, identity: ProcessIdentity): Promise<void> =>
  writeFileDurably(record, JSON.stringify(locate(identity)));

/**
 * Ends the aria2 of a killed process, which would write unverified bytes for another moment. Does nothing without a record, or if its
 * process runs on another machine or in another container.
 * @param keepRecord whether the record stays, because it also says that there may be unverified bytes
 */
export async function endLeftAria2(record: string, { keepRecord = false } = {}): Promise<void> {
  const left = await readRecord(record);
  if (left === undefined) return;
  if (isLocalProcess(left) && (await lifeOf(left)) === 'alive') {
    killGroup(left.pid, 'SIGKILL');
    while ((await lifeOf(left)) === 'alive') await sleep(20);
  }
  if (!keepRecord) await rm(record, { force: true });
}

async function readRecord(record: string): Promise<ProcessOnMachine | undefined> {
  try {
    const { pid, startTime, hostname, namespace } = JSON.parse(await readFile(record, 'utf8')) as Partial<ProcessOnMachine>;
    if (!Number.isSafeInteger(pid) || typeof startTime !== 'string' || typeof hostname !== 'string') return undefined;
    return { pid: pid as number, startTime, hostname, ...(typeof namespace === 'string' && { namespace }) };
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
