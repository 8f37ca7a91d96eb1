import { spawnSync } from 'node:child_process';
import { mkdir, stat } from 'node:fs/promises';
import { expect, onTestFinished } from 'vitest';

/**
 * Makes every access to a directory, and to what is in it, fail with ENOTCONN until the test is over: a file system whose program has
 * ended is mounted there. Its content is back after that. Root has no such error from the rights of a directory.
 */
export async function failDirectory(path: string): Promise<{ readonly restore: () => void }> {
  await mkdir(path, { recursive: true });
  const mount = 'exec 3<>/dev/fuse; mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 none "$0"';
  const mounted = spawnSync('bash', ['-c', mount, path]);
  const restore = (): void => void spawnSync('umount', ['-l', path]);
  onTestFinished(restore);
  expect(mounted.status, mounted.stderr.toString()).toBe(0);
  await expect(stat(path)).rejects.toMatchObject({ code: 'ENOTCONN' });
  return { restore };
}
