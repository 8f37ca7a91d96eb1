import { isModelId, type ModelId } from '../kernel/model-id.ts';
import { isSha256 } from '../kernel/sha256.ts';
import type { ListedUpload, UploadRef, Uploads, WorkOptions } from '../store/contract.ts';
import { checkAdopted } from './http/check-answers.ts';
import type { Call, Exchange } from './http/exchange.ts';
import { clean, notAStore } from './http/map-failure.ts';
import { readJson } from './http/read-body.ts';

const mostBytes = 64 * 1024 * 1024;
/** A store that takes up an upload hashes what it has of it before it answers. */
const hashSilenceMs = 30 * 60_000;
const pieceSilenceMs = 60_000;

/** Sending a model to the store, piece by piece. @param doWork sends a call that is answered by lines of JSON */
export function createUploadsClient(exchange: Exchange, doWork: (call: Call, work: WorkOptions) => Promise<unknown>): Uploads {
  const { url } = exchange;
  const path = (modelId: ModelId, ...rest: readonly string[]): string => ['/uploads', encodeURIComponent(modelId), ...rest].join('/');
  const getJson = (call: Call): Promise<unknown> =>
    exchange.send(call, (response, watchdog) => readJson(response, { url, limit: mostBytes, watchdog }));
  const queryOf = (upload: UploadRef['upload'], more: Readonly<Record<string, string>> = {}): string => {
    const query = new URLSearchParams({ ...more, ...(upload !== undefined && { upload }) }).toString();
    return query === '' ? '' : `?${query}`;
  };
  return {
    begin: async (manifest, { force, signal }) => {
      const call = {
        method: 'PUT',
        path: `${path(manifest.model_id)}${force ? '?force=true' : ''}`,
        json: manifest,
        signal,
        silenceMs: hashSilenceMs,
      } as const;
      const { missing, upload } = fieldsOf(await getJson(call));
      if (!Array.isArray(missing)) throw notAStore(url, 'it does not say what it lacks');
      const pieces = missing.map((one: unknown) => {
        const [file, start] = Array.isArray(one) ? (one as unknown[]) : [];
        if (!Number.isSafeInteger(file) || !Number.isSafeInteger(start)) throw notAStore(url, 'it does not say what it lacks');
        return { file: file as number, start: start as number };
      });
      return { missing: pieces, ...(typeof upload === 'string' && { upload: clean(upload) }) };
    },
    put: async ({ modelId, digest, upload }, { file, start }, bytes, signal) => {
      const call = {
        method: 'PUT',
        path: `${path(modelId, digest, String(file), String(start))}${queryOf(upload)}`,
        bytes,
        accept: [204],
        signal,
        silenceMs: pieceSilenceMs,
      } as const;
      await exchange.send(call, async () => undefined);
    },
    complete: async ({ modelId, digest, upload, force, revision }, work) => {
      const query = queryOf(upload, { ...(force && { force: 'true' }), ...(revision !== undefined && { revision }) });
      return checkAdopted(await doWork({ path: `${path(modelId, digest, 'complete')}${query}` }, work), url);
    },
    list: async () => {
      const { uploads } = fieldsOf(await getJson({ path: '/uploads' }));
      if (!Array.isArray(uploads)) throw notAStore(url, 'it does not list its uploads');
      return uploads.flatMap((one: unknown) => toListed(one) ?? []);
    },
    cancel: async (id) => {
      const cancelled = toListed(await getJson({ method: 'DELETE', path: `/uploads/${encodeURIComponent(id)}` }));
      if (cancelled === undefined) throw notAStore(url, 'it does not say what it cancelled');
      return cancelled;
    },
  };
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
const textOf = (value: unknown): string => (typeof value === 'string' ? clean(value) : '');
const amountOf = (value: unknown): number => (Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0);

function toListed(value: unknown): ListedUpload | undefined {
  const { id, model_id, digest, from, who, files, bytes_total, bytes_done, began_at, last_byte_at } = fieldsOf(value);
  if (typeof id !== 'string' || typeof model_id !== 'string' || !isModelId(model_id) || !isSha256(digest)) return undefined;
  return {
    id: clean(id),
    model_id,
    digest,
    from: textOf(from),
    who: typeof who === 'string' ? clean(who) : null,
    files: amountOf(files),
    bytes_total: amountOf(bytes_total),
    bytes_done: amountOf(bytes_done),
    began_at: textOf(began_at),
    last_byte_at: textOf(last_byte_at),
  };
}
