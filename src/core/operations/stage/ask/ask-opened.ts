import { join } from 'node:path';
import { checkRevision, hasRevision } from '../../../catalog/check-revision.ts';
import type { Deps } from '../../../connect/deps.ts';
import type { OpenedStore } from '../../../connect/open-store.ts';
import type { ModelRef } from '../../../kernel/model-id.ts';
import type { Manifest } from '../../../protocol/manifest.ts';
import { hasPart } from '../select-part.ts';
import { findHere, isWholeModel } from '../wanted-part.ts';
import { askListed } from './ask-listed.ts';
import { type FetchedManifest, fetchIfChanged, fetchManifest } from './fetch-manifest.ts';
import { type DownloadOptions, requestDownload, requestMissingPart } from './request-download.ts';
import { changedKind, nothingOpen, problemsIn, type StoreAnswer, type UsableCopy } from './store-answer.ts';

/**
 * The answer of an open store. The caller closes the store together with the answer.
 * @throws SkulkError MODEL_NOT_FOUND, REVISION_NOT_FOUND, STORE_UNREACHABLE
 */
export async function askOpened(
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

async function canonicalDirectory({ store, localRoot }: OpenedStore, { modelId }: ModelRef): Promise<string | undefined> {
  if (localRoot === undefined) return undefined;
  const entry = (await store.listModels()).find(({ model_id }) => model_id === modelId);
  return entry === undefined ? undefined : join(localRoot, entry.store_path);
}
