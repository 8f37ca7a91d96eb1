import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { identifyProcess, namespaceOf, ownSite } from './process-identity.ts';

/*
 * Clocks of two machines are never compared. An observer measures the age of a heartbeat's current content with its own monotonic clock,
 * from the moment it first saw that content. A command ends long before 30 s are over, so it saves a note beside the heartbeat: the
 * content, and the time by that clock. A later command of the same boot continues from the note. So a command never waits, the first
 * check counts an unchanged holder as alive, and a killed holder is known to be dead half a minute later.
 */

/** How long a heartbeat must stay the same before its holder counts as dead; in milliseconds. */
export const silenceMs = 30_000;

const staleNoteMs = 7 * 86_400_000;

/** Watches heartbeats. */
export interface Observer {
  /**
   * How long the heartbeats of some holders have been unchanged.
   * @param directory the directory of the note
   * @param pulses their current contents, by holder; the note remembers only these
   */
  silences(directory: string, pulses: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, Silence>>;
}

/** What is known about one heartbeat. */
export interface Silence {
  /** How long it has been unchanged, in milliseconds of this machine's monotonic clock. */
  readonly ms: number;
  /** Whether it changed while this process watched it. */
  readonly hasMoved: boolean;
}

interface Sight {
  readonly pulse: string;
  readonly since: number;
  readonly hasMoved: boolean;
}

type Note = Readonly<Record<string, { readonly pulse: string; readonly since: number }>>;

/**
 * Creates an observer with its own clock.
 * @param boot identifies the boot that the clock belongs to; if it is empty, the boot is unknown and no note is written
 * @param name distinguishes its notes from those of other machines
 */
export function createObserver({
  boot,
  name,
  now,
}: {
  readonly boot: () => Promise<string>;
  readonly name: string;
  readonly now: () => number;
}): Observer {
  const seenIn = new Map<string, ReadonlyMap<string, Sight>>();
  const noteName = `.seen-${createHash('sha256').update(name).digest('hex').slice(0, 12)}.note`;

  const readNote = async (directory: string): Promise<Note> => {
    try {
      const { boot: of, seen: note } = JSON.parse(await readFile(join(directory, noteName), 'utf8')) as { boot?: string; seen?: Note };
      return of !== undefined && of !== '' && of === (await boot()) ? (note ?? {}) : {};
    } catch {
      return {};
    }
  };

  /** Without a note, the next command starts the measurement again: a dead holder then counts as alive for longer. */
  const writeNote = async (directory: string, note: Note): Promise<void> => {
    const of = await boot();
    if (of === '') return;
    const path = join(directory, noteName);
    const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      await writeFile(draft, JSON.stringify({ boot: of, seen: note }));
      await rename(draft, path);
      await removeStaleNotes(directory, path);
    } catch {
      await rm(draft, { force: true }).catch(() => undefined);
    }
  };

  return {
    silences: async (directory, pulses) => {
      if (pulses.size === 0) return new Map();
      const isNew = [...pulses.keys()].some((holder) => seenIn.get(directory)?.has(holder) !== true);
      const note = isNew ? await readNote(directory) : {};
      const time = now();
      const before = seenIn.get(directory);
      const sights = new Map([...pulses].map(([holder, pulse]) => [holder, sightOf(pulse, before?.get(holder), note[holder], time)]));
      seenIn.set(directory, sights);
      if (isNew)
        await writeNote(directory, Object.fromEntries([...sights].map(([holder, { pulse, since }]) => [holder, { pulse, since }])));
      return new Map([...sights].map(([holder, { since, hasMoved }]) => [holder, { ms: time - since, hasMoved }]));
    },
  };
}

/** The state of a heartbeat that shows `pulse` at `time`: from this process, else from a note. */
function sightOf(pulse: string, before: Sight | undefined, noted: Note[string] | undefined, time: number): Sight {
  if (before?.pulse === pulse) return before;
  if (before !== undefined) return { pulse, since: time, hasMoved: true };
  const isNoted = noted?.pulse === pulse && typeof noted.since === 'number' && noted.since <= time;
  return { pulse, since: isNoted ? noted.since : time, hasMoved: false };
}

/** Removes the notes of observers from a directory with a new holder. */
export async function forgetSilences(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => []))
    if (name.startsWith('.seen-')) await rm(join(directory, name), { force: true }).catch(() => undefined);
}

/** Containers get a new name each time, so old notes must be removed. Both dates come from the disk. */
async function removeStaleNotes(directory: string, own: string): Promise<void> {
  const { mtimeMs: now } = await stat(own);
  for (const name of await readdir(directory)) {
    if (!name.startsWith('.seen-')) continue;
    const path = join(directory, name);
    const age = await stat(path).then(
      ({ mtimeMs }) => now - mtimeMs,
      () => 0,
    );
    if (age > staleNoteMs) await rm(path, { force: true });
  }
}

/** The observer of this process. It uses the system's clock, which all processes of a boot share; a time namespace has its own. */
export const thisObserver: Observer = createObserver({
  boot: async () => {
    const { boot } = ownSite();
    const first = boot === '' ? ((await identifyProcess(1))?.startTime ?? '') : boot;
    return first === '' ? '' : `${first} ${namespaceOf('time') ?? ''}`;
  },
  name: hostname(),
  now: () => Number(process.hrtime.bigint() / 1_000_000n),
});
