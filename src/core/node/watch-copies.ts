import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Deps } from '../connect/deps.ts';
import { type StagingLayout, stagingLayout } from '../staging/layout.ts';

/** How often directories that are not there yet, or were made anew, are looked for; in milliseconds. */
const lookEveryMs = 5_000;

/**
 * Tells at once and often when copies or leases of this node come or go, in whichever process. Some disks tell nothing, and last
 * uses are written inside of a copy, so whoever must know looks now and then as well.
 * @returns ends it
 */
export const watchCopies = ({ config }: Pick<Deps, 'config'>, listener: () => void): (() => void) =>
  watchLayout(stagingLayout(config.settings.nodeCachePath.value), listener);

function watchLayout({ root, leases }: StagingLayout, listener: () => void): () => void {
  const watchedRoots = [root, leases];
  // What is not there yet appears in the directory above it. That of the root, where others write as well, is left alone afterwards.
  const paths = [root, dirname(dirname(leases)), dirname(leases), leases];
  const above = dirname(root);
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
    if (isOver) return;
    if (path === root) {
      if (inode === undefined) void look(above);
      else drop(above);
    }
    if (watched.get(path)?.inode === inode) return;
    drop(path);
    if (inode === undefined) return;
    const isWatchedRoot = watchedRoots.includes(path);
    try {
      const watcher = watch(path, { persistent: false }, (_, name) => {
        // Heartbeats and notes of observers change all the time, and mean no change of who uses what.
        if (path === leases && name !== null && !name.endsWith('.json')) return;
        // What others do beside the root, which may be much, does not concern it.
        if (path === above && name !== null && name !== basename(root)) return;
        lookAtAll();
        if (isWatchedRoot) listener();
      });
      watcher.on('error', () => drop(path));
      watched.set(path, { inode, watcher });
      if (isWatchedRoot) listener();
      // What was made in it before it was watched.
      lookAtAll();
    } catch {
      // There are no more watches to be had, or none on this disk.
    }
  };
  function lookAtAll(): void {
    for (const path of paths) void look(path);
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
