import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { directoryName, type ModelId } from '../../../kernel/model-id.ts';

/** Files without a request for this long are removed, in milliseconds. */
const staleMs = 7 * 24 * 3600_000;
const ownName = /^(?:[0-9a-f]{64}|journal)$/;

/**
 * Removes files that were fetched for Hub clients, are not in the store, and have not changed for a week.
 * @param isLive whether a file is in use
 */
export async function sweepOnDemand(
  directory: string,
  { now, isLive }: { readonly now: Date; readonly isLive: (path: string) => boolean },
): Promise<void> {
  for (const model of await readdir(directory).catch(() => []))
    await removeFiles(join(directory, model), async (path) => {
      const info = await stat(path).catch(() => undefined);
      return info !== undefined && now.getTime() - info.mtimeMs > staleMs && !isLive(path);
    });
}

/** Removes the fetched files of a model, except files in use. */
export const removeOnDemand = (directory: string, modelId: ModelId, isLive: (path: string) => boolean): Promise<void> =>
  removeFiles(join(directory, directoryName(modelId)), async (path) => !isLive(path));

async function removeFiles(place: string, isOver: (path: string) => Promise<boolean>): Promise<void> {
  const found = await readdir(place).catch(() => undefined);
  // Without the names nobody knows whether files are left, which need the journal.
  if (found === undefined) return;
  const names = found.filter((name) => ownName.test(name));
  let left = names.filter((name) => name !== 'journal').length;
  for (const name of names) {
    const path = join(place, name);
    if (name === 'journal' || !(await isOver(path))) continue;
    await rm(path, { force: true });
    left -= 1;
  }
  if (left > 0) return;
  await rm(join(place, 'journal'), { force: true });
  // Foreign files stay.
  await rmdir(place).catch(() => undefined);
}

/** Sweeps at the first call, and then at most once an hour. */
export function throttleSweep(sweep: () => Promise<void>): () => void {
  let next = Number.NEGATIVE_INFINITY;
  return () => {
    if (performance.now() < next) return;
    next = performance.now() + 3600_000;
    void sweep().catch(() => undefined);
  };
}
