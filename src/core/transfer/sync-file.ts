import { closeSync, fstatSync, fsync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Fingerprint, fingerprintOf } from './fingerprint.ts';

const sync = promisify(fsync);

/**
 * Waits until a file's content is on the disk. The file was just written, so opening and closing it is fast and done synchronously: with
 * thousands of small files, passing that to other threads would be most of the work.
 * @returns its fingerprint after that
 */
export async function syncFile(path: string): Promise<Fingerprint> {
  const descriptor = openSync(path, 'r');
  try {
    await sync(descriptor);
    return fingerprintOf(fstatSync(descriptor, { bigint: true }));
  } finally {
    closeSync(descriptor);
  }
}
