import { dirname, join } from 'node:path';
import { lstatIfPresent, namesIn } from '../kernel/files/if-present.ts';
import { sweepHourly } from '../kernel/flow/sweep-hourly.ts';
import { isHeld, tryLock } from '../kernel/process/lock.ts';
import type { World } from '../kernel/world.ts';
import { listBelow } from '../transfer/trash/list-below.ts';
import { clearWorkPlace, isOwnWorkPlace, type WorkPlace } from '../transfer/work-place.ts';

/** The data that a finished or removed download left. */
interface Leftover {
  readonly name: string;
  readonly place: WorkPlace;
  /** When it last changed, in milliseconds since 1970. */
  readonly lastChangeAt: number;
}

/** What is known about the downloads of these directories. */
export interface PlacesOfDownloads {
  /** `downloads/` of the store. */
  readonly directory: string;
  /** Whether the download of that directory is running or waiting. */
  isActive(name: string): boolean;
  /** Removes the finished download of that directory: it cannot be resumed any more. */
  forget(name: string): Promise<void>;
  readonly world: World;
}

/** If space is short, data without changes for this long is removed, in milliseconds. */
const idleAfterMs = 3600_000;

/** Removes data of downloads that are not resumed, now and every hour, like unfinished uploads. @returns a handle that stops it */
export function sweepDownloads(places: PlacesOfDownloads, staleAfterMs: () => Promise<number>): AsyncDisposable {
  return sweepHourly(() => removeStale(places, staleAfterMs), { what: 'unfinished downloads', emit: places.world.emit });
}

async function removeStale(places: PlacesOfDownloads, staleAfterMs: () => Promise<number>): Promise<void> {
  const staleMs = await staleAfterMs();
  for (const leftover of await listLeftovers(places))
    if (places.world.now().getTime() - leftover.lastChangeAt > staleMs) await remove(leftover, places);
}

/** Removes the oldest directory of a download that ended at least an hour ago. @returns whether there was one */
export async function removeOldestLeftover(places: PlacesOfDownloads): Promise<boolean> {
  for (const leftover of await listLeftovers(places)) {
    if (places.world.now().getTime() - leftover.lastChangeAt < idleAfterMs || !(await remove(leftover, places))) continue;
    places.world.emit({ type: 'note', message: `removed the unfinished download ${leftover.name}, because its space was needed` });
    return true;
  }
  return false;
}

/** Directories with content, the oldest first. */
async function listLeftovers({ directory, isActive }: PlacesOfDownloads): Promise<readonly Leftover[]> {
  const leftovers: Leftover[] = [];
  for (const name of await namesIn(directory)) {
    if (!/^[^~]+--[^~]+(?:~[0-9a-f]{16})?$/.test(name) || isActive(name)) continue;
    const path = join(directory, name);
    const place = { path, files: join(path, 'files') };
    // A directory that cannot be read stays: its age is unknown.
    const lastChangeAt = (await isOwnWorkPlace(place)) ? await lastChange(path).catch(() => undefined) : undefined;
    if (lastChangeAt !== undefined) leftovers.push({ name, place, lastChangeAt });
  }
  return leftovers.toSorted((a, b) => a.lastChangeAt - b.lastChangeAt);
}

/** The last change of anything in a directory except its lock; undefined if there is nothing else. */
async function lastChange(path: string): Promise<number | undefined> {
  const files = (await listBelow(path)).filter((one) => !one.path.startsWith('lock'));
  const looks = await Promise.all(files.map((one) => lstatIfPresent(join(path, one.path))));
  const times = looks.flatMap((info) => (info?.isFile() === true ? [Number(info.mtimeMs)] : []));
  return times.length === 0 ? undefined : Math.max(...times);
}

/** @returns whether it is gone; false while another process works on downloads of the model */
async function remove({ name, place }: Leftover, { directory, isActive, forget }: PlacesOfDownloads): Promise<boolean> {
  const held = await tryLock(join(directory, name.replace(/~.*$/, ''), 'lock'), 'removing an unfinished download');
  if (!isHeld(held)) return false;
  try {
    if (isActive(name)) return false;
    await clearWorkPlace(place);
    await forget(name);
    return (await lastChange(place.path)) === undefined || !(await isOwnWorkPlace(place));
  } finally {
    await held.release();
  }
}

/** The other directories of the same model in `downloads/`. */
export async function otherPlaces(path: string, name: string): Promise<readonly string[]> {
  const directory = dirname(path);
  return (await namesIn(directory))
    .filter((one) => one === name || (one.startsWith(`${name}~`) && /^[0-9a-f]{16}$/.test(one.slice(name.length + 1))))
    .map((one) => join(directory, one))
    .filter((one) => one !== path);
}
