import { spawnSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './temp-directory.ts';

const run = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;

/** A separate disk that is small enough to be filled. */
export interface SmallDisk {
  readonly path: string;
  free(): number;
  /** Leaves this many free bytes, or frees all of them. */
  leave(bytes: number | 'all'): Promise<void>;
  /** Makes it read-only, or writable again. */
  setReadOnly(isReadOnly: boolean): void;
}

/** Mounts a tmpfs; it is removed with the test. */
export async function smallDisk(bytes: number, at?: string): Promise<SmallDisk> {
  const path = at ?? join(await temporaryDirectory(), 'disk');
  await mkdir(path, { recursive: true });
  if (!run('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path)) throw new Error(`${path} could not be mounted`);
  onTestFinished(() => void (run('umount', path) || run('umount', '-l', path)));
  const hog = join(path, 'hog');
  const free = (): number => {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  };
  return {
    path,
    free,
    leave: async (left) => {
      await rm(hog, { force: true });
      if (left === 'all') return;
      // Other writers may have used the space already.
      for (let spare = 0; ; spare += 4096) {
        const size = free() - left - spare;
        if (size <= 0) return;
        const isWritten = await writeFile(hog, Buffer.alloc(size, 1)).then(
          () => true,
          () => false,
        );
        if (isWritten) return;
        await rm(hog, { force: true });
      }
    },
    setReadOnly: (isReadOnly) => {
      if (!run('mount', '-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, path)) throw new Error(`${path} could not be mounted again`);
    },
  };
}
