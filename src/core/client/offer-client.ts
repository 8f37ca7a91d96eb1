import { encodeWantedFiles, type WantedFiles } from '../catalog/selection/wanted-files.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { decode } from '../protocol/decode.ts';
import { type HubOffer, hubOffer } from '../protocol/models/hub-offer.ts';
import { type ShownModel, shownModel } from '../protocol/models/shown-model.ts';
import { callOf } from '../protocol/routes/call.ts';
import { object } from '../protocol/schema.ts';
import type { Exchange } from './http/exchange.ts';
import { mapRefusal } from './http/map-failure.ts';
import { readAnswer } from './http/read-answer.ts';
import { readJson } from './http/read-body.ts';

/** Asks a store about a model on Hugging Face; undefined if the store does not support it. */
export type AskOffer = (
  asked: {
    readonly modelId: ModelId;
    readonly revision: string | undefined;
    readonly wanted?: WantedFiles;
    /** Whether the listing of the last download may answer if Hugging Face cannot be asked. */
    readonly mayBeKept?: boolean;
  },
  signal: AbortSignal,
) => Promise<HubOffer | undefined>;

const notInStore = object({ not_in_store: shownModel.properties.not_in_store });

/** The quantizations of a model's repo, as of the last download, that the store lacks; undefined if the store does not list them. */
export type AskNotInStore = (modelId: ModelId) => Promise<ShownModel['not_in_store']>;

/** `GET /store/models/{id}`; only this field is read. Throws STORE_UNREACHABLE. */
export const askNotInStore = (exchange: Exchange, modelId: ModelId): ReturnType<AskNotInStore> =>
  exchange.send({ ...callOf('GET /store/models/:id', { id: modelId }), accept: [200, 404] }, async (response, watchdog) => {
    if (response.status === 404) return undefined;
    const { url } = exchange;
    return decode(notInStore, await readJson(response, { url, limit: maxBytes, watchdog }))?.not_in_store;
  });

const whyNot = 'it does not list what can be downloaded';
/** A plan has every file of a repo. */
const maxBytes = 64 * 1024 * 1024;
/** The store itself asks Hugging Face in the meantime. */
const silenceMs = 60_000;

/** `GET /store/hub/{id}`. Throws the store's error for a refusal by Hugging Face. */
export const askOffer = (
  exchange: Exchange,
  { modelId, revision, wanted, mayBeKept }: Parameters<AskOffer>[0],
  signal: AbortSignal,
): Promise<HubOffer | undefined> => {
  const { url } = exchange;
  const query = {
    revision,
    ...(wanted !== undefined && { wanted: JSON.stringify(encodeWantedFiles(wanted)) }),
    kept: mayBeKept,
  };
  const call = callOf('GET /store/hub/:id', { id: modelId }, query);
  return exchange.send({ ...call, accept: [200, 404], signal, silenceMs }, async (response, watchdog) => {
    if (response.status === 200)
      return readAnswer(hubOffer, await readJson(response, { url, limit: maxBytes, watchdog }), { url, why: whyNot });
    // Another program's "not found" may not be JSON; a store with this route says what was not found.
    const body = await readJson(response, { url, limit: maxBytes, watchdog }).catch((error: unknown) => {
      if (watchdog.signal.aborted) throw error;
      return undefined;
    });
    const { code } = (typeof body === 'object' && body !== null ? body : {}) as { readonly code?: unknown };
    if (code === undefined || code === 'NOT_FOUND') return undefined;
    throw mapRefusal({ status: response.status, body, location: null, retryAfter: null }, url);
  });
};
