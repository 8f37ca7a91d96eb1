import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { describeFailure } from '../../kernel/explain-system-error.ts';
import { writeFileDurably } from '../../kernel/files/durable-file.ts';
import { namesIn } from '../../kernel/files/if-present.ts';
import { isTaken } from '../../kernel/files/is-there.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import { quoteSome } from '../../kernel/files/relative-path.ts';
import type { Emit } from '../../kernel/flow/events.ts';
import { directoryName, type ModelId } from '../../kernel/model-id.ts';
import { readPulse, startHeartbeat, unattended } from '../../kernel/process/heartbeat.ts';
import { type Observer, silenceMs, thisObserver } from '../../kernel/process/observe.ts';
import { identifyProcess, identifySelf, isSameProcess, lifeOf, type ProcessOnMachine } from '../../kernel/process/process-identity.ts';
import { runHashJob } from '../../transfer/hashing/hash-pool.ts';
import { removeTree } from '../../transfer/trash/remove-tree.ts';
import { incomingPath, type StoreLayout } from '../layout.ts';

/** A directory in `incoming/` that one process fills. */
export interface IncomingPlace {
  readonly name: string;
  /** Contains `files/`, `owner.json`, and `beat`, the owner's heartbeat for other machines and containers. */
  readonly path: string;
  /** The directory for the model's files. */
  readonly files: string;
}

/** The process that fills a directory in `incoming/`. */
export interface Owner extends ProcessOnMachine {
  /** The original directory of the files, so that they can be moved back. */
  readonly moved_from?: string;
}

const beatName = 'beat';
const unownedMs = 7 * 24 * 3600_000;

/** Creates a directory for a model. It is removed if this process dies before the model is in the store. */
export async function makeIncomingPlace({ incoming }: StoreLayout, modelId: ModelId, movedFrom?: string): Promise<IncomingPlace> {
  const place = newPlace(incoming, modelId);
  // It is renamed when it contains its owner's record. Until then the draft's own name contains the owner's pid.
  const draft = join(incoming, `.${process.pid}.${randomBytes(8).toString('hex')}.tmp`);
  try {
    await makeDirectory(join(draft, 'files'));
    await writeFile(join(draft, beatName), unattended);
    await writeOwner(draft, movedFrom);
    await rename(draft, place.path);
    // The heartbeat ends when the directory is gone.
    startHeartbeat(join(place.path, beatName));
  } catch (error) {
    await removeTree(draft).catch(() => undefined);
    throw error;
  }
  return place;
}

/**
 * Takes a directory over from the process that filled it, which may give it up at any moment until then.
 * @throws SkulkError INTEGRITY if it was given up
 */
export async function claimPlace(layout: StoreLayout, name: string, modelId: ModelId): Promise<IncomingPlace> {
  const place = newPlace(layout.incoming, modelId);
  try {
    await rename(incomingPath(layout, name, modelId), place.path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT'))
      throw new SkulkError('INTEGRITY', `the files of ${modelId} disappeared before the store adopted them`, {
        hint: 'run the command again',
        cause: error,
      });
    throw error;
  }
  await writeOwner(place.path, (await readOwner(place.path))?.moved_from);
  await writeFile(join(place.path, beatName), unattended);
  startHeartbeat(join(place.path, beatName));
  return place;
}

function newPlace(incoming: string, modelId: ModelId): IncomingPlace {
  const name = `${directoryName(modelId)}.${randomBytes(8).toString('hex')}`;
  const path = join(incoming, name);
  return { name, path, files: join(path, 'files') };
}

async function writeOwner(path: string, movedFrom: string | undefined): Promise<void> {
  const self = await identifySelf();
  await writeFileDurably(
    join(path, 'owner.json'),
    JSON.stringify({ ...self, ...(movedFrom !== undefined && { moved_from: movedFrom }) } satisfies Owner),
  );
}

/**
 * Checks that a directory still belongs to this process. Call it before files are moved into it.
 * @throws SkulkError LOCKED if it was removed while this process was suspended
 */
export async function requireOwnPlace({ path }: IncomingPlace): Promise<void> {
  const [owner, self] = [await readOwner(path), await identifySelf()];
  if (owner !== undefined && isSameProcess(owner, self)) return;
  throw new SkulkError('LOCKED', `this process was suspended for too long, so the store has removed ${path}`, {
    hint: 'run the command again; moved files are back in their original place',
  });
}

/**
 * Gives a directory up, and moves files back to where they came from.
 * @param movedFrom the original directory, if the caller knows it: the directory may have been removed before the last file was moved
 * @returns the paths of the files that were moved back under another name, because their own name was in use
 */
export async function abandonPlace(path: string, movedFrom?: string): Promise<readonly string[]> {
  const origin = (await readOwner(path))?.moved_from ?? movedFrom;
  const renamed = origin === undefined ? [] : await moveBack(join(path, 'files'), origin);
  await removeTree(path);
  return renamed;
}

/**
 * Removes the directories of dead processes. Keeps the directory of a process elsewhere while its heartbeat changes. Keeps one with an
 * unknown owner for a week.
 */
export async function clearAbandonedPlaces(
  { incoming }: StoreLayout,
  now: Date,
  emit: Emit,
  observer: Observer = thisObserver,
): Promise<void> {
  const names = (await namesIn(incoming)).filter((name) => ownName.test(name));
  const lives = new Map(await Promise.all(names.map(async (name) => [name, await lifeOfPlace(join(incoming, name), name)] as const)));
  const pulses = new Map([...lives].flatMap(([name, { life, pulse }]) => (life === 'unknown' ? [[name, pulse] as const] : [])));
  const silences = await observer.silences(incoming, pulses);
  for (const name of names) {
    const path = join(incoming, name);
    const life = lives.get(name)?.life;
    const isDead = life === 'dead' || (life === 'unknown' && (silences.get(name)?.ms ?? 0) >= silenceMs);
    if (!isDead && !(life === 'unowned' && (await isOld(path, now)))) continue;
    // Another process may have taken it over in the meantime.
    const owner = await readOwner(path);
    if (owner !== undefined && (await lifeOf(owner)) === 'alive') continue;
    const { moved_from: origin } = owner ?? {};
    try {
      const renamed = await abandonPlace(path);
      if (origin !== undefined)
        emit({
          type: 'warning',
          message: `an interrupted command was undone: its moved files are back in ${origin}`,
          ...(renamed.length > 0 && { hint: `other files now have their names, so they were renamed: ${quoteSome(renamed)}` }),
        });
    } catch (error) {
      // A directory that cannot be removed must not block all other changes of the store.
      emit({
        type: 'warning',
        message: describeFailure(`cannot remove ${path}, which an interrupted command left`, error),
        ...(origin !== undefined && { hint: `it contains files of ${origin}; move them back by hand` }),
      });
    }
  }
}

/** skulk's directories and drafts have a unique token. A directory with any other name belongs to a user. */
const ownName = /\.[0-9a-f]{16}(?:\.tmp)?$/;

async function lifeOfPlace(
  path: string,
  name: string,
): Promise<{ readonly life: 'alive' | 'dead' | 'unknown' | 'unowned'; readonly pulse: string }> {
  const [owner, { content }] = await Promise.all([readOwner(path), readPulse(join(path, beatName))]);
  const draftOf = /^\.(\d+)\.[0-9a-f]{16}\.tmp$/.exec(name)?.[1];
  if (owner === undefined) {
    // A draft without its owner's record. The pid may belong to another container, so the draft must also stay unchanged for a while.
    const isMade = draftOf !== undefined && (await identifyProcess(Number(draftOf))) === undefined;
    const changedAt = (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
    return { life: isMade ? 'unknown' : 'unowned', pulse: `${content} ${changedAt}` };
  }
  return { life: await lifeOf(owner), pulse: content };
}

async function isOld(path: string, now: Date): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && now.getTime() - info.mtimeMs > unownedMs;
}

/** The owner of a directory in `incoming/`; undefined if its record is missing or unusable. */
export async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(join(path, 'owner.json'), 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

async function moveBack(from: string, to: string): Promise<readonly string[]> {
  const items = await readdir(from, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  });
  const taken: (readonly [source: string, target: string])[] = [];
  for (const item of items.filter((entry) => !entry.isDirectory())) {
    const source = join(item.parentPath, item.name);
    const target = join(to, source.slice(from.length + 1));
    if ((await freeName(target)) !== target) taken.push([source, target]);
    else await moveTo(source, target);
  }
  const renamed: string[] = [];
  // The targets of the links have been moved back by now.
  for (const [source, target] of taken) {
    // The link was copied and its original still exists.
    if (await isSameContent(source, target)) continue;
    const free = await freeName(target);
    await moveTo(source, free);
    renamed.push(free);
  }
  return renamed;
}

async function moveTo(source: string, target: string): Promise<void> {
  await makeDirectory(dirname(target));
  await rename(source, target);
}

async function isSameContent(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([a, b].map((path) => stat(path).catch(() => undefined)));
  if (first === undefined || second?.isFile() !== true || first.size !== second.size) return false;
  const { signal } = new AbortController();
  const [one, other] = await Promise.all([a, b].map((path) => runHashJob({ kind: 'digest', path }, { signal }).catch(() => undefined)));
  return one !== undefined && one.sha256 === other?.sha256;
}

/** The path itself, or a free one beside it. A rename would replace an existing file. */
async function freeName(path: string): Promise<string> {
  for (let number = 0; ; number += 1) {
    const name = number === 0 ? path : `${path}.moved-back${number === 1 ? '' : `-${number}`}`;
    if (!(await isTaken(name))) return name;
  }
}
