import { encodeWantedFiles, parseWantedFiles, type WantedFilesBody } from '../catalog/selection/wanted-files.ts';
import type { ArrivedChunks, DownloadStatus, Downloads } from '../jobs/contract.ts';
import { chunkSize } from '../kernel/chunk-size.ts';
import { isErrorCode, SkulkError } from '../kernel/errors.ts';
import { isRelativePath } from '../kernel/files/relative-path.ts';
import { isModelId } from '../kernel/model-id.ts';
import { isSha256 } from '../kernel/sha256.ts';
import type { Call, Exchange } from './http/exchange.ts';
import { clean, notAStore } from './http/map-failure.ts';
import { modelUrl } from './http/model-url.ts';
import { chunksOf, readJson } from './http/read-body.ts';

const mostBytes = 4 * 1024 * 1024;

/** The downloads of a store behind HTTP. */
export function createDownloadsClient(exchange: Exchange): Downloads {
  const { url } = exchange;
  const send = (call: Call): Promise<unknown> =>
    exchange.send(call, (response, watchdog) => readJson(response, { url, limit: mostBytes, watchdog }));
  return {
    ask: async ({ modelId, revision, ...wanted }) =>
      checkStatus(
        await send({
          method: 'POST',
          path: modelUrl(modelId, 'download'),
          json: { ...(revision !== undefined && { revision }), ...encodeWantedFiles(wanted) },
        }),
        url,
      ),
    status: async (modelId) => checkStatus(await send({ path: modelUrl(modelId, 'download', 'status') }), url),
    list: async ({ recent = false } = {}) => {
      const answer = await send({ path: `/downloads${recent ? '?recent=true' : ''}` });
      return checkDownloads(answer, url);
    },
    cancel: async (modelId) => checkStatus(await send({ method: 'DELETE', path: modelUrl(modelId, 'download') }), url),
    arrived: async (modelId, from, signal) =>
      checkArrived(await send({ path: `/downloads/${encodeURIComponent(modelId)}/chunks?from=${from}`, signal }), url),
    readArrived: async function* (modelId, { run, number, chunk, skip }, signal) {
      const path = `/downloads/${encodeURIComponent(modelId)}/chunks/${encodeURIComponent(run)}/${number}`;
      let left = chunk.end - chunk.start;
      let toSkip = skip;
      yield* exchange.stream<Uint8Array>({ path, signal }, async function* (response, watchdog) {
        for await (const bytes of chunksOf(response, watchdog)) {
          left -= bytes.length;
          if (left < 0) throw notAStore(url, 'it sends more of a chunk than there is');
          const used = bytes.subarray(Math.min(toSkip, bytes.length));
          toSkip -= bytes.length - used.length;
          if (used.length > 0) yield used;
        }
        if (left > 0) throw new SkulkError('STORE_UNREACHABLE', `the store at ${url} broke off`, { hint: 'run the command again' });
      });
    },
  };
}

/** What does not look like a chunk is left out: it comes with the rest in the end. */
function checkArrived(value: unknown, url: string): ArrivedChunks {
  const { run, from, chunks } = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  if (!Array.isArray(chunks) || !Number.isSafeInteger(from)) throw notAStore(url, 'it does not say what has arrived');
  if (typeof run !== 'string') return { run: null, from: from as number, chunks: [] };
  return {
    run,
    from: from as number,
    chunks: chunks.map((one: unknown) => {
      const { path, file_size, start, end, sha256 } = (typeof one === 'object' && one !== null ? one : {}) as Record<string, unknown>;
      const [size, first, last] = [file_size, start, end].map((number) => (Number.isSafeInteger(number) ? (number as number) : -1));
      if (typeof path !== 'string' || !isRelativePath(path) || !isSha256(sha256)) throw notAStore(url, 'it names a chunk that cannot be');
      if (
        size === undefined ||
        first === undefined ||
        last === undefined ||
        first < 0 ||
        last <= first ||
        last > size ||
        last - first > chunkSize ||
        size > 2 ** 50
      )
        throw notAStore(url, 'it names a chunk that cannot be');
      return { path, file_size: size, start: first, end: last, sha256 };
    }),
  };
}

/** A store's downloads. Throws STORE_UNREACHABLE when they are no list, or one cannot be a download. */
export function checkDownloads(value: unknown, url: string): readonly DownloadStatus[] {
  if (!Array.isArray(value)) throw notAStore(url, 'its downloads are not a list');
  return value.map((one) => checkStatus(one, url));
}

const statuses = ['pending', 'downloading', 'complete', 'failed'] as const;

function checkStatus(value: unknown, url: string): DownloadStatus {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  const { modelId, progress, error_code } = fields;
  const status = statuses.find((known) => known === fields['status']);
  if (typeof modelId !== 'string' || !isModelId(modelId) || status === undefined)
    throw notAStore(url, 'it does not say how the download is');
  const text = (key: string): string | null => (typeof fields[key] === 'string' ? clean(fields[key]) : null);
  const amount = (key: string): number | null => {
    const number = fields[key];
    return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : null;
  };
  return {
    modelId,
    status,
    progress: typeof progress === 'number' ? Math.min(1, Math.max(0, progress)) : 0,
    error: text('error'),
    bytes_done: amount('bytes_done') ?? 0,
    bytes_total: amount('bytes_total') ?? 0,
    bytes_per_second: amount('bytes_per_second'),
    seconds_left: amount('seconds_left'),
    error_code: isErrorCode(error_code) ? error_code : null,
    hint: text('hint'),
    revision: text('revision'),
    commit: text('commit'),
    gguf_file: text('gguf_file'),
    selector: text('selector'),
    exact: fields['exact'] === true,
    request: requestOf(fields, text),
    warnings: Array.isArray(fields['warnings']) ? fields['warnings'].filter((one) => typeof one === 'string').map((one) => clean(one)) : [],
    created_at: text('created_at') ?? '',
    updated_at: text('updated_at') ?? '',
  };
}

/** What a download was asked for. Stores of other programs and versions have it among the fields of the status, or not at all. */
function requestOf(fields: Readonly<Record<string, unknown>>, text: (key: string) => string | null): DownloadStatus['request'] {
  const { request } = fields;
  const revision = text('revision');
  try {
    const body = typeof request === 'object' && request !== null ? request : fields;
    return { ...encodeWantedFiles(parseWantedFiles(body as WantedFilesBody)), ...(revision !== null && { revision }) };
  } catch {
    // It only serves to ask again.
    return revision === null ? {} : { revision };
  }
}
