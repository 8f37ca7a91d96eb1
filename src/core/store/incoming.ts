import { randomBytes } from 'node:crypto';
import { lstat, readdir, readFile, rename, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { writeFileDurably } from '../kernel/durable-file.ts';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import type { Emit } from '../kernel/events.ts';
import { makeDirectory } from '../kernel/make-directory.ts';
import { directoryName, type ModelId } from '../kernel/model-id.ts';
import { identifyProcess, isAlive, type ProcessIdentity } from '../kernel/process-identity.ts';
import { removeTree } from '../transfer/remove-tree.ts';
import { incomingPath, type StoreLayout } from './layout.ts';

/** A place in `incoming/` that one process fills. */
export interface IncomingPlace {
  readonly name: string;
  /** Holds `files/` and `owner.json`. */
  readonly path: string;
  /** Where the model's files go. */
  readonly files: string;
}

interface Owner extends ProcessIdentity {
  readonly hostname?: string;
  /** From where the files were renamed, so that they can go back. */
  readonly moved_from?: string;
}

const unownedMs = 7 * 24 * 3600_000;

/** Makes a place for a model; it is cleared away if this process dies before it is taken into the store. */
export async function makeIncomingPlace({ incoming }: StoreLayout, modelId: ModelId, movedFrom?: string): Promise<IncomingPlace> {
  const place = newPlace(incoming, modelId);
  // It gets its name only with its owner's note in it; until then the draft's own name says whose it is.
  const draft = join(incoming, `.${process.pid}.${randomBytes(8).toString('hex')}.tmp`);
  try {
    await makeDirectory(join(draft, 'files'));
    await writeOwner(draft, movedFrom);
    await rename(draft, place.path);
  } catch (error) {
    await removeTree(draft).catch(() => undefined);
    throw error;
  }
  return place;
}

/**
 * Takes a place over from the process that filled it, which may give it up at any moment until then.
 * @throws SkulkError INTEGRITY when it was given up
 */
export async function claimPlace(layout: StoreLayout, name: string, modelId: ModelId): Promise<IncomingPlace> {
  const place = newPlace(layout.incoming, modelId);
  try {
    await rename(incomingPath(layout, name, modelId), place.path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT'))
      throw new SkulkError('INTEGRITY', `the files of ${modelId} went away before the store took them`, {
        hint: 'run the command again',
        cause: error,
      });
    throw error;
  }
  await writeOwner(place.path, (await readOwner(place.path))?.moved_from);
  return place;
}

function newPlace(incoming: string, modelId: ModelId): IncomingPlace {
  const name = `${directoryName(modelId)}.${randomBytes(8).toString('hex')}`;
  const path = join(incoming, name);
  return { name, path, files: join(path, 'files') };
}

async function writeOwner(path: string, movedFrom: string | undefined): Promise<void> {
  const self = (await identifyProcess(process.pid)) ?? { pid: process.pid, startTime: '' };
  await writeFileDurably(
    join(path, 'owner.json'),
    JSON.stringify({ ...self, hostname: hostname(), ...(movedFrom !== undefined && { moved_from: movedFrom }) } satisfies Owner),
  );
}

/** Gives a place up; files that were moved into it go back to where they came from. */
export async function abandonPlace(path: string): Promise<void> {
  const owner = await readOwner(path);
  if (owner?.moved_from !== undefined) await moveBack(join(path, 'files'), owner.moved_from);
  await removeTree(path);
}

/** Clears away what dead processes left; a place whose owner is not known is left alone for a week. */
export async function clearAbandonedPlaces({ incoming }: StoreLayout, now: Date, emit: Emit): Promise<void> {
  const names = await readdir(incoming).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  });
  for (const name of names) {
    const path = join(incoming, name);
    const owner = await readOwner(path);
    if (!(await isAbandoned(name, path, owner, now))) continue;
    const { moved_from: origin } = owner ?? {};
    try {
      await abandonPlace(path);
      if (origin !== undefined)
        emit({ type: 'warning', message: `an interrupted command was undone: the files that it had moved are back in ${origin}` });
    } catch (error) {
      // One place that cannot be cleared must not keep the store from every other change.
      emit({
        type: 'warning',
        message: `${path} was left by an interrupted command and cannot be cleared away: ${(error as Error).message}`,
        ...(origin !== undefined && { hint: `it holds files of ${origin}; move them back by hand` }),
      });
    }
  }
}

async function isAbandoned(name: string, path: string, owner: Owner | undefined, now: Date): Promise<boolean> {
  const draftOf = /^\.(\d+)\.[0-9a-f]{16}\.tmp$/.exec(name)?.[1];
  if (owner === undefined && draftOf !== undefined && (await identifyProcess(Number(draftOf))) === undefined) return true;
  if (owner !== undefined && (owner.hostname ?? hostname()) === hostname()) return !(await isAlive(owner));
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && now.getTime() - info.mtimeMs > unownedMs;
}

async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(join(path, 'owner.json'), 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

async function moveBack(from: string, to: string): Promise<void> {
  const items = await readdir(from, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  });
  for (const item of items.filter((entry) => !entry.isDirectory())) {
    const source = join(item.parentPath, item.name);
    const target = join(to, source.slice(from.length + 1));
    const isThere = await lstat(target).then(
      () => true,
      () => false,
    );
    // A link was copied and is still there.
    if (isThere) continue;
    await makeDirectory(dirname(target));
    await rename(source, target);
  }
}
