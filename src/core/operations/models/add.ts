import { constants } from 'node:fs';
import { copyFile, lstat, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { digestFiles, type ManifestFile, totalBytes } from '../../catalog/manifest.ts';
import type { Deps } from '../../connect/deps.ts';
import { type OpenedStore, openStore } from '../../connect/open-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import { quoteSome } from '../../kernel/files/relative-path.ts';
import { filesAtOnce, mapAtOnce } from '../../kernel/flow/at-once.ts';
import { directoryName, type ModelId } from '../../kernel/model-id.ts';
import { readLock } from '../../kernel/process/lock.ts';
import { isInside, isSameDirectory } from '../../staging/same-place.ts';
import type { Adopted, RegistryEntry, Store, WorkOptions } from '../../store/contract.ts';
import { toManifestFile } from '../../store/ingest/hash-model.ts';
import { abandonPlace, type IncomingPlace, makeIncomingPlace, requireOwnPlace } from '../../store/ingest/incoming.ts';
import { type Scan, type ScannedFile, scanDirectory } from '../../store/ingest/scan-directory.ts';
import { storeLayout } from '../../store/layout.ts';
import { cloneFile } from '../../transfer/clone-file.ts';
import { requireRoom } from '../../transfer/disk-room.ts';
import { readFingerprint, untouchedBetween } from '../../transfer/fingerprint.ts';
import { requireDistinctNames } from '../../transfer/name-folding.ts';

/** What `skulk add` takes. */
export interface AddRequest {
  /** A directory or a file, relative to the working directory. */
  readonly path: string;
  readonly modelId: ModelId;
  readonly revision?: string | undefined;
  /** Rename instead of copy; across disks, copy and then remove. */
  readonly move: boolean;
  readonly force: boolean;
}

/** The registry's entry, and what was done. */
export interface AddReport extends RegistryEntry {
  readonly outcome: Adopted['outcome'];
  readonly digest: string;
  readonly bytes_copied: number;
  readonly seconds: number;
  readonly skipped: Scan['skipped'];
}

/**
 * Brings a directory or a file into the store on this machine: adopted where it lies, else cloned, copied or moved into
 * `incoming/` and taken from there, by the running server if there is one.
 * @throws SkulkError FILE_NOT_FOUND, BAD_PATH, PERMISSION, NO_SPACE before a byte is written, CONFLICT for other content
 */
export async function addModel(deps: Deps, request: AddRequest): Promise<AddReport> {
  const { world } = deps;
  const began = performance.now();
  const source = resolve(world.cwd, request.path);
  const scan = await scanDirectory(source);
  if (request.move) await refuseOwnDirectories(source, deps.config);
  await using opened = await openStore(deps, { mayCreate: true });
  const root = opened.localRoot ?? (await localRootOf(opened.store));
  if (root === undefined) return await explainingDiskErrors(`cannot add ${request.modelId}`, () => sendTo(opened));
  return await explainingDiskErrors(`cannot add ${request.modelId}`, async () => {
    const isInPlace = await isSameDirectory(source, join(root, directoryName(request.modelId)));
    const { adopted, bytesCopied } = isInPlace ? { adopted: await adopt({}), bytesCopied: 0 } : await bringIn();
    return {
      ...adopted.entry,
      outcome: adopted.outcome,
      digest: adopted.digest,
      bytes_copied: bytesCopied,
      seconds: (performance.now() - began) / 1000,
      skipped: scan.skipped,
    };
  });

  async function sendTo({ uploads, store }: OpenedStore): Promise<AddReport> {
    if (uploads === undefined) throw new SkulkError('USAGE', `the store at ${store.location} takes no models from here`);
    const { uploadModel } = await import('./upload-model.ts');
    const { modelId, revision, force, move } = request;
    const looks = new Map(scan.files.map(({ absolute }) => [absolute, readFingerprint(absolute)]));
    const { adopted, bytesSent } = await uploadModel(uploads, { modelId, files: scan.files, revision, force }, world);
    if (move)
      await removeOrigin(scan.files, {
        isDirectory: (await stat(source)).isDirectory(),
        source,
        mayGo: (file) => untouchedBetween(looks.get(file.absolute), readFingerprint(file.absolute)),
      });
    return {
      ...adopted.entry,
      outcome: adopted.outcome,
      digest: adopted.digest,
      bytes_copied: bytesSent,
      seconds: (performance.now() - began) / 1000,
      skipped: scan.skipped,
    };
  }

  async function adopt(what: { incoming?: string; hashed?: readonly ManifestFile[] }): Promise<Adopted> {
    try {
      return await adoptInto(opened, what);
    } catch (error) {
      if (opened.url !== undefined || !(error instanceof SkulkError) || error.code !== 'LOCKED') throw error;
      // A server began while the files were copied; then it takes them.
      await using again = await openStore(deps);
      if (again.url === undefined) throw error;
      return await adoptInto(again, what);
    }
  }

  function adoptInto(
    { store, url }: OpenedStore,
    { incoming, hashed }: { incoming?: string; hashed?: readonly ManifestFile[] },
  ): Promise<Adopted> {
    const { modelId, revision, force } = request;
    const isOnDisk = url === undefined;
    return store.adopt(
      {
        modelId,
        force,
        ...(revision !== undefined && { revision }),
        ...(incoming !== undefined && { incoming }),
        ...(hashed !== undefined && { digest: digestFiles(hashed) }),
        // A server hashes again what it takes; only this very process knows that nothing happened in between.
        ...(hashed !== undefined && isOnDisk && { hashed }),
      },
      { signal: world.signal, onBytes: progress('hashing') },
    );
  }

  function progress(doing: string): NonNullable<WorkOptions['onBytes']> {
    return (bytesDone, bytesTotal) => world.emit({ type: 'progress', doing, subject: request.modelId, bytesDone, bytesTotal });
  }

  async function bringIn(): Promise<{ adopted: Adopted; bytesCopied: number }> {
    await refuseOwnFiles(source, root as string, request.move);
    const isDirectory = (await stat(source)).isDirectory();
    const origin = isDirectory ? source : dirname(source);
    await requireDistinctNames(root as string, { paths: scan.files.map(({ path }) => path), of: request.modelId });
    const layout = storeLayout(root as string);
    await makeDirectory(layout.incoming);
    const canRename = request.move && (await onOneDisk([origin, ...scan.files.map(({ absolute }) => absolute)], layout.incoming));
    const place = await makeIncomingPlace(layout, request.modelId, canRename ? origin : undefined);
    const looks = new Map(scan.files.map(({ absolute }) => [absolute, readFingerprint(absolute)]));
    try {
      const hashed = canRename
        ? await moveFiles(scan.files, place)
        : await copyFiles(scan.files, place, { signal: world.signal, onBytes: progress('copying') });
      await requireOwnPlace(place);
      const copied = hashed === undefined ? 0 : hashed.copied;
      const adopted = await adopt({ incoming: place.name, ...(hashed && { hashed: hashed.files }) });
      if (request.move)
        await removeOrigin(scan.files, {
          isDirectory,
          source,
          mayGo: (file) => (canRename ? file.isLink : untouchedBetween(looks.get(file.absolute), readFingerprint(file.absolute))),
        });
      return { adopted, bytesCopied: copied };
    } catch (error) {
      const renamed = await abandonPlace(place.path, canRename ? origin : undefined).catch((cause: unknown) => {
        world.emit({
          type: 'warning',
          message: `${place.path} could not be cleared away: ${String(cause)}`,
          hint: 'the next change to the store tries again',
        });
        return [];
      });
      if (renamed.length > 0)
        world.emit({
          type: 'warning',
          message: `other files took the names of files that had been moved; these are back as ${quoteSome(renamed)}`,
        });
      throw error;
    }
  }
}

/** Where a store's files lie, if on this machine: only here can its lock be read. */
async function localRootOf(store: Store): Promise<string | undefined> {
  const { store_path, instance } = await store.health();
  if (instance === null) return undefined;
  const holder = await readLock(storeLayout(store_path).lock).catch(() => undefined);
  return holder?.token === instance ? store_path : undefined;
}

/** What skulk remembers, and its copies with their records, would be taken apart. */
async function refuseOwnDirectories(source: string, { skulkHome, settings }: Deps['config']): Promise<void> {
  for (const [what, path] of [
    ['SKULK_HOME', skulkHome],
    ['the staging directory', settings.nodeCachePath.value],
  ] as const)
    if (await isInside(path, source))
      throw new SkulkError('USAGE', `${source} contains ${what}, so it is not moved`, { hint: 'name the directory of one model' });
}

async function refuseOwnFiles(source: string, root: string, move: boolean): Promise<void> {
  if (await isInside(root, source))
    throw new SkulkError('USAGE', `${source} contains the store itself`, { hint: 'name the directory of one model' });
  if (await isInside(source, join(root, '.skulk')))
    throw new SkulkError('USAGE', `${source} is among the store's own files`, { hint: 'name the directory of one model' });
  if (move && (await isInside(source, root)))
    throw new SkulkError('USAGE', `${source} is inside the store, so it is not moved`, {
      hint: 'leave --move out to make a second model of it',
    });
}

/** Another disk may also be mounted somewhere inside of what is moved. */
async function onOneDisk(paths: readonly string[], target: string): Promise<boolean> {
  const { dev } = await lstat(target);
  const infos = await mapAtOnce(paths, filesAtOnce, (path) => lstat(path));
  return infos.every((info) => info.dev === dev);
}

/** Renames every file; a symbolic link becomes a file of its own. */
async function moveFiles(files: readonly ScannedFile[], place: IncomingPlace): Promise<undefined> {
  const linksFirst = files.toSorted((a, b) => Number(b.isLink) - Number(a.isLink));
  for (const { absolute, path, isLink } of linksFirst) {
    const to = join(place.files, path);
    await requireOwnPlace(place);
    await makeDirectory(dirname(to));
    if (isLink) await copyFile(absolute, to, constants.COPYFILE_EXCL);
    else await rename(absolute, to);
  }
}

/** What a move leaves: copied files and links, then the directories that it emptied. A file that changed after it was copied stays. */
async function removeOrigin(
  files: readonly ScannedFile[],
  { isDirectory, source, mayGo }: { isDirectory: boolean; source: string; mayGo: (file: ScannedFile) => boolean },
): Promise<void> {
  // Links first: whether one may go shows only while its target is there.
  const linksFirst = files.toSorted((a, b) => Number(b.isLink) - Number(a.isLink));
  for (const file of linksFirst) if (mayGo(file)) await rm(file.absolute, { force: true });
  if (!isDirectory) return;
  const directories = new Set([source]);
  for (const { path } of files) for (let at = dirname(path); at !== '.'; at = dirname(at)) directories.add(join(source, at));
  // The deepest first; one with something in it stays.
  for (const directory of [...directories].toSorted((a, b) => b.length - a.length)) await rmdir(directory).catch(() => undefined);
}

async function copyFiles(
  files: readonly ScannedFile[],
  place: IncomingPlace,
  { signal, onBytes }: WorkOptions,
): Promise<{ files: readonly ManifestFile[]; copied: number }> {
  const total = totalBytes(files);
  const largestFirst = files.toSorted((a, b) => b.size - a.size);
  const hashed: ManifestFile[] = [];
  let done = 0;
  let copied = 0;
  const bring = async ({ absolute, path, size }: ScannedFile): Promise<boolean> => {
    let last = 0;
    const { shared, ...digest } = await cloneFile(absolute, join(place.files, path), {
      signal,
      onBytes: (bytes) => {
        done += bytes - last;
        last = bytes;
        onBytes?.(done, total);
      },
    });
    hashed.push(toManifestFile(path, digest));
    if (!shared) copied += size;
    return shared;
  };
  const smallest = largestFirst.at(-1);
  if (smallest !== undefined && !(await sharesBlocks(smallest.absolute, place.files)))
    await requireRoom(place.files, total, 'adding this model', { isStore: true });
  // All must have ended before a failure lets the place be cleared away.
  const failed = (await Promise.allSettled(largestFirst.map(bring))).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
  return { files: hashed, copied };
}

/** Tries whether a file can be cloned into a directory without copying it. */
async function sharesBlocks(file: string, directory: string): Promise<boolean> {
  const probe = join(directory, '.probe');
  try {
    await copyFile(file, probe, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    return false;
  } finally {
    await rm(probe, { force: true });
  }
}
