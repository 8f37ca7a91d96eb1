import { lstat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Manifest, makeManifest, totalBytes } from '../../catalog/manifest.ts';
import { isProjector } from '../../catalog/selection/projectors.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { renameDurably, syncDirectory } from '../../kernel/files/durable-file.ts';
import { filesAtOnce, mapAtOnce } from '../../kernel/flow/at-once.ts';
import { forEachInTurns } from '../../kernel/flow/in-turns.ts';
import { directoryName, type ModelId } from '../../kernel/model-id.ts';
import type { World } from '../../kernel/world.ts';
import { type Fingerprint, lookAtFile, untouchedBetween } from '../../transfer/fingerprint.ts';
import { removeTree } from '../../transfer/trash.ts';
import type { Adopted, AdoptRequest, PublishRequest, RegistryEntry, WorkOptions } from '../contract.ts';
import { findSharer, isDirectoryInside, isPlaceInside } from '../disk/inside-store.ts';
import { incomingPath, type StoreLayout } from '../layout.ts';
import { proveReplaceable } from '../own-model.ts';
import type { KnownManifest, ModelRecords } from '../records/model-records.ts';
import type { Registry } from '../records/registry.ts';
import type { StoreWriter } from '../store-writer.ts';
import { type HashedModel, hashModel } from './hash-model.ts';
import { abandonPlace, claimPlace, makeIncomingPlace } from './incoming.ts';
import { type ScannedFile, scanDirectory } from './scan-directory.ts';

/** What `adoptModel` needs of the store around it. */
export interface AdoptContext {
  readonly layout: StoreLayout;
  readonly world: World;
  readonly writer: StoreWriter;
  readonly registry: () => Promise<Registry>;
  readonly records: ModelRecords;
  /** The manifest of a model that is registered, hashing it first if need be. */
  /** Runs a change to a model's files while no process uses them where they lie. */
  readonly whenUnused: <T>(modelId: ModelId, work: () => Promise<T>) => Promise<T>;
  readonly knownManifest: (modelId: ModelId, options: WorkOptions) => Promise<KnownManifest | undefined>;
}

/**
 * Takes files that lie in `incoming/`, or in the model's own place, into the store: hashed, then renamed, manifest, registry.
 * @throws SkulkError CONFLICT when the model is there with other content, INTEGRITY when the digest is not the promised one
 */
export async function adoptModel(request: AdoptRequest, options: WorkOptions, context: AdoptContext): Promise<Adopted> {
  const { layout, world, writer, records } = context;
  const { modelId, incoming } = request;
  const directory =
    incoming === undefined ? join(layout.root, directoryName(modelId)) : join(incomingPath(layout, incoming, modelId), 'files');
  if (incoming === undefined && request.mayTakeInPlace === false && (await isThere(directory)))
    throw new SkulkError(
      'FORBIDDEN',
      `a directory that lies in the place of ${modelId} may be somebody's own, and is not taken for everybody who asks`,
      {
        hint: `run \`skulk add DIRECTORY --as ${modelId}\` on the store host, as the user that runs \`skulk serve\`, or show a token of role admin`,
      },
    );
  const { files } = await scanDirectory(directory);
  if (incoming === undefined && !(await isDirectoryInside(layout.root, directoryName(modelId)))) {
    throw new SkulkError('BAD_PATH', `${directory} leads out of the store`, {
      hint: 'put the files there themselves, or add them from where they are',
    });
  }
  const hashed = (await hashedByCaller(files, request)) ?? (await hashModel(files, options));
  const upstream = request.origin?.upstream;
  const source = request.origin?.source ?? (incoming === undefined ? 'adopted' : 'add');
  const manifest = makeManifest(modelId, hashed.files, {
    revision: request.revision ?? null,
    commit: request.origin?.commit ?? null,
    source,
    createdAt: world.now(),
  });
  if (request.digest !== undefined && request.digest !== manifest.digest) {
    throw new SkulkError('INTEGRITY', `the files of ${modelId} changed on their way into the store`, {
      hint: 'run the command again; if it happens again, check the disk and the memory',
    });
  }
  await hashWhatIsThere(modelId, context, options);
  const replace = (work: () => Promise<void>, undo: () => Promise<void>): Promise<void> => {
    let hasBegun = false;
    const begin = (): Promise<void> => {
      hasBegun = true;
      return work();
    };
    return context.whenUnused(modelId, begin).catch(async (error: unknown) => {
      if (!hasBegun) await undo();
      throw error;
    });
  };
  return writer.write(async () => {
    const { entries } = await context.registry();
    refuseLookalikes(modelId, entries.keys());
    const present = entries.get(modelId);
    const before = present === undefined ? undefined : await records.read(modelId).catch(() => undefined);
    const isSame = before?.manifest.digest === manifest.digest;
    const storePath = await chooseStorePath(request, present, { root: layout.root, entries });
    const entry = makeEntry(modelId, manifest, { present, storePath, now: world.now() });
    if (incoming === undefined) {
      if (!request.force && !isSame) await refuseOtherContent(present, layout.root);
      await refuseIfChanged(files, hashed);
      await writer.carryOut({ op: 'publish', entry, manifest, seen: hashed.seen, incoming: null });
      return { entry, digest: manifest.digest, outcome: present === undefined ? 'adopted' : isSame ? 'unchanged' : 'replaced' };
    }
    const isNews =
      upstream !== undefined && (before?.manifest.commit !== upstream.commit || (await records.upstream(modelId)) === undefined);
    if (present !== undefined && isSame && !isNews && (await isUntouched(before, join(layout.root, present.store_path)))) {
      await removeTree(incomingPath(layout, incoming, modelId));
      return { entry: present, digest: manifest.digest, outcome: 'unchanged' };
    }
    if (!request.force && !isSame) await refuseOtherContent(present, layout.root);
    await proveReplaceable(modelId, storePath, context)(join(layout.root, storePath), join(layout.root, storePath));
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
    const work = (): Promise<void> =>
      writer.carryOut({ op: 'publish', entry, manifest, upstream, seen: hashed.seen, incoming: place.name }, undo);
    await (present === undefined ? work() : replace(work, undo));
    return { entry, digest: manifest.digest, outcome: present === undefined ? 'added' : 'replaced' };
  });
}

/** Takes files that this process has verified into the store; see `LocalStore.publish`. */
export async function publishModel(
  { modelId, from, files, revision, origin }: PublishRequest,
  options: WorkOptions,
  context: AdoptContext,
): Promise<Adopted> {
  // Should this process die before the change is written down, the next one puts the files back.
  const place = await makeIncomingPlace(context.layout, modelId, from);
  try {
    await renameDurably(from, place.files);
  } catch (error) {
    await removeTree(place.path);
    throw error;
  }
  try {
    return await adoptModel({ modelId, incoming: place.name, hashed: files, revision, origin, force: true }, options, context);
  } catch (error) {
    await abandonPlace(place.path).catch(() => undefined);
    throw error;
  }
}

/** The caller's own digests, if they are for exactly these files. */
async function hashedByCaller(files: readonly ScannedFile[], { hashed }: AdoptRequest): Promise<HashedModel | undefined> {
  if (hashed === undefined || hashed.length !== files.length) return undefined;
  const byPath = new Map(hashed.map((file) => [file.path, file]));
  const seen: Record<string, Fingerprint> = {};
  const looks = await mapAtOnce(files, filesAtOnce, ({ absolute }) => lookAtFile(absolute));
  for (const [index, { path }] of files.entries()) {
    const fingerprint = looks[index];
    if (fingerprint === undefined || byPath.get(path)?.size !== fingerprint.size) return undefined;
    seen[path] = fingerprint;
  }
  return { files: hashed, seen };
}

/** So that what the model is now can be compared, whoever wrote it. */
async function hashWhatIsThere(modelId: ModelId, { registry, knownManifest }: AdoptContext, { signal }: WorkOptions): Promise<void> {
  if (!(await registry()).entries.has(modelId)) return;
  // A model that is registered but gone or unreadable on the disk is no obstacle to bringing it back.
  await knownManifest(modelId, { signal }).catch((error: unknown) => {
    if (signal.aborted || !(error instanceof SkulkError)) throw error;
  });
}

/** On a disk that ignores case, two ids that differ only in it would share a directory. */
function refuseLookalikes(modelId: ModelId, others: Iterable<ModelId>): void {
  for (const other of others) {
    if (other !== modelId && other.toLowerCase() === modelId.toLowerCase()) {
      throw new SkulkError('CONFLICT', `the store has ${other}, which differs from ${modelId} only in upper and lower case`, {
        hint: `use ${other}, or delete it first`,
      });
    }
  }
}

/** The directory that the registry names, unless replacing that would touch another model or something outside the store. */
async function chooseStorePath(
  { modelId, incoming }: AdoptRequest,
  present: RegistryEntry | undefined,
  { root, entries }: { readonly root: string; readonly entries: Registry['entries'] },
): Promise<string> {
  const isOwnAlone =
    present !== undefined &&
    findSharer(present.store_path, modelId, entries.values()) === undefined &&
    (await isPlaceInside(root, present.store_path));
  if (incoming !== undefined && isOwnAlone) return present.store_path;
  const usual = directoryName(modelId);
  const sharer = findSharer(usual, modelId, entries.values());
  if (sharer === undefined) return usual;
  throw new SkulkError('CONFLICT', `the directory of ${modelId}, ${usual}, belongs to ${sharer.model_id} in the registry`, {
    hint: `delete ${sharer.model_id} first, or mend its store_path in registry.json`,
  });
}

async function refuseOtherContent(present: RegistryEntry | undefined, root: string): Promise<void> {
  if (present === undefined || !(await isDirectoryInside(root, present.store_path))) return;
  throw new SkulkError('CONFLICT', `${present.model_id} is in the store with other content`, {
    hint: 'add --force to replace it, or give another name with --as',
  });
}

/** Whether every file of a model still looks as it did when it was hashed. */
async function isUntouched({ manifest, seen }: KnownManifest, directory: string): Promise<boolean> {
  const verdicts = await mapAtOnce(manifest.files, filesAtOnce, async ({ path }) =>
    untouchedBetween(seen[path], await lookAtFile(join(directory, path))),
  );
  return verdicts.every(Boolean);
}

async function refuseIfChanged(files: readonly ScannedFile[], { seen }: HashedModel): Promise<void> {
  await mapAtOnce(files, filesAtOnce, async ({ path, absolute }) => {
    if (untouchedBetween(seen[path], await lookAtFile(absolute))) return;
    throw new SkulkError('INTEGRITY', `${absolute} changed after it was hashed`, {
      hint: 'wait until nothing writes to it, then run the command again',
    });
  });
}

/** Makes the names of the files survive a power cut; their content does already. */
async function syncDirectories(root: string, files: readonly ScannedFile[]): Promise<void> {
  const directories = new Set([root]);
  await forEachInTurns(files, ({ path }) => {
    for (let at = dirname(path); at !== '.'; at = dirname(at)) directories.add(join(root, at));
  });
  for (const directory of directories) await syncDirectory(directory);
}

function makeEntry(
  modelId: ModelId,
  { files }: Manifest,
  { present, storePath, now }: { readonly present: RegistryEntry | undefined; readonly storePath: string; readonly now: Date },
): RegistryEntry {
  const paths = files.map(({ path }) => path);
  return {
    model_id: modelId,
    store_path: storePath,
    files: paths,
    downloaded_at: now.toISOString(),
    total_bytes: totalBytes(files),
    repo_has_projector: paths.some(isProjector) || (present?.repo_has_projector ?? false),
  };
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );
