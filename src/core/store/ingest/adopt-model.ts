import { join } from 'node:path';
import { withGgufKinds } from '../../catalog/contents/gguf-kind.ts';
import { makeManifest } from '../../catalog/manifest.ts';
import { withSideKinds } from '../../catalog/side-kinds.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { renameDurably } from '../../kernel/files/durable-file.ts';
import { isTaken } from '../../kernel/files/is-there.ts';
import { mapConcurrently, maxOpenFiles } from '../../kernel/flow/concurrency.ts';
import { directoryName, type ModelId } from '../../kernel/model-id.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { Adopted } from '../../protocol/models/adoption.ts';
import type { RegistryEntry } from '../../protocol/models/entries.ts';
import { type Fingerprint, readFingerprint } from '../../transfer/fingerprint.ts';
import { removeTree } from '../../transfer/trash/remove-tree.ts';
import type { AdoptRequest, WorkOptions } from '../contract.ts';
import { isDirectoryInside } from '../disk/inside-store.ts';
import { incomingPath } from '../layout.ts';
import type { PublishRequest } from '../local-store.ts';
import { proveReplaceable } from '../own-model.ts';
import type { KnownManifest } from '../records/model-records.ts';
import type { StoreContext } from '../store-context.ts';
import {
  chooseStorePath,
  isUntouched,
  makeEntry,
  refuseIfChanged,
  refuseLookalikes,
  refuseOtherContent,
  syncDirectories,
} from './adopt-checks.ts';
import { findAdditions } from './find-additions.ts';
import { type HashedModel, hashModel } from './hash-model.ts';
import { abandonPlace, claimPlace, makeIncomingPlace } from './incoming.ts';
import { type ScannedFile, scanDirectory } from './scan-directory.ts';

/**
 * Takes files from `incoming/`, or from the model's own directory, into the store: hashes them, renames them, and writes the manifest and
 * the registry.
 * @throws SkulkError CONFLICT if the model exists with other content, INTEGRITY if the digest is not the expected one
 */
export async function adoptModel(
  request: AdoptRequest,
  options: WorkOptions,
  context: StoreContext,
  mayReplace: PublishRequest['mayReplace'] = () => true,
): Promise<Adopted> {
  const found = await hashFound(request, options, context);
  await hashWhatIsThere(request.modelId, context, options);
  return context.writer.write(async () => {
    const planned = await planAdoption(request, found, context);
    if (!mayReplace(planned.before?.manifest.digest))
      throw new SkulkError('CONFLICT', `${request.modelId} was changed in the meantime, so it was not replaced`, {
        hint: 'run the command again',
      });
    return request.incoming === undefined
      ? takeInPlace(request, planned, context)
      : takeIncoming(request.incoming, request, planned, context);
  });
}

/** The hashed files that become a model. */
interface Found {
  readonly files: readonly ScannedFile[];
  readonly hashed: HashedModel;
  readonly manifest: Manifest;
}

/** The same with the store's current version of the model, and its new entry. */
interface PlannedAdoption extends Found {
  readonly entry: RegistryEntry;
  readonly present: RegistryEntry | undefined;
  readonly before: KnownManifest | undefined;
  /** Whether the store already has this content. */
  readonly isSame: boolean;
}

async function hashFound(request: AdoptRequest, options: WorkOptions, { layout, world }: StoreContext): Promise<Found> {
  const { modelId, incoming, origin, revision = null, digest } = request;
  const own = join(layout.root, directoryName(modelId));
  const directory = incoming === undefined ? own : join(incomingPath(layout, incoming, modelId), 'files');
  if (incoming === undefined && request.mayTakeInPlace === false && (await isTaken(directory))) throw mayBeSomebodysOwn(modelId);
  const { files } = await scanDirectory(directory);
  if (incoming === undefined && !(await isDirectoryInside(layout.root, directoryName(modelId))))
    throw new SkulkError('BAD_PATH', `${directory} is a link to a place outside the store`, {
      hint: 'copy the files there, or add them from their own directory',
    });
  const hashed = (await hashedByCaller(files, request)) ?? (await hashModel(files, options));
  const source = origin?.source ?? (incoming === undefined ? 'adopted' : 'add');
  const { commit = null, provenance, upstream } = origin ?? {};
  const listed = upstream === undefined ? hashed.files : withSideKinds(hashed.files, upstream.files);
  const manifest = makeManifest(modelId, listed, { revision, commit, source, createdAt: world.now(), provenance });
  if (digest !== undefined && digest !== manifest.digest)
    throw new SkulkError('INTEGRITY', `the files of ${modelId} changed while they were added`, {
      hint: 'run the command again; if it happens again, check the disk and the memory',
    });
  return { files, hashed, manifest };
}

/** Compares with the store's state, under its lock. Throws CONFLICT if the model cannot be published. */
async function planAdoption(
  request: AdoptRequest,
  found: Found,
  { layout, registry, records, world }: StoreContext,
): Promise<PlannedAdoption> {
  const { modelId } = request;
  const { entries } = await registry();
  refuseLookalikes(modelId, entries.keys());
  const present = entries.get(modelId);
  const before = present === undefined ? undefined : await records.read(modelId).catch(() => undefined);
  const storePath = await chooseStorePath(request, present, { root: layout.root, entries });
  const entry = makeEntry(modelId, found.manifest, { present, storePath, now: world.now() });
  return { ...found, entry, present, before, isSame: before?.manifest.digest === found.manifest.digest };
}

/** The files are already in place. */
async function takeInPlace(
  { force }: AdoptRequest,
  { files, hashed, manifest, entry, present, isSame }: PlannedAdoption,
  { layout, writer }: StoreContext,
): Promise<Adopted> {
  if (force !== true && !isSame) await refuseOtherContent(present, layout.root);
  await refuseIfChanged(files, hashed);
  await writer.carryOut({ op: 'publish', entry, manifest, seen: hashed.seen, incoming: null });
  return { entry, digest: manifest.digest, outcome: present === undefined ? 'adopted' : isSame ? 'unchanged' : 'replaced' };
}

/** Moves the files from `incoming/` into place, instead of the existing ones. */
async function takeIncoming(
  incoming: string,
  { modelId, force, origin }: AdoptRequest,
  planned: PlannedAdoption,
  context: StoreContext,
): Promise<Adopted> {
  const { files, hashed, manifest, entry, present, before, isSame } = planned;
  const { layout, writer, records } = context;
  const upstream = origin?.upstream;
  const isNews = upstream !== undefined && (before?.manifest.commit !== upstream.commit || (await records.upstream(modelId)) === undefined);
  if (
    present !== undefined &&
    before !== undefined &&
    isSame &&
    !isNews &&
    (await isUntouched(before, join(layout.root, present.store_path)))
  ) {
    await removeTree(incomingPath(layout, incoming, modelId));
    return { entry: present, digest: manifest.digest, outcome: 'unchanged' };
  }
  if (force !== true && !isSame) await refuseOtherContent(present, layout.root);
  const to = join(layout.root, entry.store_path);
  await proveReplaceable(modelId, entry.store_path, context)(to, to);
  await writer.assertHeld();
  const place = await claimPlace(layout, incoming, modelId);
  const undo = async (): Promise<void> => void (await abandonPlace(place.path));
  try {
    await refuseIfChanged(
      files.map((file) => ({ ...file, absolute: join(place.files, file.path) })),
      hashed,
    );
    await syncDirectories(place.files, files);
  } catch (error) {
    await undo();
    throw error;
  }
  const added = before === undefined ? undefined : await findAdditions(to, { before: before.manifest, manifest, files: place.files });
  const work = (): Promise<void> =>
    writer.carryOut({ op: 'publish', entry, manifest, upstream, seen: hashed.seen, incoming: place.name, added }, undo);
  // Added files do not affect users of the existing ones.
  await (present === undefined || added !== undefined ? work() : replaceWhenUnused(modelId, { work, undo }, context));
  return { entry, digest: manifest.digest, outcome: present === undefined ? 'added' : 'replaced' };
}

/** Replaces a model while nobody uses it in place. Undoes the preparation if it is in use. */
async function replaceWhenUnused(
  modelId: ModelId,
  { work, undo }: { readonly work: () => Promise<void>; readonly undo: () => Promise<void> },
  { whenUnused }: StoreContext,
): Promise<void> {
  let hasBegun = false;
  const begin = (): Promise<void> => {
    hasBegun = true;
    return work();
  };
  await whenUnused(modelId, begin).catch(async (error: unknown) => {
    if (!hasBegun) await undo();
    throw error;
  });
}

/** Takes files that this process has verified into the store; see `LocalStore.publish`. */
export async function publishModel(
  { modelId, from, files, revision, origin, mayReplace }: PublishRequest,
  options: WorkOptions,
  context: StoreContext,
): Promise<Adopted> {
  // If this process dies before the change is recorded, the next one moves the files back.
  const place = await makeIncomingPlace(context.layout, modelId, from);
  try {
    await renameDurably(from, place.files);
  } catch (error) {
    await removeTree(place.path);
    throw error;
  }
  try {
    const request = { modelId, incoming: place.name, hashed: files, ...(revision !== undefined && { revision }), origin, force: true };
    return await adoptModel(request, options, context, mayReplace);
  } catch (error) {
    await abandonPlace(place.path).catch(() => undefined);
    throw error;
  }
}

/** The caller's own digests, if they belong to exactly these files. */
async function hashedByCaller(files: readonly ScannedFile[], { hashed }: AdoptRequest): Promise<HashedModel | undefined> {
  if (hashed === undefined || hashed.length !== files.length) return undefined;
  const byPath = new Map(hashed.map((file) => [file.path, file]));
  const seen: Record<string, Fingerprint> = {};
  const looks = await mapConcurrently(files, maxOpenFiles, ({ absolute }) => readFingerprint(absolute));
  for (const [index, { path }] of files.entries()) {
    const fingerprint = looks[index];
    if (fingerprint === undefined || byPath.get(path)?.size !== fingerprint.size) return undefined;
    seen[path] = fingerprint;
  }
  const absoluteOf = new Map<string, string>(files.map(({ path, absolute }) => [path, absolute]));
  return { files: await withGgufKinds(hashed, (path) => absoluteOf.get(path) ?? path), seen };
}

/** Hashes the existing model, so that its current content can be compared, whatever program wrote it. */
async function hashWhatIsThere(modelId: ModelId, { registry, knownManifest }: StoreContext, { signal }: WorkOptions): Promise<void> {
  if (!(await registry()).entries.has(modelId)) return;
  // A registered model whose files are missing or unreadable can still be replaced.
  await knownManifest(modelId, { signal }).catch((error: unknown) => {
    if (signal.aborted || !(error instanceof SkulkError)) throw error;
  });
}

const mayBeSomebodysOwn = (modelId: ModelId): SkulkError =>
  new SkulkError('FORBIDDEN', `the directory in the place of ${modelId} may belong to someone else, so only an admin can adopt it`, {
    hint: `run \`skulk add DIRECTORY --as ${modelId}\` on the store host, as the user that runs \`skulk serve\`, or send a token with the role admin`,
  });
