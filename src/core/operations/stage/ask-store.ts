import { join } from 'node:path';
import { checkRevision, hasRevision } from '../../catalog/check-revision.ts';
import type { Companion } from '../../catalog/companions.ts';
import type { Manifest } from '../../catalog/manifest.ts';
import type { WantedFiles } from '../../catalog/selection/wanted-files.ts';
import type { Deps } from '../../connect/deps.ts';
import { type OpenedStore, openStore } from '../../connect/open-store.ts';
import { patienceOf, rememberSilence, whyOutOfReach } from '../../connect/reach-store.ts';
import type { Downloads } from '../../jobs/contract.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { patient, pause, type RetryPolicy, retrying } from '../../kernel/flow/backoff.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import { hintOfMissing, meantModel } from '../../kernel/no-such-model.ts';
import { formatAge } from '../../kernel/units.ts';
import type { LocalCopy } from '../../staging/local-copy.ts';
import type { ManifestAnswer, Store } from '../../store/contract.ts';
import { coversPart, hasPart, selectPart } from './select-part.ts';

/** What the store says of a model that is to be staged. */
export type StoreAnswer =
  /** The copy here is whole and what the store holds, or the store could not be asked. */
  | ({
      readonly state: 'current';
      readonly manifest: Manifest;
      readonly companions: readonly Companion[];
      /** The store asks something of this node. */
      readonly hasOrders: boolean;
    } & AsyncDisposable)
  | ({
      readonly state: 'manifest';
      readonly manifest: Manifest;
      readonly companions: readonly Companion[];
      readonly store: Store;
      /** The store asks something of this node. */
      readonly hasOrders: boolean;
      /** Asks once more, as the model may have been replaced meanwhile. */
      readonly askAgain: () => Promise<Manifest>;
      /** The canonical directory, when it lies on this machine. */
      readonly canonical?: string;
    } & AsyncDisposable)
  /** There is no store to ask, so the copy comes from Hugging Face itself. */
  | ({ readonly state: 'direct' } & AsyncDisposable);

/** How the store is asked. */
export interface AskOptions {
  /** Whether a model that the store lacks may be fetched now. */
  readonly dryRun: boolean;
  /** Go to Hugging Face when the store cannot be reached. */
  readonly direct: boolean;
  /** Which files are fetched of a model that the store lacks. */
  readonly wanted: WantedFiles;
  /** Takes over what the store has of a model that it downloads; runs until `hasEnded`. */
  readonly ahead: (downloads: Downloads, hasEnded: () => boolean) => Promise<void>;
}

/** Before anything was sent a person waits for the first sign: about three seconds, enough for a server that restarts. */
const askPolicy: RetryPolicy = { ...patient, attempts: 6 };

/**
 * Asks the store for a model's manifest; waits while the store still hashes it. With a whole copy here, a store that
 * cannot be reached is a warning.
 * @throws SkulkError MODEL_NOT_FOUND, REVISION_NOT_FOUND, STORE_UNREACHABLE, STORE_NOT_CONFIGURED
 */
export async function askStore(
  deps: Deps,
  ref: ModelRef,
  local: LocalCopy | undefined,
  { direct, ...asking }: AskOptions,
): Promise<StoreAnswer> {
  // Only the store can say whether the same content has another revision by now.
  const whole =
    local !== undefined && local.changed.size === 0 && hasRevision(ref, local.manifest) && coversPart(ref, local) ? local : undefined;
  const nothing = { [Symbol.asyncDispose]: async () => {} };
  let opened: OpenedStore | undefined;
  try {
    opened = await openStore(deps);
    const { manifest, companions, hasOrders } = await fetchManifest(deps, opened, ref, whole).catch(async (error: unknown) => {
      await fillGap(deps, opened, ref, { error, ...asking });
      return await fetchManifest(deps, opened as OpenedStore, ref, undefined);
    });
    if (manifest === undefined && whole !== undefined) {
      await opened[Symbol.asyncDispose]();
      return { state: 'current', manifest: whole.manifest, companions, hasOrders, ...nothing };
    }
    if (manifest === undefined) throw new Error('the store called a manifest unchanged that nobody has');
    const wanted =
      hasRevision(ref, manifest) && hasPart(ref, manifest) ? manifest : await fetchMore(deps, opened, ref, { manifest, ...asking });
    const held = opened;
    const canonical = held.localRoot === undefined ? undefined : await canonicalDirectory(held, held.localRoot, ref);
    const askAgain = async (): Promise<Manifest> => {
      const { manifest: now } = await fetchManifest(deps, held, ref, undefined);
      if (now === undefined) return wanted;
      checkRevision(ref, now);
      return now;
    };
    return {
      state: 'manifest',
      manifest: wanted,
      companions,
      hasOrders,
      askAgain,
      store: held.store,
      ...(canonical !== undefined && { canonical }),
      [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
    };
  } catch (error) {
    await opened?.[Symbol.asyncDispose]();
    if (whole === undefined && isDirect(deps, error, direct)) return { state: 'direct', ...nothing };
    if (whole === undefined || !(error instanceof SkulkError) || !isOutOfReach(error) || deps.world.signal.aborted) throw error;
    if (opened !== undefined) rememberSilence(deps, opened, error);
    deps.world.emit({
      type: 'warning',
      message: `the store could not be asked whether ${ref.modelId} changed: ${error.message}`,
      hint: `the verified copy on this machine is used; it was staged ${ageOf(whole, deps.world.now())}`,
    });
    return { state: 'current', manifest: whole.manifest, companions: whole.companions, hasOrders: false, ...nothing };
  }
}

/** Without any store Hugging Face is asked as a matter of course, instead of a store that does not answer only on demand. */
function isDirect(deps: Deps, error: unknown, direct: boolean): boolean {
  if (!(error instanceof SkulkError) || deps.world.signal.aborted) return false;
  if (!deps.config.settings.allowHubFallback.value) return false;
  return (error.code === 'STORE_NOT_CONFIGURED' && !deps.config.isStoreNamed) || (error.code === 'STORE_UNREACHABLE' && direct);
}

/**
 * Has the store fetch a model that it lacks, and waits for it. Whoever else asks meanwhile joins.
 * @throws SkulkError the given error when it does not say that the model is missing; MODEL_NOT_FOUND with the reason when nothing
 * may be fetched; what the download failed with
 */
async function fillGap(
  deps: Deps,
  opened: OpenedStore | undefined,
  ref: ModelRef,
  { error, dryRun, wanted, ahead }: { readonly error: unknown } & Pick<AskOptions, 'dryRun' | 'wanted' | 'ahead'>,
): Promise<void> {
  if (opened === undefined || !(error instanceof SkulkError) || error.code !== 'MODEL_NOT_FOUND') throw error;
  if (dryRun)
    throw new SkulkError('MODEL_NOT_FOUND', error.message, { hint: 'without --dry-run it would be asked of Hugging Face', cause: error });
  const { requireOnline } = await import('../../connect/open-hub.ts');
  const { waitForDownload } = await import('../models/downloads.ts');
  try {
    requireOnline(deps);
    const downloads = await opened.downloads();
    const asked = await downloads.ask({ ...wanted, ...ref, exact: true });
    let hasEnded = false;
    // On the store's own machine the copy is a clone, made in a moment.
    const taking = opened.localRoot === undefined && opened.url !== undefined ? ahead(downloads, () => hasEnded) : undefined;
    try {
      await waitForDownload(downloads, asked, deps.world);
    } finally {
      hasEnded = true;
      await taking;
    }
  } catch (failure) {
    if (!(failure instanceof SkulkError) || deps.world.signal.aborted) throw failure;
    const isOffline = failure.code === 'HUB_OFFLINE';
    const known = await opened.store.listModels().catch(() => []);
    const meant = meantModel(
      ref.modelId,
      known.map(({ model_id }) => model_id).filter((id) => id !== ref.modelId),
    );
    if (!isOffline && meant === undefined) throw failure;
    throw new SkulkError(
      isOffline ? 'MODEL_NOT_FOUND' : failure.code,
      isOffline ? `${error.message}, and ${failure.message}` : failure.message,
      {
        hint: [hintOfMissing(meant), failure.hint].filter((one) => one !== undefined).join('; '),
        cause: failure,
      },
    );
  }
}

/** The store has the model in another revision, or without the part, that is asked for. */
async function fetchMore(
  deps: Deps,
  opened: OpenedStore,
  ref: ModelRef,
  { manifest, ...asking }: { readonly manifest: Manifest } & Pick<AskOptions, 'dryRun' | 'wanted' | 'ahead'>,
): Promise<Manifest> {
  if (manifest.source !== 'hub') checkRevision(ref, manifest);
  if (manifest.source === 'add') selectPart(ref, manifest);
  const { revision, selector } = ref;
  const error = new SkulkError(
    'MODEL_NOT_FOUND',
    hasRevision(ref, manifest)
      ? `the store has ${ref.modelId} without ${selector}`
      : `the store has ${ref.modelId} at ${manifest.revision ?? 'another revision'}, not at ${revision}`,
  );
  await fillGap(deps, opened, ref, { error, ...asking });
  const { manifest: now } = await fetchManifest(deps, opened, ref, undefined);
  if (now === undefined) throw new Error('the store called a manifest unchanged that nobody has');
  checkRevision(ref, now);
  return now;
}

const isOutOfReach = ({ code }: SkulkError): boolean =>
  code === 'STORE_UNREACHABLE' || code === 'STORE_NOT_CONFIGURED' || code === 'STORE_BUSY';

/** The manifest, or undefined when it is the one that is here, and what the model's card names. */
async function fetchManifest(
  deps: Deps,
  opened: OpenedStore,
  { modelId }: ModelRef,
  whole: LocalCopy | undefined,
): Promise<{ readonly manifest: Manifest | undefined; readonly companions: readonly Companion[]; readonly hasOrders: boolean }> {
  const { world } = deps;
  const { store, url } = opened;
  const knownDigest = whole?.part?.of ?? whole?.manifest.digest;
  if (whole !== undefined) {
    const failure = await whyOutOfReach(deps, opened);
    if (failure !== undefined) throw failure;
    const answer = await store.manifest(modelId, {
      ...(knownDigest !== undefined && { knownDigest }),
      signal: world.signal,
      silenceMs: patienceOf(world).answerMs,
    });
    // While the store hashes, nothing speaks against the copy that is here.
    if (answer.state === 'hashing') return { manifest: undefined, companions: whole.companions, hasOrders: false };
    const { companions, hasOrders = false } = answer;
    return {
      manifest: answer.state === 'unchanged' || answer.manifest.digest === knownDigest ? undefined : answer.manifest,
      companions,
      hasOrders,
    };
  }
  const { isTransient } = await import('../../client/http/transient.ts');
  let announced = false;
  for (;;) {
    const answer: ManifestAnswer = await retrying(
      (attempt) => {
        if (attempt === 2) world.emit({ type: 'waiting', message: `the store at ${store.location} does not answer yet; trying again` });
        return store.manifest(modelId, { signal: world.signal });
      },
      { policy: askPolicy, signal: world.signal, isTransient: (error) => isTransient(error) && url !== undefined },
    );
    if (answer.state === 'ready') return { hasOrders: false, ...answer };
    if (answer.state === 'hashing') {
      if (!announced) world.emit({ type: 'waiting', message: `the store is hashing ${modelId} for the first time` });
      announced = true;
      await pause(answer.retryAfterMs, world.signal);
    }
  }
}

/** How old a copy is, for a sentence. */
function ageOf({ stagedAt }: LocalCopy, now: Date): string {
  const age = stagedAt === undefined ? '' : formatAge(stagedAt, now);
  return age === '' ? 'at an unknown time' : `${age} (${stagedAt})`;
}

async function canonicalDirectory({ store }: OpenedStore, root: string, { modelId }: ModelRef): Promise<string | undefined> {
  const entry = (await store.listModels()).find(({ model_id }) => model_id === modelId);
  return entry === undefined ? undefined : join(root, entry.store_path);
}
