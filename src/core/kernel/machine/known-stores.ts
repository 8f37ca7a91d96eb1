import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../errors.ts';
import { writeFileDurably } from '../files/durable-file.ts';
import type { Emit } from '../flow/events.ts';
import { acquireLock } from '../process/lock.ts';

/*
 * `$SKULK_HOME/known-stores.json` holds what this machine remembers of stores and disks beyond its configuration: an object of sections,
 * each an object of entries by key. Unknown sections and entries are kept unchanged.
 */

/** An entry as it is in the file. Its reader must validate it. */
export type KnownEntry = Readonly<Record<string, unknown>>;

type Sections = Readonly<Record<string, unknown>>;

const fileOf = (skulkHome: string): string => join(skulkHome, 'known-stores.json');
const patienceMs = 30_000;

/** The entries of a section, by key; empty if the file is unusable. The next write moves such a file aside. */
export async function readKnown(skulkHome: string, section: string): Promise<ReadonlyMap<string, KnownEntry>> {
  const sections = await readSections(fileOf(skulkHome));
  return entriesOf(sections === 'damaged' ? {} : sections, section);
}

/**
 * Sets or removes an entry. Moves an unreadable file aside with a warning.
 * @param entry undefined removes the entry
 */
export async function remember(
  skulkHome: string,
  { section, key, entry, now, emit }: { section: string; key: string; entry: KnownEntry | undefined; now: Date; emit: Emit },
): Promise<void> {
  const path = fileOf(skulkHome);
  const purpose = 'a note about known stores';
  await using _ = await acquireLock(join(skulkHome, 'locks', 'known-stores'), { purpose, timeoutMs: patienceMs, signal: never });
  let sections = await readSections(path);
  if (sections === 'damaged') {
    const aside = `${path}.damaged-${now.toISOString().replaceAll(/[:.]/g, '-')}`;
    await rename(path, aside);
    emit({
      type: 'warning',
      message: `${path} was corrupt; moved to ${aside}, starting with an empty one`,
      hint: 'skulk will record the stores of this machine again; until then it cannot detect an unmounted disk',
    });
    sections = {};
  }
  const entries = Object.fromEntries(entriesOf(sections, section));
  if (entry === undefined) delete entries[key];
  else entries[key] = entry;
  await writeFileDurably(path, `${JSON.stringify({ ...sections, [section]: entries }, undefined, 2)}\n`);
}

const never = new AbortController().signal;

async function readSections(path: string): Promise<Sections | 'damaged'> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return '{}';
    if (isSystemError(error, 'EISDIR')) return '';
    throw error;
  });
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : 'damaged';
  } catch {
    return 'damaged';
  }
}

function entriesOf(sections: Sections, section: string): ReadonlyMap<string, KnownEntry> {
  const entries = Object.hasOwn(sections, section) ? sections[section] : {};
  if (!isObject(entries)) return new Map();
  return new Map(Object.entries(entries).filter((pair): pair is [string, KnownEntry] => isObject(pair[1])));
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
