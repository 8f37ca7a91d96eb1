import { encodeWantedFiles } from '../catalog/selection/wanted-files.ts';
import type { Downloads } from '../jobs/contract.ts';
import { chunkSize } from '../kernel/chunk-size.ts';
import { SkulkError } from '../kernel/errors.ts';
import {
  type ArrivedChunk,
  type ArrivedChunks,
  arrivedChunks,
  clearedDownloads,
  type DownloadStatus,
  downloadStatus,
} from '../protocol/downloads.ts';
import { callOf } from '../protocol/routes/call.ts';
import { list } from '../protocol/schema.ts';
import type { Call, Exchange } from './http/exchange.ts';
import { notAStore } from './http/map-failure.ts';
import { readAnswer } from './http/read-answer.ts';
import { chunksOf, readJson } from './http/read-body.ts';
import { refuseForOther } from './refuse-for-other.ts';

const maxBytes = 4 * 1024 * 1024;

/** The downloads of a store behind HTTP. */
export function createDownloadsClient(exchange: Exchange): Downloads {
  const { url } = exchange;
  const send = (call: Call): Promise<unknown> =>
    exchange.send(call, (response, watchdog) => readJson(response, { url, limit: maxBytes, watchdog }));
  return {
    ask: async ({ modelId, revision, ...wanted }) =>
      statusOf(
        await send({
          ...callOf('POST /models/:id/download', { id: modelId }),
          json: { ...(revision !== undefined && { revision }), ...encodeWantedFiles(wanted) },
        }),
        url,
      ),
    status: async ({ modelId, downloadId }) =>
      statusOf(await send(callOf('GET /models/:id/download/status', { id: modelId }, { download_id: downloadId })), url),
    list: async ({ recent = false } = {}) => {
      const answer = await send(callOf('GET /downloads', {}, { recent }));
      return readAnswer(list(downloadStatus), answer, { url, why: 'its downloads are not a list' });
    },
    cancel: async ({ modelId, downloadId }) => {
      const call = callOf('DELETE /models/:id/download', { id: modelId }, { download_id: downloadId });
      return statusOf(await refuseForOther(exchange, 'cancel downloads', () => send(call)), url);
    },
    clear: async ({ modelId, downloadId }) => {
      const call = callOf('DELETE /downloads', {}, { model_id: modelId, download_id: downloadId });
      const why = 'it does not report which downloads it cleared';
      return refuseForOther(exchange, 'clear its list of downloads', async () =>
        readAnswer(clearedDownloads, await send(call), { url, why }),
      );
    },
    arrived: async ({ modelId, downloadId }, from, signal) =>
      arrivedOf(await send({ ...callOf('GET /downloads/:id/chunks', { id: modelId }, { from, download_id: downloadId }), signal }), url),
    readArrived: async function* (modelId, { run, number, chunk, skip }, signal) {
      const call = callOf('GET /downloads/:id/chunks/:run/:number', { id: modelId, run, number });
      let left = chunk.end - chunk.start;
      let toSkip = skip;
      yield* exchange.stream<Uint8Array>({ ...call, signal }, async function* (response, watchdog) {
        for await (const bytes of chunksOf(response, watchdog)) {
          left -= bytes.length;
          if (left < 0) throw notAStore(url, 'it sends more than the whole chunk');
          const used = bytes.subarray(Math.min(toSkip, bytes.length));
          toSkip -= bytes.length - used.length;
          if (used.length > 0) yield used;
        }
        if (left > 0)
          throw new SkulkError('STORE_UNREACHABLE', `the store at ${url} closed the connection too early`, {
            hint: 'run the command again',
          });
      });
    },
  };
}

const statusOf = (value: unknown, url: string): DownloadStatus =>
  withRequest(readAnswer(downloadStatus, value, { url, why: 'it does not report the state of the download' }), value);

/** Other programs return the request among the fields of the status, or not at all. It is only used to repeat the request. */
function withRequest(status: DownloadStatus, answer: unknown): DownloadStatus {
  if (Object.hasOwn(answer as object, 'request')) return status;
  const { gguf_file, selector, exact, revision } = status;
  return { ...status, request: { gguf_file, selector, exact, revision } };
}

/**
 * Parses the arrived chunks. A chunk's number is its position, so one invalid chunk makes all of them unusable. Throws STORE_UNREACHABLE.
 */
function arrivedOf(value: unknown, url: string): ArrivedChunks {
  const arrived = readAnswer(arrivedChunks, value, { url, why: 'it does not report what has arrived' });
  if (arrived.chunks.every(isPossible)) return arrived;
  throw notAStore(url, 'it names an impossible chunk');
}

const isPossible = ({ start, end, file_size }: ArrivedChunk): boolean =>
  start < end && end <= file_size && end - start <= chunkSize && file_size <= 2 ** 50;
