import { spawnSync } from 'node:child_process';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { temporaryDirectory } from './temp-directory.ts';

/** A disk that treats upper and lower case as equal, and gives every file the same mode. Declare `wants('an exFAT disk')`. */
export async function exfatDisk(): Promise<string> {
  const home = await temporaryDirectory();
  const [image, disk] = [join(home, 'image'), join(home, 'disk')];
  await writeFile(image, '');
  await truncate(image, 64 * 1024 * 1024);
  await mkdir(disk);
  const run = (command: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    return stdout.trim();
  };
  run('mkfs.exfat', image);
  const device = run('/sbin/losetup', '--find', '--show', image);
  run('mount.exfat-fuse', device, disk);
  onTestFinished(() => {
    spawnSync('umount', [disk]);
    spawnSync('/sbin/losetup', ['-d', device]);
  });
  return disk;
}
