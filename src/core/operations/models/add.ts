import { rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type ContentProblem, describeProblems, findContentProblems, requireUsable } from '../../catalog/contents/find-content-problems.ts';
import { digestFiles } from '../../catalog/manifest.ts';
import type { Deps } from '../../connect/deps.ts';
import { type OpenedStore, openStore } from '../../connect/open-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import { quoteSome } from '../../kernel/files/relative-path.ts';
import { directoryName, type ModelId } from '../../kernel/model-id.ts';
import { readLock } from '../../kernel/process/lock.ts';
import type { World } from '../../kernel/world.ts';
import type { ManifestFile } from '../../protocol/manifest.ts';
import type { Adopted, RegistryEntry } from '../../protocol/models.ts';
import { isSameDirectory } from '../../staging/same-place.ts';
import type { Store, WorkOptions } from '../../store/contract.ts';
import { canBringIn } from '../../store/ingest/find-place.ts';
import { abandonPlace, type IncomingPlace, makeIncomingPlace, requireOwnPlace } from '../../store/ingest/incoming.ts';
import { type Scan, type ScannedFile, scanDirectory } from '../../store/ingest/scan-directory.ts';
import { storeLayout } from '../../store/layout.ts';
import { readFingerprintSync, untouchedBetween } from '../../transfer/fingerprint.ts';
import { requireDistinctNames } from '../../transfer/name-folding.ts';
import { logUnserved } from '../store/log-change.ts';
import { adoptedCard, findCardToAdd, withCard } from './add-card.ts';
import { copyFiles, moveFiles, onOneDisk, removeOrigin } from './bring-files.ts';
import { type Compared, findSame } from './find-same.ts';
import { refuseHoles } from './refuse-holes.ts';
import { refuseOwnDirectories, refuseOwnFiles, refuseSecrets } from './refuse-own.ts';

/** The input of `skulk add`. */
export interface AddRequest {
  /** A directory or a file, relative to the working directory. */
  readonly path: string;
  readonly modelId: ModelId;
  readonly revision?: string | undefined;
  /** Renames instead of copying; across disks, copies and then deletes. */
  readonly move: boolean;
  readonly force: boolean;
  /** Rejects an invalid model before anything is copied or sent. */
  readonly strict?: boolean;
  /** The file of its card, relative to the working directory. */
  readonly card?: string | undefined;
}

/** The registry's entry, and what was done. */
export interface AddReport extends RegistryEntry {
  readonly outcome: Adopted['outcome'];
  readonly digest: string;
  readonly bytes_copied: number;
  readonly seconds: number;
  readonly skipped: Scan['skipped'];
  /** Content that no program can load. */
  readonly problems: readonly ContentProblem[];
}

/**
 * Adds a directory or a file to the store. On this machine it is adopted in place, or cloned, copied or moved to `incoming/` and adopted
 * from there, by the running server if there is one. For a store on another machine, or of another user with a server, it is uploaded.
 * @throws SkulkError FILE_NOT_FOUND, also for a quantization with a missing shard; BAD_PATH, PERMISSION, NO_SPACE before a byte is
 * written; INTEGRITY with `strict`; CONFLICT for other content
 */
export async function addModel(deps: Deps, request: AddRequest): Promise<AddReport> {
  const began = performance.now();
  if (/^[a-z]+:\/\//i.test(request.path))
    throw new SkulkError('FILE_NOT_FOUND', `${request.path} is an address, not a path`, {
      hint: `to download a model from Hugging Face: skulk download ${request.path}`,
    });
  const source = resolve(deps.world.cwd, request.path);
  const found = await scanDirectory(source);
  const card = await findCardToAdd(request, { source, scan: found, cwd: deps.world.cwd });
  const scan = withCard(found, card);
  if (request.move) await refuseOwnDirectories(source, deps.config);
  await refuseSecrets(source, scan.files, deps.config);
  refuseHoles(scan.files, request);
  const problems = await findContentProblems(scan.files, deps.world.signal);
  if (request.strict === true) requireUsable(problems, request.path);
  for (const message of describeProblems(problems, request.modelId)) deps.world.emit({ type: 'warning', message });
  await using opened = await openStore(deps, { mayCreate: true });
  const root = opened.localRoot ?? (await localRootOf(opened.store));
  const added: Addition = { deps, request, opened, source, files: scan.files, card };
  const { adopted, bytes } = await explainingDiskErrors(`cannot add ${request.modelId}`, async () => {
    if (root === undefined) return sendTo(added);
    if (await isSameDirectory(source, join(root, directoryName(request.modelId)))) return adoptInPlace(added);
    // Another user than the store's may still send it to the server, like another machine.
    if (opened.uploads !== undefined && !(await canBringIn(storeLayout(root)))) return sendTo(added);
    return bringIn(added, root);
  });
  return {
    ...adopted.entry,
    outcome: adopted.outcome,
    digest: adopted.digest,
    bytes_copied: bytes,
    seconds: (performance.now() - began) / 1000,
    skipped: scan.skipped,
    problems,
  };
}

/** One run of `addModel`. */
interface Addition {
  readonly deps: Deps;
  readonly request: AddRequest;
  readonly opened: OpenedStore;
  /** The absolute path to add. */
  readonly source: string;
  readonly files: readonly ScannedFile[];
  /** One of `files` that is in another directory and stays there. */
  readonly card: ScannedFile | undefined;
}

/** The store's entry, and the number of bytes copied or sent. */
interface Added {
  readonly adopted: Adopted;
  readonly bytes: number;
}

async function sendTo(addition: Addition): Promise<Added> {
  const { deps, request, opened, source, files, card } = addition;
  const { uploads, store } = opened;
  if (uploads === undefined) throw new SkulkError('USAGE', `the store at ${store.location} does not accept uploads`);
  const { uploadModel } = await import('./upload-model.ts');
  const { modelId, revision, force, move } = request;
  const isUntouched = watchFiles(files);
  const { same, hashed } = await compare(addition);
  const { adopted, bytesSent } =
    same === undefined
      ? await uploadModel(uploads, { modelId, files, revision, force, hashed }, deps.world)
      : { adopted: same, bytesSent: 0 };
  if (move) await removeOrigin(own(files, card), { isDirectory: (await stat(source)).isDirectory(), source, mayGo: isUntouched });
  return { adopted, bytes: bytesSent };
}

const compare = (addition: Addition): Promise<Compared> =>
  findSame({ ...addition, onBytes: progressOf(addition, 'hashing') }, { ...addition.request, files: addition.files });

/** Records the fingerprints of files. @returns whether one is unchanged */
function watchFiles(files: readonly ScannedFile[]): (file: ScannedFile) => boolean {
  const looks = new Map(files.map(({ absolute }) => [absolute, readFingerprintSync(absolute)]));
  return ({ absolute }) => untouchedBetween(looks.get(absolute), readFingerprintSync(absolute));
}

const own = (files: readonly ScannedFile[], card: ScannedFile | undefined): readonly ScannedFile[] => files.filter((file) => file !== card);

/** Writes the card beside the files first, and removes it again if the store rejects the model. */
async function adoptInPlace(addition: Addition): Promise<Added> {
  const { source, card, request } = addition;
  // A card of the Python program in that directory is read in place.
  const named = request.card === undefined ? undefined : card;
  await using written = await adoptedCard(named, { source, force: request.force });
  const adopted = await adopt(addition, {});
  written.keep();
  return { adopted, bytes: 0 };
}

/** Puts the files into `incoming/`, and lets the store adopt them. */
async function bringIn(addition: Addition, root: string): Promise<Added> {
  const { deps, request, opened, source, files, card } = addition;
  const { world } = deps;
  await refuseOwnFiles(source, root, request.move);
  const isDirectory = (await stat(source)).isDirectory();
  const origin = isDirectory ? source : dirname(source);
  const isUntouched = watchFiles(files);
  const { same } = await compare(addition);
  if (same !== undefined) {
    if (request.move) await removeOrigin(own(files, card), { isDirectory, source, mayGo: isUntouched });
    return { adopted: same, bytes: 0 };
  }
  await requireDistinctNames(root, { paths: files.map(({ path }) => path), of: request.modelId });
  const layout = storeLayout(root);
  await makeDirectory(layout.incoming);
  const moved = own(files, card);
  const canRename = request.move && (await onOneDisk([origin, ...moved.map(({ absolute }) => absolute)], layout.incoming));
  const place = await makeIncomingPlace(layout, request.modelId, canRename ? origin : undefined);
  try {
    await opened.store.findPlace({ modelId: request.modelId, incoming: place.name });
    const hashed = canRename
      ? await moveFiles(files, place)
      : await copyFiles(files, place, { signal: world.signal, onBytes: progressOf(addition, 'copying') });
    await requireOwnPlace(place);
    const adopted = await adopt(addition, { incoming: place.name, ...(hashed && { hashed: hashed.files }) });
    if (request.move) await removeOrigin(moved, { isDirectory, source, mayGo: canRename ? ({ isLink }) => isLink : isUntouched });
    return { adopted, bytes: hashed?.copied ?? 0 };
  } catch (error) {
    // Move back only the files of the origin.
    if (card !== undefined) await rm(join(place.files, card.path), { force: true });
    await clearAway(place, canRename ? origin : undefined, world);
    throw error;
  }
}

/** Moves files back to their origin. */
async function clearAway(place: IncomingPlace, origin: string | undefined, { emit }: World): Promise<void> {
  const renamed = await abandonPlace(place.path, origin).catch((cause: unknown) => {
    emit({
      type: 'warning',
      message: `cannot remove ${place.path}: ${String(cause)}`,
      hint: 'skulk tries again at the next change to the store',
    });
    return [];
  });
  if (renamed.length > 0)
    emit({ type: 'warning', message: `other files now have the names of the moved files, which were restored as ${quoteSome(renamed)}` });
}

/** What the store should adopt: a directory in `incoming/`, or the model's own directory; with the known digests. */
interface ToAdopt {
  readonly incoming?: string;
  readonly hashed?: readonly ManifestFile[];
}

async function adopt(addition: Addition, what: ToAdopt): Promise<Adopted> {
  const { deps, opened } = addition;
  try {
    return await adoptInto(opened, addition, what);
  } catch (error) {
    if (opened.url !== undefined || !(error instanceof SkulkError) || error.code !== 'LOCKED') throw error;
    // A server started while the files were copied, so it must adopt them.
    await using again = await openStore(deps);
    if (again.url === undefined) throw error;
    return await adoptInto(again, addition, what);
  }
}

function adoptInto(opened: OpenedStore, addition: Addition, { incoming, hashed }: ToAdopt): Promise<Adopted> {
  const { deps, request } = addition;
  const { modelId, revision, force } = request;
  const isOnDisk = opened.url === undefined;
  const asked = {
    modelId,
    force,
    ...(revision !== undefined && { revision }),
    ...(incoming !== undefined && { incoming }),
    ...(hashed !== undefined && { digest: digestFiles(hashed) }),
    // A server hashes the files again; only this process knows that nothing happened in between.
    ...(hashed !== undefined && isOnDisk && { hashed }),
  };
  return logUnserved(deps, opened, { action: 'add', model_id: modelId }, () =>
    opened.store.adopt(asked, { signal: deps.world.signal, onBytes: progressOf(addition, 'hashing') }),
  );
}

const progressOf =
  ({ deps, request }: Addition, doing: string): NonNullable<WorkOptions['onBytes']> =>
  (bytesDone, bytesTotal) => {
    // A server sends reports before it has counted the files.
    if (bytesTotal > 0) deps.world.emit({ type: 'progress', doing, subject: request.modelId, bytesDone, bytesTotal });
  };

/** The path of a local store: only there its lock can be read. */
async function localRootOf(store: Store): Promise<string | undefined> {
  const { store_path, instance } = await store.health();
  if (instance === null) return undefined;
  const holder = await readLock(storeLayout(store_path).lock).catch(() => undefined);
  return holder?.token === instance ? store_path : undefined;
}
