import { join } from 'node:path';
import { checkRevision } from '../catalog/check-revision.ts';
import type { Companion } from '../catalog/companions.ts';
import { SkulkError } from '../kernel/errors.ts';
import { pause } from '../kernel/flow/backoff.ts';
import type { ModelId, ModelRef } from '../kernel/model-id.ts';
import { readLock } from '../kernel/process/lock.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { ModelProblem } from '../protocol/models/entries.ts';
import { isSameDirectory, isStore } from '../staging/same-place.ts';
import type { Store } from '../store/contract.ts';
import type { LocalStore } from '../store/local-store.ts';
import type { Deps } from './deps.ts';
import { openStore } from './open-store.ts';

/**
 * Whether staging a model returns its canonical directory: on the store host if its cache is the store, or if staging is off there.
 * @throws SkulkError CONFIG if the cache is this machine's store, and another store is requested
 */
export async function isStagedInPlace(deps: Deps, { offline }: { readonly offline: boolean }): Promise<boolean> {
  const { nodeCachePath, stagingEnabled, storePath, storeUrl } = deps.config.settings;
  if (deps.config.isStoreHost && !stagingEnabled.value) return true;
  if (!(await isSameDirectory(nodeCachePath.value, storePath.value))) return false;
  if (deps.config.isStoreHost) return true;
  if (!(await isStore(storePath.value))) return false;
  if (offline || (await isOwnStore(deps, storePath.value))) return true;
  throw new SkulkError(
    'CONFIG',
    `node_cache_path ${nodeCachePath.value} is this machine's own store, but the store at ${storeUrl.value ?? 'another host'} was requested`,
    {
      hint: 'set staging.node_cache_path to a directory outside the store, or unset SKULK_STORE (--store) on the store host',
    },
  );
}

/** A store that knows the token of the lock on this disk is the server of this disk, at any address. */
async function isOwnStore(deps: Deps, root: string): Promise<boolean> {
  const { storeLayout } = await import('../store/layout.ts');
  const holder = await readLock(storeLayout(root).lock);
  if (holder === undefined) return false;
  await using opened = await openStore(deps);
  return (await opened.store.health()).instance === holder.token;
}

/** A model in this machine's store. */
export interface CanonicalModel {
  readonly path: string;
  readonly manifest: Manifest;
  readonly companions: readonly Companion[];
  /** The file in the model's card. */
  readonly pin?: string;
  /** Why no program can load it. */
  readonly problems?: readonly ModelProblem[];
}

/**
 * The canonical directory of a model on the store host, for a node that stages in place. Nothing is copied; the files must match the
 * manifest. `offline` reads the disk without the server.
 * @throws SkulkError MODEL_NOT_FOUND, REVISION_NOT_FOUND, INTEGRITY, STORE_BUSY if offline and not hashed yet
 */
export async function resolveCanonical(deps: Deps, ref: ModelRef, { offline }: { readonly offline: boolean }): Promise<CanonicalModel> {
  const { modelId } = ref;
  const root = deps.config.settings.storePath.value;
  const { openDiskStore } = await import('../store/disk-store.ts');
  const disk = openDiskStore({ root, world: deps.world, nodeId: deps.config.nodeId, cardsPath: deps.config.settings.cardsPath.value });
  try {
    await using opened = offline ? undefined : await openStore(deps);
    const { manifest, ...said } = await readManifest(deps, opened?.store ?? disk, { modelId, offline });
    checkRevision(ref, manifest);
    return { path: await checkEveryFile(disk, manifest), manifest, ...said };
  } finally {
    await disk.close();
  }
}

async function readManifest(
  { world }: Deps,
  store: Store,
  { modelId, offline }: { modelId: ModelId; offline: boolean },
): Promise<Omit<CanonicalModel, 'path'>> {
  for (let announced = false; ; announced = true) {
    const answer = await store.manifest(modelId, { signal: world.signal });
    if (answer.state === 'ready') {
      const { manifest, companions, pin, problems } = answer;
      return { manifest, companions, ...(pin !== undefined && { pin }), ...(problems !== undefined && { problems }) };
    }
    if (offline) throw new SkulkError('STORE_BUSY', `${modelId} has not been hashed yet`, { hint: 'run it again without --offline' });
    if (answer.state === 'hashing' && !announced)
      world.emit({ type: 'waiting', message: `the store is hashing ${modelId} for the first time` });
    await pause(answer.state === 'hashing' ? answer.retryAfterMs : 0, world.signal);
  }
}

/** Opening checks a file against its manifest without reading it, unless it was touched. */
async function checkEveryFile(disk: LocalStore, { model_id, files }: Manifest): Promise<string> {
  const entry = (await disk.listModels()).find((known) => known.model_id === model_id);
  if (entry === undefined)
    throw new SkulkError('MODEL_NOT_FOUND', `${model_id} is not in the store`, { hint: '`skulk registry` lists the models' });
  for (const { path } of files) await (await disk.openFile(model_id, path))[Symbol.asyncDispose]();
  return join(disk.root, entry.store_path);
}
