import { join } from 'node:path';
import { checkRevision, hasRevision } from '../../catalog/check-revision.ts';
import type { Deps } from '../../connect/deps.ts';
import { type OpenedStore, openStore } from '../../connect/open-store.ts';
import { rememberSilence } from '../../connect/reach-store.ts';
import { readFromSecond, refuseSilent } from '../../connect/second-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import { formatAge } from '../../kernel/units.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { LocalCopy } from '../../staging/local-copy.ts';
import type { Store } from '../../store/contract.ts';
import type { ListedFiles, ListedModel } from '../../store/listed-contract.ts';
import { type FetchedManifest, fetchIfChanged, fetchManifest } from './fetch-manifest.ts';
import type { ModelStage } from './model-stage.ts';
import { type DownloadOptions, requestDownload, requestMissingPart } from './request-download.ts';
import { hasPart, type SelectedPart } from './select-part.ts';
import { findHere, isWholeModel, mayLackDraft } from './wanted-part.ts';

/** An undamaged copy with the requested part. */
type UsableCopy = LocalCopy & { readonly part: SelectedPart };

/** The store's answer about a model to stage. */
export type StoreAnswer =
  /** The local copy is complete, and it matches the store unless the store could not be asked. */
  | ({ readonly state: 'current'; readonly part: SelectedPart; readonly isChecked: boolean } & FetchedManifest & AsyncDisposable)
  | ({
      readonly state: 'manifest';
      readonly manifest: Manifest;
      readonly store: Store;
      /** Whether it is a second store, which answers while the store cannot be reached. */
      readonly isSecond: boolean;
      /** Asks once more, because the model may have been replaced in the meantime. */
      readonly askAgain: () => Promise<Manifest>;
      /** The canonical directory, if it is on this machine. */
      readonly canonical?: string;
    } & FetchedManifest &
      AsyncDisposable)
  /** The store has no manifests, so its files are hashed here. */
  | ({
      readonly state: 'listed';
      readonly model: ListedModel;
      readonly files: ListedFiles;
      /** The location of the store, for messages. */
      readonly location: string;
      readonly askAgain: () => Promise<ListedModel>;
    } & FetchedManifest &
      AsyncDisposable)
  /** There is no store, so the copy comes from Hugging Face directly. */
  | ({ readonly state: 'direct' } & AsyncDisposable);

/** Options for asking the store. */
export interface AskOptions extends DownloadOptions {
  /** Use Hugging Face if the store is unreachable. */
  readonly direct: boolean;
}

const nothingOpen: AsyncDisposable = { [Symbol.asyncDispose]: async () => {} };

/**
 * Asks the store for a model's manifest, and lets it download missing parts. If there is a usable copy here, an unreachable store is only
 * a warning.
 * @throws SkulkError MODEL_NOT_FOUND, REVISION_NOT_FOUND, STORE_UNREACHABLE, STORE_NOT_CONFIGURED
 */
export async function askStore(
  { deps, ref, card, options: { needs } }: ModelStage,
  local: LocalCopy | undefined,
  { direct, ...options }: AskOptions,
): Promise<StoreAnswer> {
  // Only the store knows whether the same content has another revision by now.
  const part = local === undefined ? undefined : findHere(ref, local, card?.ggufFile, needs);
  const companions = card?.companions ?? local?.companions ?? [];
  const isUsable = local !== undefined && part !== undefined && !mayLackDraft(ref, part, { needs, companions });
  const copy = isUsable ? { ...local, part } : undefined;
  let opened: OpenedStore | undefined;
  try {
    opened = await openStore(deps);
    if (copy === undefined) await refuseSilent(deps, opened);
    return await askOpened(deps, opened, ref, { copy, ownPin: card?.ggufFile, ...options });
  } catch (error) {
    await opened?.[Symbol.asyncDispose]();
    if (deps.world.signal.aborted || !(error instanceof SkulkError)) throw error;
    if (copy === undefined) {
      const ask = (second: OpenedStore) => askSecond(deps, second, ref, { ownPin: card?.ggufFile, ...options });
      const { value } = await readFromSecond(deps, error, ask).catch((failure: unknown): { readonly value: StoreAnswer } => {
        if (!mayGoDirect(deps, error, direct)) throw failure;
        return { value: { state: 'direct', ...nothingOpen } };
      });
      return value;
    }
    if (isRefusal(error))
      throw new SkulkError(error.code, error.message, {
        hint: `${error.hint}; to use the copy on this machine: --offline`,
        cause: error.cause,
      });
    if (!isOutOfReach(error)) throw error;
    if (opened !== undefined) rememberSilence(deps, opened, error);
    return useWithoutStore(deps, copy, error);
  }
}

/** The answer of a second store. It downloads nothing, and knows nothing about orders for this node. */
async function askSecond(
  deps: Deps,
  opened: OpenedStore,
  ref: ModelRef,
  options: { readonly ownPin: string | undefined } & DownloadOptions,
): Promise<StoreAnswer> {
  try {
    const answer = await askOpened(deps, opened, ref, { copy: undefined, ...options, isReadOnly: true });
    return answer.state === 'direct' ? answer : { ...answer, hasOrders: false };
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}

/** The answer of an open store. The caller closes the store together with the answer. */
async function askOpened(
  deps: Deps,
  opened: OpenedStore,
  ref: ModelRef,
  { copy, ownPin, ...options }: { readonly copy: UsableCopy | undefined; readonly ownPin: string | undefined } & DownloadOptions,
): Promise<StoreAnswer> {
  // Without a selector, the choice is made among everything that the store has.
  const isDecidable = copy !== undefined && (ref.selector !== undefined || isWholeModel(copy));
  const known = copy === undefined ? undefined : { ...copy, knownDigest: isDecidable ? copy.of : undefined };
  const asked = await (known === undefined ? fetchManifest(deps, opened, ref) : fetchIfChanged(deps, opened, ref, known)).catch(
    async (missing: unknown) => {
      await requestDownload(deps, opened, ref, { missing, ...options });
      return await fetchManifest(deps, opened, ref);
    },
  );
  const pin = ownPin ?? asked.pin;
  const { companions, hasOrders } = asked;
  let said: FetchedManifest = { companions, hasOrders, ...(pin !== undefined && { pin }), ...problemsIn(asked) };
  if (asked.model !== undefined) return await askListed(deps, opened, ref, { model: asked.model, said, copy, pin, ...options });
  if (asked.manifest === undefined) {
    if (copy === undefined) throw new Error('the store reported an unknown manifest as unchanged');
    await opened[Symbol.asyncDispose]();
    const part = findHere(ref, copy, pin, options.needs) ?? copy.part;
    return { state: 'current', ...said, part, isChecked: asked.isHashing !== true, ...nothingOpen };
  }
  let { manifest } = asked;
  const askFully = async (): Promise<{ readonly manifest: Manifest } & FetchedManifest> => {
    const { manifest: now, ...rest } = await fetchManifest(deps, opened, ref);
    if (now === undefined) throw changedKind(opened);
    checkRevision(ref, now);
    return { ...rest, manifest: now };
  };
  const askAgain = async (): Promise<Manifest> => (await askFully()).manifest;
  if (!hasRevision(ref, manifest) || !hasPart(ref, manifest)) {
    await requestMissingPart(deps, opened, ref, { manifest, ...options });
    const now = await askFully();
    manifest = now.manifest;
    const { problems: _, ...rest } = said;
    said = { ...rest, ...problemsIn(now) };
  }
  const canonical = await canonicalDirectory(opened, ref);
  return {
    state: 'manifest',
    ...said,
    manifest,
    askAgain,
    store: opened.store,
    isSecond: options.isReadOnly === true,
    ...(canonical !== undefined && { canonical }),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

const problemsIn = ({ problems }: FetchedManifest): Pick<FetchedManifest, 'problems'> => (problems === undefined ? {} : { problems });

/** The answer of a store without manifests. It downloads missing parts of the model. */
async function askListed(
  deps: Deps,
  opened: OpenedStore,
  ref: ModelRef,
  {
    said,
    copy,
    pin,
    ...asked
  }: {
    readonly model: ListedModel;
    readonly said: FetchedManifest;
    readonly copy: UsableCopy | undefined;
    readonly pin: string | undefined;
  } & DownloadOptions,
): Promise<StoreAnswer> {
  const { listed } = opened.store;
  if (listed === undefined) throw changedKind(opened);
  let { model } = asked;
  const askAgain = async (): Promise<ListedModel> => {
    const { model: now } = await fetchManifest(deps, opened, ref);
    if (now === undefined) throw changedKind(opened);
    return now;
  };
  if (!hasPart(ref, { files: model.files.map((path) => ({ path, size: 0 })) })) {
    const missing = new SkulkError('MODEL_NOT_FOUND', `the store has ${ref.modelId} without ${ref.selector}`);
    await requestDownload(deps, opened, ref, { missing, ...asked });
    model = await askAgain();
  }
  const { findListed } = await import('./listed/find-listed.ts');
  const part = copy === undefined ? undefined : findListed(ref, copy, { model, pin, needs: asked.needs });
  if (part !== undefined) {
    await opened[Symbol.asyncDispose]();
    return { state: 'current', ...said, part, isChecked: true, ...nothingOpen };
  }
  return {
    state: 'listed',
    ...said,
    model,
    files: listed,
    location: opened.store.location,
    askAgain,
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

const changedKind = ({ store }: OpenedStore): SkulkError =>
  new SkulkError('STORE_UNREACHABLE', `the program that answers at ${store.location} has changed`, { hint: 'try again' });

/** Without any store, Hugging Face is used by default. If a store does not answer, it is used only on request. */
function mayGoDirect({ config }: Deps, { code }: SkulkError, direct: boolean): boolean {
  if (!config.settings.allowHubFallback.value) return false;
  // A disabled store counts as not configured.
  const hasNone = !config.isStoreNamed || !config.settings.enabled.value;
  return (code === 'STORE_NOT_CONFIGURED' && hasNone) || (code === 'STORE_UNREACHABLE' && direct);
}

/** Whether the store answered, but not this client. */
const isRefusal = ({ cause }: SkulkError): boolean =>
  cause instanceof SkulkError && (cause.code === 'UNAUTHORIZED' || cause.code === 'FORBIDDEN');

const isOutOfReach = ({ code }: SkulkError): boolean =>
  code === 'STORE_UNREACHABLE' || code === 'STORE_NOT_CONFIGURED' || code === 'STORE_BUSY';

function useWithoutStore({ world }: Deps, { part, companions, stagedAt }: UsableCopy, error: SkulkError): StoreAnswer {
  const age = stagedAt === undefined ? '' : formatAge(stagedAt, world.now());
  world.emit({
    type: 'warning',
    message: `cannot check whether ${part.manifest.model_id} has changed in the store: ${error.message}`,
    hint: `using the verified copy on this machine, which was staged ${age === '' ? 'at an unknown time' : `${age} (${stagedAt})`}`,
  });
  // The store's other files are unknown.
  return { state: 'current', part: { ...part, missingPin: undefined }, companions, hasOrders: false, isChecked: false, ...nothingOpen };
}

async function canonicalDirectory({ store, localRoot }: OpenedStore, { modelId }: ModelRef): Promise<string | undefined> {
  if (localRoot === undefined) return undefined;
  const entry = (await store.listModels()).find(({ model_id }) => model_id === modelId);
  return entry === undefined ? undefined : join(localRoot, entry.store_path);
}
