import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isSystemError } from '../errors.ts';
import { overwriteOwnFile } from '../files/write-own-file.ts';

/*
 * The holder of something that other machines or containers can see proves that it is alive: it changes a small file. Observers compare
 * the content, not the date: dates come from different clocks, and network disks cache them. The content has no meaning; it only has to
 * differ.
 */

/** The interval between two beats, in milliseconds. */
export const heartbeatMs = 5_000;

/** The content of a heartbeat file before the first beat, and after the last one. */
export const unattended = '-'.padEnd(16);

/** A heartbeat that continues until it is stopped. */
export interface Heartbeat {
  stop(): void;
}

/**
 * Beats in an existing file. It does not keep the process alive, and stops when the file is gone.
 * @param onBeat called after each beat, with whether the file exists
 */
export function startHeartbeat(file: string, { onBeat }: { readonly onBeat?: (isThere: boolean) => void } = {}): Heartbeat {
  let isBusy = false;
  const timer = setInterval(() => {
    // Beats must not queue up on a slow disk.
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

/** Beats once. Does not create the file. @returns whether the file exists */
export const beat = (file: string): Promise<boolean> => write(file, randomBytes(8).toString('hex'));

/** Marks the end of the heartbeat. */
export const leaveUnattended = (file: string): Promise<boolean> => write(file, unattended);

/** Writes in place and with a constant length, so that it works on a full disk. */
async function write(file: string, content: string): Promise<boolean> {
  try {
    await overwriteOwnFile(file, content);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return false;
    throw error;
  }
}

/** The current content of a heartbeat. If two of them differ, there was a beat in between. */
export interface Pulse {
  readonly isAttended: boolean;
  readonly content: string;
}

/** Reads a heartbeat file. The content is empty for an unreadable file. */
export async function readPulse(file: string): Promise<Pulse> {
  const content = await readFile(file, 'latin1').catch(() => '');
  return { isAttended: content !== unattended, content: content.trim() };
}
