import type { Deps } from '../../../connect/deps.ts';
import type { OpenedStore } from '../../../connect/open-store.ts';
import { SkulkError } from '../../../kernel/errors.ts';
import type { ModelRef } from '../../../kernel/model-id.ts';
import type { ListedModel } from '../../../store/listed-contract.ts';
import { hasPart } from '../select-part.ts';
import { type FetchedManifest, fetchManifest } from './fetch-manifest.ts';
import { type DownloadOptions, requestDownload } from './request-download.ts';
import { changedKind, nothingOpen, type StoreAnswer, type UsableCopy } from './store-answer.ts';

/**
 * The answer of a store without manifests. It downloads missing parts of the model. The caller closes the store together with the answer.
 * @throws SkulkError MODEL_NOT_FOUND, STORE_UNREACHABLE
 */
export async function askListed(
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
    const missing = new SkulkError('MODEL_NOT_FOUND', `the store has ${ref.modelId}, but not ${ref.selector}`);
    await requestDownload(deps, opened, ref, { missing, ...asked });
    model = await askAgain();
  }
  const { findListed } = await import('../listed/find-listed.ts');
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
