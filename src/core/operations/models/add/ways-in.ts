import { rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { digestFiles } from '../../../catalog/manifest.ts';
import type { Deps } from '../../../connect/deps.ts';
import { type OpenedStore, openStore } from '../../../connect/open-store.ts';
import { SkulkError } from '../../../kernel/errors.ts';
import { makeDirectory } from '../../../kernel/files/make-directory.ts';
import { quoteSome } from '../../../kernel/files/relative-path.ts';
import type { World } from '../../../kernel/world.ts';
import type { ManifestFile } from '../../../protocol/manifest.ts';
import type { Adopted } from '../../../protocol/models/adoption.ts';
import type { WorkOptions } from '../../../store/contract.ts';
import { abandonPlace, type IncomingPlace, makeIncomingPlace, requireOwnPlace } from '../../../store/ingest/incoming.ts';
import type { ScannedFile } from '../../../store/ingest/scan-directory.ts';
import { storeLayout } from '../../../store/layout.ts';
import { readFingerprintSync, untouchedBetween } from '../../../transfer/fingerprint.ts';
import { requireDistinctNames } from '../../../transfer/name-folding.ts';
import { logUnserved } from '../../store/log-change.ts';
import { adoptedCard } from './add-card.ts';
import type { AddRequest } from './add-report.ts';
import { copyFiles, moveFiles, onOneDisk, removeOrigin } from './bring-files.ts';
import { type Compared, findSame } from './find-same.ts';
import { refuseOwnFiles } from './refuse-own.ts';

/** What one run of `addModel` adds, and to which store. */
export interface Addition {
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
export interface Added {
  readonly adopted: Adopted;
  readonly bytes: number;
}

/**
 * Sends the files to the server of the store, unless it has them under another name.
 * @throws SkulkError USAGE if it does not accept uploads, and the errors of an upload
 */
export async function sendTo(addition: Addition): Promise<Added> {
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

/** For files that are already in the directory of the model. Writes the card beside them first, and removes it again if the store rejects the model. */
export async function adoptInPlace(addition: Addition): Promise<Added> {
  const { source, card, request } = addition;
  // A card of the Python program in that directory is read in place.
  const named = request.card === undefined ? undefined : card;
  await using written = await adoptedCard(named, { source, force: request.force });
  const adopted = await adopt(addition, {});
  written.keep();
  return { adopted, bytes: 0 };
}

/**
 * Puts the files into `incoming/`, by a rename, a clone or a copy, and lets the store adopt them. If that fails, moved files go back.
 * @param root of the store, on this machine
 */
export async function bringIn(addition: Addition, root: string): Promise<Added> {
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
