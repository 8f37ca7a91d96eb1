import { join } from 'node:path';
import { SkulkError } from '../kernel/errors.ts';
import { quote } from '../kernel/files/relative-path.ts';
import type { Manifest, ManifestFile } from '../protocol/manifest.ts';
import { requireRoom } from '../transfer/disk-room.ts';
import { fetchFiles } from '../transfer/fetch-files.ts';
import type { ArrivedPiece } from '../transfer/fetch-files-plan.ts';
import type { OnMeter } from '../transfer/progress-meter.ts';
import type { RateLimiter } from '../transfer/rate-limiter.ts';
import type { ByteSharing } from '../transfer/share-bytes.ts';
import { listBelow } from '../transfer/trash/list-below.ts';
import { removeTree } from '../transfer/trash/remove-tree.ts';
import { openPlanned, promiseOfPlanned, requirePlainCut } from './joined-file.ts';
import type { FetchPlan } from './plan-fetch.ts';
import type { Source } from './source.ts';

/** The directory of files during their download. */
export interface FetchPlace {
  readonly files: string;
  readonly journal: string;
}

/**
 * Fetches planned files into a directory, verifies and syncs them; resumes an earlier try.
 * @param present a model whose identical files are reused
 * @throws SkulkError NO_SPACE before a byte is fetched, INTEGRITY, the source's errors
 */
export async function fetchPlanned(
  { listing, files, kept, total }: FetchPlan,
  {
    source,
    place,
    isStore,
    present,
    connections,
    limiter,
    signal,
    onBytes,
    onPiece,
    sharing,
  }: {
    readonly source: Source;
    readonly place: FetchPlace;
    /** Whether it is in a store, whose disk keeps a reserve. */
    readonly isStore: boolean;
    readonly present: { readonly manifest: Manifest; readonly directory: string } | undefined;
    readonly connections: number;
    readonly limiter: RateLimiter;
    readonly signal: AbortSignal;
    readonly onBytes: OnMeter;
    readonly onPiece?: (piece: ArrivedPiece) => void;
    readonly sharing?: ByteSharing | undefined;
  },
): Promise<{ readonly files: readonly ManifestFile[]; readonly bytesTransferred: number }> {
  await removeStrangers(place.files, new Set([...files, ...kept].map(({ path }) => path)));
  const sizes = new Map(present?.manifest.files.map(({ path, size }) => [path, size]));
  await requireRoom(place.files, await bytesStillNeeded(place.files, { total, files, present }), `downloading ${listing.modelId}`, {
    isStore,
  });
  const stay = kept.map(({ path, size, sha256 }) => ({ path, size, id: { kind: 'sha256' as const, value: sha256 } }));
  const listed = new Map(files.map((file) => [file.path, file]));
  const fetched = await fetchFiles({
    files: [...files.map((file) => ({ path: file.path, size: file.size, id: promiseOfPlanned(file) })), ...stay],
    directory: place.files,
    journal: place.journal,
    read: ({ path }, range, over) => {
      const file = listed.get(path);
      if (file === undefined)
        throw new SkulkError('INTEGRITY', `${quote(path)} of ${listing.modelId} is damaged, and ${source.name} no longer has it`);
      return openPlanned(source, listing, { file, range, signal: over });
    },
    reuse: ({ path, size }) => {
      if (present !== undefined && sizes.get(path) === size) return { path: join(present.directory, path), mayLink: true };
      const file = listed.get(path);
      const local = file === undefined || file.pieces !== undefined ? undefined : source.localPath?.(listing, file);
      return local === undefined ? undefined : { path: local, mayLink: false };
    },
    isTransient: source.isTransient,
    connections,
    limiter,
    policy: source.retry,
    signal,
    onBytes,
    ...(onPiece !== undefined && { onPiece }),
    sharing,
  });
  for (const file of files) await requirePlainCut(file, join(place.files, file.path));
  return fetched;
}

async function removeStrangers(directory: string, wanted: ReadonlySet<string>): Promise<void> {
  const parents = new Set<string>();
  for (const path of wanted)
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) parents.add(path.slice(0, end));
  for (const { path, item } of await listBelow(directory))
    if (!(item.isDirectory() && parents.has(path)) && !(item.isFile() && wanted.has(path))) await removeTree(join(directory, path));
}

/** The space that the disk must still provide for files, without the blocks of an earlier try and the files of an existing copy. */
export async function bytesStillNeeded(
  directory: string,
  {
    total,
    files,
    present,
  }: {
    readonly total: number;
    readonly files: readonly { readonly path: string; readonly size: number }[];
    readonly present: { readonly manifest: Manifest } | undefined;
  },
): Promise<number> {
  const sizes = new Map<string, number>(present?.manifest.files.map(({ path, size }) => [path, size]));
  const isThere = files.filter(({ path, size }) => sizes.get(path) === size);
  return Math.max(0, total - (await bytesBelow(directory)) - isThere.reduce((sum, { size }) => sum + size, 0));
}

async function bytesBelow(directory: string): Promise<number> {
  const { stat } = await import('node:fs/promises');
  let bytes = 0;
  for (const { path, item } of await listBelow(directory)) {
    if (item.isFile()) bytes += ((await stat(join(directory, path)).catch(() => undefined))?.blocks ?? 0) * 512;
  }
  return bytes;
}
