import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from '../kernel/flow/backoff.ts';
import type { Manifest } from '../protocol/manifest.ts';
import { enterWorkPlace, type WorkPlace } from '../transfer/work-place.ts';
import { startAria2 } from './aria2.ts';
import { recordAria2 } from './left-aria2.ts';
import { swarmFiles } from './metainfo.ts';
import { type ContentRange, makeProgressFile } from './progress-file.ts';

/** The machine's own settings of a swarm. */
export interface PeerSettings {
  /** The path of aria2. */
  readonly program: string;
  readonly port: number;
  /** Bytes per second; no limit if undefined. */
  readonly uploadLimit?: number | undefined;
  readonly downloadLimit?: number | undefined;
}

/** A part of a file; `end` is exclusive. */
interface MissingPart {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** What to fetch and share with others. */
export interface PeersPlan extends PeerSettings {
  readonly manifest: Manifest;
  /** The paths of the wanted files. */
  readonly wanted: ReadonlySet<string>;
  /** The parts of these files that are missing; all others are verified. */
  readonly missing: readonly MissingPart[];
  readonly place: WorkPlace;
  readonly torrent: Uint8Array;
  readonly announce: string;
  readonly signal: AbortSignal;
  /** Called with the number of bytes that have arrived. */
  readonly onBytes: (bytes: number) => void;
  /** Called again and again, at most once at a time. */
  readonly onLook?: () => Promise<void>;
  /** How long no byte may arrive, in milliseconds. */
  readonly stallMs: number;
}

const lookEveryMs = 250;

/** The file that records the aria2 of a work place. It stays until every byte that aria2 may have written is verified. */
export const aria2Record = (place: WorkPlace): string => join(place.path, 'aria2.json');

/**
 * Fetches files from peers into a work place until all are complete, or no byte arrives any more. Their bytes are not verified: a file may
 * have wrong and missing parts, also where it was right before. After that, aria2 has ended, and `aria2Record` is still there.
 * @throws if aria2 cannot start or refuses the torrent; the signal's reason
 */
export async function fetchWithPeers(plan: PeersPlan): Promise<void> {
  const { manifest, wanted, place, signal, onBytes, onLook = async () => undefined, stallMs } = plan;
  const files = swarmFiles(manifest);
  // Peers send whole pieces, which may reach into a file that is not wanted.
  const places = files.map(({ path }, index) => (wanted.has(path) ? path : `.skulk-unwanted-${index}`));
  const numbers = files.flatMap(({ path }, index) => (wanted.has(path) ? [index] : []));
  const progressFile = `${manifest.digest}.aria2`;
  const own = [progressFile, ...places.filter((path) => !wanted.has(path))];
  await enterWorkPlace(place, own);
  const directory = join(place.path, 'aria2');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const onStart = (identity: Parameters<typeof recordAria2>[1]): Promise<void> => recordAria2(aria2Record(place), identity);
  try {
    await writeFile(join(place.files, progressFile), makeProgressFile(plan.torrent, findAbsent(plan)), { mode: 0o600 });
    await using aria2 = await startAria2({ ...plan, directory, onStart });
    const handle = await aria2.add({ ...plan, directory: place.files, places, wanted: numbers, isSeed: false });
    let before: number | undefined;
    let grewAt = performance.now();
    let looking: Promise<void> | undefined;
    for (;;) {
      const state = await aria2.state(handle);
      const now = state.completedLength;
      // The bytes that were here already are found first.
      if (!state.isChecking && before !== undefined && now > before) onBytes(now - before);
      if (state.isChecking || now !== before) grewAt = performance.now();
      if (!state.isChecking) before = now;
      const isStalled = performance.now() - grewAt > stallMs;
      if (state.isComplete || isStalled || (state.status !== 'active' && state.status !== 'waiting')) break;
      looking ??= onLook()
        .catch(() => undefined)
        .finally(() => {
          looking = undefined;
        });
      await pause(lookEveryMs, signal);
    }
    await looking;
  } finally {
    for (const path of own) await rm(join(place.files, path), { force: true });
    await rm(directory, { recursive: true, force: true });
  }
}

/** The size of the content of the torrent, and its parts that are not here. */
function findAbsent({ manifest, wanted, missing }: PeersPlan): { readonly size: number; readonly absent: readonly ContentRange[] } {
  const starts = new Map<string, number>();
  const absent: ContentRange[] = [];
  let size = 0;
  for (const file of swarmFiles(manifest)) {
    starts.set(file.path, size);
    if (!wanted.has(file.path)) absent.push({ start: size, end: size + file.size });
    size += file.size;
  }
  for (const { path, start, end } of missing) {
    const at = starts.get(path);
    if (at !== undefined) absent.push({ start: at + start, end: at + end });
  }
  return { size, absent };
}
