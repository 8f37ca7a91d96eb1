import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeFileDurably } from '../kernel/durable-file.ts';
import { isSystemError } from '../kernel/errors.ts';
import type { Emit } from '../kernel/events.ts';
import { directoryName, type ModelId } from '../kernel/model-id.ts';
import { identifyProcess, isAlive, type ProcessIdentity } from '../kernel/process-identity.ts';
import { removeTree } from '../transfer/remove-tree.ts';
import type { StoreLayout } from './layout.ts';

/** A place in `incoming/` that one process fills. */
export interface IncomingPlace {
  readonly name: string;
  /** Holds `files/` and `owner.json`. */
  readonly path: string;
  /** Where the model's files go. */
  readonly files: string;
}

interface Owner extends ProcessIdentity {
  /** From where the files were renamed, so that they can go back. */
  readonly moved_from?: string;
}

/** Makes a place for a model; it is cleared away if this process dies before it is taken into the store. */
export async function makeIncomingPlace({ incoming }: StoreLayout, modelId: ModelId, movedFrom?: string): Promise<IncomingPlace> {
  const name = `${directoryName(modelId)}.${randomBytes(8).toString('hex')}`;
  const path = join(incoming, name);
  const self = (await identifyProcess(process.pid)) ?? { pid: process.pid, startTime: '' };
  await mkdir(join(path, 'files'), { recursive: true });
  await writeFileDurably(join(path, 'owner.json'), JSON.stringify({ ...self, ...(movedFrom !== undefined && { moved_from: movedFrom }) } satisfies Owner));
  return { name, path, files: join(path, 'files') };
}

/** Gives a place up; files that were moved into it go back to where they came from. */
export async function abandonPlace(path: string): Promise<void> {
  const owner = await readOwner(path);
  if (owner?.moved_from !== undefined) await moveBack(join(path, 'files'), owner.moved_from);
  await removeTree(path);
}

/** Clears away what dead processes left; a place without an owner's note is left alone for a week. */
export async function clearAbandonedPlaces({ incoming }: StoreLayout, now: Date, emit: Emit): Promise<void> {
  const names = await readdir(incoming).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  });
  for (const name of names) {
    const path = join(incoming, name);
    const owner = await readOwner(path);
    if (owner === undefined ? now.getTime() - (await stat(path)).mtimeMs < 7 * 24 * 3600_000 : await isAlive(owner)) continue;
    if (owner?.moved_from !== undefined) emit({ type: 'warning', message: `an interrupted \`skulk add --move\` was undone: its files are back in ${owner.moved_from}` });
    await abandonPlace(path);
  }
}

async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(join(path, 'owner.json'), 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

async function moveBack(from: string, to: string): Promise<void> {
  const items = await readdir(from, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const item of items.filter((entry) => !entry.isDirectory())) {
    const source = join(item.parentPath, item.name);
    const target = join(to, source.slice(from.length + 1));
    const taken = await stat(target).then(
      () => true,
      () => false,
    );
    // Both are there only when the move had been a copy; then nothing is missing at the origin.
    if (taken) continue;
    await mkdir(dirname(target), { recursive: true });
    await rename(source, target);
  }
  await rmdir(from).catch(() => undefined);
}
