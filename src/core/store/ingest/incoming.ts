import { randomBytes } from 'node:crypto';
import { lstat, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { writeFileDurably } from '../../kernel/files/durable-file.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import { quoteSome } from '../../kernel/files/relative-path.ts';
import type { Emit } from '../../kernel/flow/events.ts';
import { directoryName, type ModelId } from '../../kernel/model-id.ts';
import { readPulse, startHeartbeat, unattended } from '../../kernel/process/heartbeat.ts';
import { type Observer, silenceMs, thisObserver } from '../../kernel/process/observe.ts';
import { identifyProcess, identifySelf, isSameProcess, lifeOf, type ProcessOnMachine } from '../../kernel/process/process-identity.ts';
import { runHashJob } from '../../transfer/hash-pool.ts';
import { removeTree } from '../../transfer/trash/remove-tree.ts';
import { incomingPath, type StoreLayout } from '../layout.ts';

/** A place in `incoming/` that one process fills. */
export interface IncomingPlace {
  readonly name: string;
  /** Holds `files/`, `owner.json`, and `beat`, in which the owner shows other machines and containers that it lives. */
  readonly path: string;
  /** Where the model's files go. */
  readonly files: string;
}

interface Owner extends ProcessOnMachine {
  /** From where the files were renamed, so that they can go back. */
  readonly moved_from?: string;
}

const beatName = 'beat';
const unownedMs = 7 * 24 * 3600_000;

/** Makes a place for a model; it is cleared away if this process dies before it is taken into the store. */
export async function makeIncomingPlace({ incoming }: StoreLayout, modelId: ModelId, movedFrom?: string): Promise<IncomingPlace> {
  const place = newPlace(incoming, modelId);
  // It gets its name only with its owner's note in it; until then the draft's own name says whose it is.
  const draft = join(incoming, `.${process.pid}.${randomBytes(8).toString('hex')}.tmp`);
  try {
    await makeDirectory(join(draft, 'files'));
    await writeFile(join(draft, beatName), unattended);
    await writeOwner(draft, movedFrom);
    await rename(draft, place.path);
    // It ends when the place is gone, whoever takes it.
    startHeartbeat(join(place.path, beatName));
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
 * Asks whether a place that this process made is still its own; to be called before files go into it.
 * @throws SkulkError LOCKED when it was cleared away, as this process was suspended
 */
export async function requireOwnPlace({ path }: IncomingPlace): Promise<void> {
  const [owner, self] = [await readOwner(path), await identifySelf()];
  if (owner !== undefined && isSameProcess(owner, self)) return;
  throw new SkulkError('LOCKED', `this process was suspended for too long, so the store has removed ${path}`, {
    hint: 'run the command again; moved files are back in their original place',
  });
}

/**
 * Gives a place up; files that were moved into it go back to where they came from.
 * @param movedFrom where that is, for a caller who knows it: somebody may have cleared the place away before the last file came
 * @returns the paths of those that are back under another name, as somebody had put something else in their place
 */
export async function abandonPlace(path: string, movedFrom?: string): Promise<readonly string[]> {
  const origin = (await readOwner(path))?.moved_from ?? movedFrom;
  const renamed = origin === undefined ? [] : await moveBack(join(path, 'files'), origin);
  await removeTree(path);
  return renamed;
}

/**
 * Clears away what dead processes left. A place of a process elsewhere is left alone while its heartbeat goes on, and one whose owner
 * is not known for a week.
 */
export async function clearAbandonedPlaces(
  { incoming }: StoreLayout,
  now: Date,
  emit: Emit,
  observer: Observer = thisObserver,
): Promise<void> {
  const names = (
    await readdir(incoming).catch((error: unknown) => {
      if (isSystemError(error, 'ENOENT')) return [];
      throw error;
    })
  ).filter((name) => ownName.test(name));
  const lives = new Map(await Promise.all(names.map(async (name) => [name, await lifeOfPlace(join(incoming, name), name)] as const)));
  const pulses = new Map([...lives].flatMap(([name, { life, pulse }]) => (life === 'unknown' ? [[name, pulse] as const] : [])));
  const silences = await observer.silences(incoming, pulses);
  for (const name of names) {
    const path = join(incoming, name);
    const life = lives.get(name)?.life;
    const isDead = life === 'dead' || (life === 'unknown' && (silences.get(name)?.ms ?? 0) >= silenceMs);
    if (!isDead && !(life === 'unowned' && (await isOld(path, now)))) continue;
    // It may have been taken by another process meanwhile.
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
      // One place that cannot be cleared must not keep the store from every other change.
      emit({
        type: 'warning',
        message: `cannot remove ${path}, which an interrupted command left: ${(error as Error).message}`,
        ...(origin !== undefined && { hint: `it contains files of ${origin}; move them back by hand` }),
      });
    }
  }
}

/** A place and its draft have a token that nobody else gives; under another name somebody keeps files of their own. */
const ownName = /\.[0-9a-f]{16}(?:\.tmp)?$/;

async function lifeOfPlace(
  path: string,
  name: string,
): Promise<{ readonly life: 'alive' | 'dead' | 'unknown' | 'unowned'; readonly pulse: string }> {
  const [owner, { content }] = await Promise.all([readOwner(path), readPulse(join(path, beatName))]);
  const draftOf = /^\.(\d+)\.[0-9a-f]{16}\.tmp$/.exec(name)?.[1];
  if (owner === undefined) {
    // A draft without its owner's note: the pid may be one of another container, so it must also stay as it is.
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

async function readOwner(path: string): Promise<Owner | undefined> {
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
  // What a link leads to is back by now.
  for (const [source, target] of taken) {
    // A link was copied and is still there.
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

/** The path itself, or one beside it that nobody has. A rename would replace what is there. */
async function freeName(path: string): Promise<string> {
  for (let number = 0; ; number += 1) {
    const name = number === 0 ? path : `${path}.moved-back${number === 1 ? '' : `-${number}`}`;
    const isTaken = await lstat(name).then(
      () => true,
      () => false,
    );
    if (!isTaken) return name;
  }
}
