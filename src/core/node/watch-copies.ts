import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Deps } from '../connect/deps.ts';
import { type StagingLayout, stagingLayout } from '../staging/layout.ts';

/** How often to look for missing or recreated directories, in milliseconds. */
const pollEveryMs = 5_000;

/**
 * Calls the listener without delay, and often, when any process adds or removes copies or leases of this node. Some disks send no events,
 * and last uses are written inside a copy, so callers that need exact data must also poll.
 * @returns a function that stops it
 */
export const watchCopies = ({ config }: Pick<Deps, 'config'>, listener: () => void): (() => void) =>
  watchLayout(stagingLayout(config.settings.nodeCachePath.value), listener);

function watchLayout({ root, leases }: StagingLayout, listener: () => void): () => void {
  const watchedRoots = [root, leases];
  // A missing directory appears in its parent. The parent of the root is not watched after that, because others write there too.
  const paths = [root, dirname(dirname(leases)), dirname(leases), leases];
  const above = dirname(root);
  const watched = new Map<string, { readonly inode: bigint; readonly watcher: FSWatcher }>();
  let isOver = false;
  const drop = (path: string): void => {
    watched.get(path)?.watcher.close();
    watched.delete(path);
  };
  const watchPath = async (path: string): Promise<void> => {
    const inode = await stat(path, { bigint: true }).then(
      ({ ino }) => ino,
      () => undefined,
    );
    if (isOver) return;
    if (path === root) {
      if (inode === undefined) void watchPath(above);
      else drop(above);
    }
    if (watched.get(path)?.inode === inode) return;
    drop(path);
    if (inode === undefined) return;
    const isWatchedRoot = watchedRoots.includes(path);
    try {
      const watcher = watch(path, { persistent: false }, (_, name) => {
        // Heartbeats and notes of observers change all the time, but do not change who uses a copy.
        if (path === leases && name !== null && !name.endsWith('.json')) return;
        // Ignore changes beside the root, which may be many.
        if (path === above && name !== null && name !== basename(root)) return;
        inspectAll();
        if (isWatchedRoot) listener();
      });
      watcher.on('error', () => drop(path));
      watched.set(path, { inode, watcher });
      if (isWatchedRoot) listener();
      // It may contain items that were created before the watch.
      inspectAll();
    } catch {
      // The system has no more watches, or this disk does not support them.
    }
  };
  function inspectAll(): void {
    for (const path of paths) void watchPath(path);
  }
  const timer = setInterval(inspectAll, pollEveryMs);
  timer.unref();
  inspectAll();
  return () => {
    isOver = true;
    clearInterval(timer);
    for (const path of [...watched.keys()]) drop(path);
  };
}
