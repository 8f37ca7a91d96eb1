import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isGgufWeights, quantizationOfName } from '../../catalog/gguf-files.ts';
import { findClash, type Manifest, type ManifestFile } from '../../catalog/manifest.ts';
import { type Pins, selectFiles } from '../../catalog/select-files.ts';
import type { OpenedHub } from '../../connect/open-hub.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { quote } from '../../kernel/files/relative-path.ts';
import type { RetryPolicy } from '../../kernel/flow/backoff.ts';
import type { Emit } from '../../kernel/flow/events.ts';
import type { HubFile, HubRepo } from '../../sources/hub/hub.ts';
import { requireRoom } from '../../transfer/disk-room.ts';
import { type ArrivedPiece, fetchFiles } from '../../transfer/fetch-files.ts';
import type { RateLimiter } from '../../transfer/rate-limiter.ts';
import { removeTree } from '../../transfer/trash.ts';

/** Which files of a repo are to be fetched, and why. */
export interface FetchPlan {
  readonly repo: HubRepo;
  readonly files: readonly HubFile[];
  /** Files of the model that is there already and stay, though the repo does not have them any more. */
  readonly kept: readonly ManifestFile[];
  /** In bytes. */
  readonly total: number;
}

/** An internet connection may be away for a while; the Hub may ask for more patience than a machine on the LAN. */
const hubPolicy: RetryPolicy = { attempts: 10, firstDelayMs: 250, longestDelayMs: 30_000, longestAskedMs: 15 * 60_000 };

/** Chooses what to fetch of a repo. A quantization that is there already stays. Pure but for the warnings. */
export function planFetch(
  repo: HubRepo,
  {
    pins,
    present,
    exact,
    emit,
  }: {
    readonly pins: Pins;
    readonly present: Manifest | undefined;
    /** Whether a pin that is not in the repo is an error. */
    readonly exact: boolean;
    readonly emit: Emit;
  },
): FetchPlan {
  const byPath = new Map(repo.files.map((file) => [file.path as string, file]));
  const selection = selectFiles([...byPath.keys()], pins);
  if (selection.missingPin !== undefined && exact && selection.missingPin !== pins.card)
    throw new SkulkError('FILE_NOT_FOUND', `${repo.modelId} has no ${quote(selection.missingPin)} on Hugging Face`, {
      hint: `it has ${labelsOf([...byPath.keys()]).join(', ')}`,
    });
  if (selection.missingPin !== undefined)
    emit({
      type: 'warning',
      message: `${repo.modelId} has no ${quote(selection.missingPin)} at ${repo.revision}; ${quote(selection.gguf ?? '')} is taken instead`,
    });
  const wanted = new Set(selection.paths);
  const kept: ManifestFile[] = [];
  if (selection.gguf !== undefined) {
    for (const file of present?.files ?? []) {
      if (!isGgufWeights(file.path) || wanted.has(file.path)) continue;
      if (byPath.has(file.path)) wanted.add(file.path);
      else kept.push(file);
    }
  }
  const files = repo.files.filter(({ path }) => wanted.has(path));
  if (files.length === 0)
    throw new SkulkError('MODEL_NOT_FOUND', `${repo.modelId} has no files at ${repo.revision}`, { hint: 'look at its page' });
  const clash = findClash([...files, ...kept].map(({ path }) => path));
  if (clash !== undefined) throw new SkulkError('HUB_REFUSED', `the list of ${repo.modelId} cannot be used: ${clash}`);
  return { repo, files, kept, total: files.reduce((sum, { size }) => sum + size, 0) };
}

/** The quantizations of a repo, to choose from. */
const labelsOf = (paths: readonly string[]): readonly string[] =>
  [...new Set(paths.filter(isGgufWeights).map((path) => quantizationOfName(path) ?? path))].slice(0, 20);

/** Where files are put while they come. */
export interface FetchPlace {
  readonly files: string;
  readonly journal: string;
}

/**
 * Fetches what a plan names into a place, verified and synced; goes on where an earlier try stopped.
 * @param present a model whose files are taken over where they are the same
 * @throws SkulkError NO_SPACE before a byte is fetched, INTEGRITY, the Hub's errors
 */
export async function fetchPlanned(
  { repo, files, kept, total }: FetchPlan,
  {
    opened,
    place,
    isStore,
    present,
    connections,
    limiter,
    signal,
    onBytes,
    onPiece,
  }: {
    readonly opened: OpenedHub;
    readonly place: FetchPlace;
    /** Whether the place is a store's, whose disk keeps a reserve. */
    readonly isStore: boolean;
    readonly present: { readonly manifest: Manifest; readonly directory: string } | undefined;
    readonly connections: number;
    readonly limiter: RateLimiter;
    readonly signal: AbortSignal;
    readonly onBytes: (done: number, total: number) => void;
    readonly onPiece?: (piece: ArrivedPiece) => void;
  },
): Promise<{ readonly files: readonly ManifestFile[]; readonly bytesTransferred: number }> {
  await removeStrangers(place.files, new Set([...files, ...kept].map(({ path }) => path)));
  const sizes = new Map(present?.manifest.files.map(({ path, size }) => [path, size]));
  const isThere = ({ path, size }: HubFile): boolean => sizes.get(path) === size;
  await requireRoom(
    place.files,
    Math.max(0, total - (await bytesBelow(place.files)) - files.filter(isThere).reduce((sum, { size }) => sum + size, 0)),
    `downloading ${repo.modelId}`,
    { isStore },
  );
  const { isTransientHubError } = await import('../../sources/hub/map-failure.ts');
  const stay = kept.map(({ path, size, sha256 }) => ({ path, size, id: { kind: 'sha256' as const, value: sha256 } }));
  const hubFiles = new Map(files.map((file) => [file.path, file]));
  const fetched = await fetchFiles({
    files: [...files, ...stay],
    directory: place.files,
    journal: place.journal,
    read: ({ path }, range, over) => {
      const file = hubFiles.get(path);
      if (file === undefined)
        throw new SkulkError('INTEGRITY', `${quote(path)} of ${repo.modelId} is damaged, and its repo has it no more`);
      return opened.hub.read(repo, file, range, over);
    },
    reuse: ({ path, size }) => (present !== undefined && sizes.get(path) === size ? join(present.directory, path) : undefined),
    isTransient: isTransientHubError,
    connections,
    limiter,
    policy: hubPolicy,
    signal,
    onBytes,
    ...(onPiece !== undefined && { onPiece }),
  });
  return fetched;
}

async function removeStrangers(directory: string, wanted: ReadonlySet<string>): Promise<void> {
  const items = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const item of items) {
    const absolute = join(item.parentPath, item.name);
    const path = absolute.slice(directory.length + 1);
    const isParent = item.isDirectory() && [...wanted].some((one) => one.startsWith(`${path}/`));
    if (!isParent && !(item.isFile() && wanted.has(path))) await removeTree(absolute);
  }
}

async function bytesBelow(directory: string): Promise<number> {
  const { stat } = await import('node:fs/promises');
  const items = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const item of items) {
    if (item.isFile()) bytes += ((await stat(join(item.parentPath, item.name)).catch(() => undefined))?.blocks ?? 0) * 512;
  }
  return bytes;
}
