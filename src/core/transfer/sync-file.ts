import { closeSync, fstatSync, fsync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Fingerprint, fingerprintOf } from './fingerprint.ts';

const sync = promisify(fsync);

/**
 * Waits until a file's content is on the disk. It was just written, so the system opens and closes it without the disk: handing that
 * to other threads is most of the work with thousands of small files.
 * @returns what it is then
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
