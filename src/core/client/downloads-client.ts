import type { DownloadStatus, Downloads } from '../jobs/contract.ts';
import { isErrorCode } from '../kernel/errors.ts';
import { isModelId } from '../kernel/model-id.ts';
import type { Call, Exchange } from './exchange.ts';
import { clean, notAStore } from './map-failure.ts';
import { modelUrl } from './model-url.ts';
import { readJson } from './read-body.ts';

const mostBytes = 4 * 1024 * 1024;

/** The downloads of a store behind HTTP. */
export function createDownloadsClient(exchange: Exchange): Downloads {
  const { url } = exchange;
  const send = (call: Call): Promise<unknown> =>
    exchange.send(call, (response, watchdog) => readJson(response, { url, limit: mostBytes, watchdog }));
  return {
    ask: async ({ modelId, revision, ggufFile, selector, exact }) =>
      checkStatus(
        await send({
          method: 'POST',
          path: modelUrl(modelId, 'download'),
          json: {
            ...(revision !== undefined && { revision }),
            ...(ggufFile !== undefined && { gguf_file: ggufFile }),
            ...(selector !== undefined && { selector }),
            ...(exact === true && { exact }),
          },
        }),
        url,
      ),
    status: async (modelId) => checkStatus(await send({ path: modelUrl(modelId, 'download', 'status') }), url),
    list: async ({ recent = false } = {}) => {
      const answer = await send({ path: `/downloads${recent ? '?recent=true' : ''}` });
      if (!Array.isArray(answer)) throw notAStore(url, 'its downloads are not a list');
      return answer.map((one) => checkStatus(one, url));
    },
    cancel: async (modelId) => checkStatus(await send({ method: 'DELETE', path: modelUrl(modelId, 'download') }), url),
  };
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
    created_at: text('created_at') ?? '',
    updated_at: text('updated_at') ?? '',
  };
}
