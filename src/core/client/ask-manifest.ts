import { parseCompanions } from '../catalog/companions.ts';
import { parseProblems } from '../catalog/contents/problem-header.ts';
import { parseManifest } from '../catalog/manifest.ts';
import { SkulkError } from '../kernel/errors.ts';
import { parseRelativePath } from '../kernel/files/relative-path.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { decode } from '../protocol/decode.ts';
import { errorBody } from '../protocol/errors.ts';
import { hashing } from '../protocol/manifest.ts';
import { callOf } from '../protocol/routes/call.ts';
import type { ManifestAnswer, ManifestOptions } from '../store/contract.ts';
import type { ListedModel } from '../store/listed-contract.ts';
import type { Exchange } from './http/exchange.ts';
import { mapRefusal, retryAfterOf } from './http/map-failure.ts';
import { readJson } from './http/read-body.ts';
import type { Response } from './http/transport.ts';
import type { Watchdog } from './http/watchdog.ts';
import { describeListed, isPythonStore } from './python-store.ts';

const mebibyte = 1024 * 1024;
const maxManifestBytes = 64 * mebibyte;
const maxRefusalBytes = mebibyte;

/**
 * Asks for the manifest of a model; a store without manifests (the Python program) answers with its list of the files. Adds the model to
 * `offered` if nodes may share it.
 * @throws SkulkError MODEL_NOT_FOUND, STORE_UNREACHABLE, INTEGRITY if the store sends the manifest of another model
 */
export function askManifest(
  exchange: Exchange,
  modelId: ModelId,
  {
    knownDigest,
    signal,
    silenceMs,
    nodeId,
    offered,
  }: ManifestOptions & { readonly nodeId: string | undefined; readonly offered: Set<ModelId> },
): Promise<ManifestAnswer> {
  const { url } = exchange;
  // A model may have a file named `manifest`; this header requests the real manifest.
  const headers = {
    Accept: 'application/vnd.skulk.manifest+json',
    ...(knownDigest !== undefined && { 'If-None-Match': `"${knownDigest}"` }),
    ...(nodeId !== undefined && { 'Skulk-Node': nodeId }),
  };
  const accept = knownDigest === undefined ? [200, 202, 404] : [200, 202, 304, 404];
  return exchange.send(
    { ...callOf('GET /models/:id/manifest', { id: modelId }), headers, accept, signal, silenceMs },
    async (response, watchdog): Promise<ManifestAnswer> => {
      if (response.status === 404) return await answerOfOther(exchange, modelId, response, { watchdog, signal, silenceMs });
      const companions = parseCompanions(response.headers.get('skulk-companions') ?? '');
      const pin = readPin(response.headers.get('skulk-gguf-file'));
      if (response.headers.get('skulk-swarm') === 'offered') offered.add(modelId);
      const problems = parseProblems(response.headers.get('skulk-problems') ?? '');
      const said = { companions, ...(pin !== undefined && { pin }), ...(problems.length > 0 && { problems }) };
      const orders = response.headers.has('skulk-orders') ? { hasOrders: true } : {};
      if (response.status === 304) return { state: 'unchanged', ...said, ...orders };
      const body = await readJson(response, { url, limit: maxManifestBytes, watchdog });
      if (response.status === 202) {
        const wait = decode(hashing, body)?.retry_after_ms ?? retryAfterOf(response.headers.get('retry-after')) ?? 1000;
        return { state: 'hashing', retryAfterMs: Math.min(60_000, Math.max(50, wait)) };
      }
      const manifest = parseManifest(body, url);
      if (manifest.model_id === modelId) return { state: 'ready', manifest, ...said, ...orders };
      throw new SkulkError('INTEGRITY', `the store at ${url} sent the manifest of ${manifest.model_id} instead of ${modelId}`, {
        hint: 'run `skulk verify --repair` on the store host',
      });
    },
  );
}

const listedAnswer = (model: ListedModel): ManifestAnswer => ({
  state: 'listed',
  model,
  companions: model.card?.companions ?? [],
  ...(model.card?.ggufFile !== undefined && { pin: model.card.ggufFile }),
});

/** A refusal; for a store without manifests, its list of the model. */
async function answerOfOther(
  exchange: Exchange,
  modelId: ModelId,
  response: Response,
  { watchdog, ...how }: { readonly watchdog: Watchdog; readonly signal: AbortSignal | undefined; readonly silenceMs: number | undefined },
): Promise<ManifestAnswer> {
  const { url } = exchange;
  const body = await readJson(response, { url, limit: maxRefusalBytes, watchdog }).catch((error: unknown) => {
    if (watchdog.signal.aborted) throw error;
    return undefined;
  });
  if (decode(errorBody, body)?.code === undefined && (await isPythonStore(exchange, how)))
    return listedAnswer(await describeListed(exchange, modelId, how));
  throw mapRefusal({ status: 404, body, location: null, retryAfter: null }, url);
}

/** The file in the model's card. Ignores an invalid path, because it comes from another machine. */
function readPin(text: string | null): string | undefined {
  try {
    return text === null ? undefined : parseRelativePath(decodeURIComponent(text));
  } catch {
    return undefined;
  }
}
