import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeManifest, type Manifest, totalBytes } from '../catalog/manifest.ts';
import { isProjector } from '../catalog/model-files.ts';
import { SkulkError } from '../kernel/errors.ts';
import { directoryName, type ModelId } from '../kernel/model-id.ts';
import type { World } from '../kernel/world.ts';
import { readFingerprint, untouchedBetween } from '../transfer/fingerprint.ts';
import { removeTree } from '../transfer/remove-tree.ts';
import type { Adopted, AdoptRequest, RegistryEntry, WorkOptions } from './contract.ts';
import { type HashedModel, hashModel } from './hash-model.ts';
import { incomingPath, type StoreLayout } from './layout.ts';
import type { KnownManifest } from './model-records.ts';
import { scanDirectory, type ScannedFile } from './scan-directory.ts';
import type { Registry } from './registry.ts';
import type { StoreWriter } from './store-writer.ts';

/** What `adoptModel` needs of the store around it. */
export interface AdoptContext {
  readonly layout: StoreLayout;
  readonly world: World;
  readonly writer: StoreWriter;
  readonly registry: () => Promise<Registry>;
  /** The manifest of a model that is registered, hashing it first if need be. */
  readonly knownManifest: (modelId: ModelId, options: WorkOptions) => Promise<KnownManifest | undefined>;
}

/**
 * Takes files that lie in `incoming/`, or in the model's own place, into the store: hashed, then renamed, manifest, registry.
 * @throws SkulkError CONFLICT when the model is there with other content, INTEGRITY when the digest is not the promised one
 */
export async function adoptModel(request: AdoptRequest, options: WorkOptions, context: AdoptContext): Promise<Adopted> {
  const { layout, world, writer } = context;
  const { modelId, incoming } = request;
  const directory = incoming === undefined ? join(layout.root, directoryName(modelId)) : join(incomingPath(layout, incoming, modelId), 'files');
  const { files } = await scanDirectory(directory);
  const hashed = hashedByCaller(files, request) ?? (await hashModel(files, options));
  const source = incoming === undefined ? 'adopted' : 'add';
  const manifest = makeManifest(modelId, hashed.files, { revision: request.revision ?? null, source, createdAt: world.now() });
  if (request.digest !== undefined && request.digest !== manifest.digest) {
    throw new SkulkError('INTEGRITY', `the files of ${modelId} changed on their way into the store`, { hint: 'run the command again; if it happens again, check the disk and the memory' });
  }
  const before = await whatIsThere(modelId, context, options);
  return writer.write(async () => {
    const registry = await context.registry();
    refuseLookalikes(modelId, registry);
    const present = registry.entries.get(modelId);
    if (present !== undefined && before?.digest === manifest.digest && incoming !== undefined) {
      await removeTree(incomingPath(layout, incoming, modelId));
      return { entry: present, digest: manifest.digest, outcome: 'unchanged' };
    }
    if (request.force !== true) await refuseToReplace({ modelId, present, before, manifest, layout, inPlace: incoming === undefined });
    refuseIfChanged(files, hashed);
    const entry = makeEntry(modelId, manifest, present, world.now());
    await writer.carryOut({ op: 'publish', entry, manifest, seen: hashed.seen, incoming: incoming ?? null });
    const outcome = present === undefined ? (incoming === undefined ? 'adopted' : 'added') : before?.digest === manifest.digest ? 'unchanged' : 'replaced';
    return { entry, digest: manifest.digest, outcome };
  });
}

/** The caller's own digests, if they are for exactly these files. */
function hashedByCaller(files: readonly ScannedFile[], { hashed }: AdoptRequest): HashedModel | undefined {
  if (hashed === undefined || hashed.length !== files.length) return undefined;
  const byPath = new Map(hashed.map((file) => [file.path, file]));
  const seen: Record<string, NonNullable<ReturnType<typeof readFingerprint>>> = {};
  for (const { path, absolute } of files) {
    const fingerprint = readFingerprint(absolute);
    if (fingerprint === undefined || byPath.get(path)?.size !== fingerprint.size) return undefined;
    seen[path] = fingerprint;
  }
  return { files: hashed, seen };
}

async function whatIsThere(modelId: ModelId, { registry, knownManifest }: AdoptContext, { signal }: WorkOptions): Promise<Manifest | undefined> {
  if (!(await registry()).entries.has(modelId)) return undefined;
  // A model that is registered but gone or unreadable on the disk is no obstacle to bringing it back.
  const known = await knownManifest(modelId, { signal }).catch((error: unknown) => {
    if (error instanceof SkulkError && error.code !== 'INTERRUPTED' && error.code !== 'TERMINATED') return undefined;
    throw error;
  });
  return known?.manifest;
}

/** On a disk that ignores case, two ids that differ only in it would share a directory. */
function refuseLookalikes(modelId: ModelId, { entries }: Registry): void {
  for (const other of entries.keys()) {
    if (other !== modelId && other.toLowerCase() === modelId.toLowerCase()) {
      throw new SkulkError('CONFLICT', `the store has ${other}, which differs from ${modelId} only in upper and lower case`, { hint: `use ${other}, or delete it first` });
    }
  }
}

async function refuseToReplace({ modelId, present, before, manifest, layout, inPlace }: {
  modelId: ModelId;
  present: RegistryEntry | undefined;
  before: Manifest | undefined;
  manifest: Manifest;
  layout: StoreLayout;
  inPlace: boolean;
}): Promise<void> {
  if (present !== undefined && before !== undefined && before.digest !== manifest.digest) {
    throw new SkulkError('CONFLICT', `${modelId} is in the store with other content`, { hint: 'add --force to replace it, or give another name with --as' });
  }
  if (inPlace || present !== undefined) return;
  const place = join(layout.root, directoryName(modelId));
  const taken = await stat(place).then(
    () => true,
    () => false,
  );
  if (taken) {
    throw new SkulkError('CONFLICT', `${place} is there, but not in the registry`, {
      hint: `take it into the store as it is: skulk add ${place} --as ${modelId}; or add --force to replace it`,
    });
  }
}

function refuseIfChanged(files: readonly ScannedFile[], { seen }: HashedModel): void {
  for (const { path, absolute } of files) {
    if (untouchedBetween(seen[path], readFingerprint(absolute))) continue;
    throw new SkulkError('INTEGRITY', `${absolute} changed after it was hashed`, { hint: 'wait until nothing writes to it, then run the command again' });
  }
}

function makeEntry(modelId: ModelId, { files }: Manifest, present: RegistryEntry | undefined, now: Date): RegistryEntry {
  const paths = files.map(({ path }) => path);
  return {
    model_id: modelId,
    store_path: present?.store_path ?? directoryName(modelId),
    files: paths,
    downloaded_at: now.toISOString(),
    total_bytes: totalBytes(files),
    repo_has_projector: paths.some(isProjector) || (present?.repo_has_projector ?? false),
  };
}
