import { randomBytes } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { isSystemError } from '../errors.ts';

/*
 * Whoever holds something that other machines or containers may see shows that it lives by changing a small file. Its content
 * is what changes: dates come from clocks, and caches of network disks keep them. What it says means nothing, only that
 * it is not what it was.
 */

/** How often a holder shows that it lives; in milliseconds. */
export const heartbeatMs = 5_000;

/** What a heartbeat file says before the first beat, and when nobody keeps it any more. */
export const unattended = '-'.padEnd(16);

/** A heartbeat that goes on until it is stopped. */
export interface Heartbeat {
  stop(): void;
}

/**
 * Beats in a file that is there already. It keeps no process alive, and stops when the file is gone.
 * @param onBeat called after each beat, with whether the file was there
 */
export function startHeartbeat(file: string, { onBeat }: { readonly onBeat?: (isThere: boolean) => void } = {}): Heartbeat {
  let isBusy = false;
  const timer = setInterval(() => {
    // A slow disk must not collect beats.
    if (isBusy) return;
    isBusy = true;
    void tick().finally(() => {
      isBusy = false;
    });
  }, heartbeatMs);
  timer.unref();
  const tick = async (): Promise<void> => {
    const isThere = await beat(file).catch(() => true);
    if (!isThere && onBeat === undefined) clearInterval(timer);
    onBeat?.(isThere);
  };
  return { stop: () => clearInterval(timer) };
}

/** Beats once. @returns whether there was a file to beat in; none is made */
export const beat = (file: string): Promise<boolean> => write(file, randomBytes(8).toString('hex'));

/** Says that nobody beats here any more. */
export const leaveUnattended = (file: string): Promise<boolean> => write(file, unattended);

/** In place and of one length, so that it works on a full disk. */
async function write(file: string, content: string): Promise<boolean> {
  try {
    const handle = await open(file, 'r+');
    await handle.write(content, 0).finally(() => handle.close());
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/** What a holder's heartbeat shows now; two that differ have a beat between them. */
export interface Pulse {
  readonly isAttended: boolean;
  readonly content: string;
}

/** Reads a heartbeat file; one that cannot be read shows an empty content. */
export async function readPulse(file: string): Promise<Pulse> {
  const content = await readFile(file, 'latin1').catch(() => '');
  return { isAttended: content !== unattended, content: content.trim() };
}
