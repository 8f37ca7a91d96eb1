import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { StagingLayout } from '../../staging/layout.ts';

/** How often directories that are not there yet, or were made anew, are looked for; in milliseconds. */
const lookEveryMs = 5_000;

/**
 * Tells at once and often when copies or leases of this node come or go, in whichever process. Some disks tell nothing, and last
 * uses are written inside of a copy, so whoever must know looks now and then as well.
 * @returns ends it
 */
export function watchCopies({ root, leases }: StagingLayout, listener: () => void): () => void {
  const watched = new Map<string, { readonly inode: bigint; readonly watcher: FSWatcher }>();
  let isOver = false;
  const drop = (path: string): void => {
    watched.get(path)?.watcher.close();
    watched.delete(path);
  };
  const look = async (path: string): Promise<void> => {
    const inode = await stat(path, { bigint: true }).then(
      ({ ino }) => ino,
      () => undefined,
    );
    if (isOver || watched.get(path)?.inode === inode) return;
    drop(path);
    if (inode === undefined) return;
    try {
      const watcher = watch(path, { persistent: false }, tell);
      watcher.on('error', () => drop(path));
      watched.set(path, { inode, watcher });
      listener();
    } catch {
      // There are no more watches to be had, or none on this disk.
    }
  };
  const lookAtAll = (): void => {
    for (const path of [root, leases]) void look(path);
  };
  function tell(): void {
    lookAtAll();
    listener();
  }
  const timer = setInterval(lookAtAll, lookEveryMs);
  timer.unref();
  lookAtAll();
  return () => {
    isOver = true;
    clearInterval(timer);
    for (const path of [...watched.keys()]) drop(path);
  };
}
