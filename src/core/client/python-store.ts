import { createHash } from 'node:crypto';
import { whyNotModelFile } from '../catalog/model-files.ts';
import { SkulkError } from '../kernel/errors.ts';
import { parseRelativePath, quote, type RelativePath } from '../kernel/files/relative-path.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { decode } from '../protocol/decode.ts';
import { registryEntry } from '../protocol/models/entries.ts';
import { callOf } from '../protocol/routes/call.ts';
import type { ListedFiles, ListedModel, ListedRef } from '../store/listed-contract.ts';
import { UselessAnswer } from '../transfer/useless-answer.ts';
import type { Exchange } from './http/exchange.ts';
import { notAStore } from './http/map-failure.ts';
import { cardIn } from './http/read-answer.ts';
import { chunksOf, readJson } from './http/read-body.ts';
import { readHealth } from './http/read-health.ts';
import type { Response } from './http/transport.ts';
import type { Watchdog } from './http/watchdog.ts';
import { pieceTarget } from './piece-answer.ts';

/*
 * The store server of the Python program, as its own client uses it (docs/python-skulk.md). It has no manifests, no ETag and no If-Range.
 * It sends a body after HEAD, and rejects a range beyond the end of a file.
 */

interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  /** In milliseconds. */
  readonly silenceMs?: number | undefined;
}

const maxJsonBytes = 256 * 1024 * 1024;
const maxFileBytes = 2 ** 50;
const maxFiles = 100_000;
const maxDrained = 64 * 1024;

/** Whether the server is the Python program: it does not report a version of skulk. */
export const isPythonStore = async (exchange: Exchange, { silenceMs }: AskOptions): Promise<boolean> =>
  (await readHealth(exchange, { ...(silenceMs !== undefined && { silenceMs }) })).version === '';

/**
 * Reads the Python program's list of a model.
 * @throws SkulkError MODEL_NOT_FOUND; INTEGRITY for an unsafe list; STORE_UNREACHABLE
 */
export async function describeListed(exchange: Exchange, modelId: ModelId, asked: AskOptions): Promise<ListedModel> {
  const { url } = exchange;
  const ask = (call: ReturnType<typeof callOf>, missing?: SkulkError): Promise<unknown> =>
    exchange.send({ ...call, ...asked, ...(missing !== undefined && { accept: [200, 404] }) }, (response, watchdog) => {
      if (response.status === 404 && missing !== undefined) throw missing;
      return readJson(response, { url, limit: maxJsonBytes, watchdog });
    });
  const registry = await ask(callOf('GET /registry', {}));
  if (!Array.isArray(registry)) throw notAStore(url, 'its registry is not a list');
  const found: unknown = registry.find((item: unknown) => decode(registryEntry, item)?.model_id === modelId);
  const entry = decode(registryEntry, found);
  if (entry === undefined)
    throw new SkulkError('MODEL_NOT_FOUND', `${modelId} is not in the store at ${url}`, { hint: '`skulk registry` lists the models' });
  const commit = commitIn(found);
  // It answers 404 for GGUF weights without the projector of their repo, so that a client requests a download, which brings it.
  const missing = new SkulkError('MODEL_NOT_FOUND', `the store at ${url} does not serve the files of ${modelId}`, {
    hint: 'it may lack the projector of a vision model; download the model again on that store host',
  });
  const list = await ask(callOf('GET /models/:id/files', { id: modelId }, { source_revision: commit ?? undefined }), missing);
  if (!Array.isArray(list)) throw notAStore(url, `its list of the files of ${modelId} is not a list`);
  const files = ownFiles(list, { modelId, url });
  const about = JSON.stringify([entry.downloaded_at, entry.total_bytes, ...files.toSorted()]);
  return { modelId, files, commit, card: cardIn(found, modelId), state: createHash('sha256').update(about).digest('hex') };
}

/** The paths of a model's own files, each validated, because the list comes from another program. Throws INTEGRITY. */
function ownFiles(list: readonly unknown[], { modelId, url }: { modelId: ModelId; url: string }): readonly RelativePath[] {
  const refuse = (why: string, cause?: unknown): never => {
    throw new SkulkError('INTEGRITY', `the store at ${url} lists files of ${modelId} that cannot be used: ${why}`, {
      hint: 'check the directory of the model on the store host',
      cause,
    });
  };
  if (list.length > maxFiles) return refuse(`more than ${maxFiles}`);
  const files = new Set<RelativePath>();
  for (const path of list) {
    // Foreign files beside a model are skipped before the validation, because their names may be invalid.
    if (typeof path === 'string' && whyNotModelFile(path) !== undefined) continue;
    try {
      files.add(parseRelativePath(String(path)));
    } catch (error) {
      return refuse(error instanceof Error ? error.message : String(error), error);
    }
  }
  return files.size === 0 ? refuse('it lists none') : [...files];
}

/** Later releases serve the files of a commit only to requests that name it; the first releases ignore the name. */
const targetOf = ({ modelId, commit, path }: ListedRef & { readonly path: RelativePath }): string =>
  `${pieceTarget({ modelId, path })}${commit === null ? '' : `?source_revision=${commit}`}`;

/** Later releases report the commit. */
function commitIn(entry: unknown): string | null {
  const { source_revision, revision } = (entry ?? {}) as Record<string, unknown>;
  const commit = source_revision ?? revision;
  return typeof commit === 'string' && /^[0-9a-f]{40}$/.test(commit) ? commit : null;
}

/** The files of the Python program's store. */
export function createListedFiles(exchange: Exchange): ListedFiles {
  const { url } = exchange;
  return {
    measure: async ({ modelId, commit }, path, signal) => {
      const call = { path: targetOf({ modelId, commit, path }), signal };
      const name = `${modelId}: ${quote(path)}`;
      // Its answer to HEAD has a body, so one byte is requested with GET.
      const size = await exchange.send(
        { ...call, headers: { Range: 'bytes=0-0' }, accept: [200, 206, 404, 416] },
        async (response, watchdog) => {
          const { status, headers } = response;
          if (status === 404) throw notThere(name, url);
          const length = lengthOf(headers.get('content-length'));
          await endAnswer(response, watchdog);
          return status === 206 ? totalOf(headers.get('content-range')) : status === 200 ? length : undefined;
        },
      );
      // An empty file has no first byte.
      const whole =
        size ??
        (await exchange.send(call, async (response, watchdog) => {
          await endAnswer(response, watchdog);
          return lengthOf(response.headers.get('content-length'));
        }));
      if (whole !== undefined) return whole;
      throw notAStore(url, `it does not say how large ${name} is`);
    },
    read: async function* ({ modelId, commit, path, size }, { start, end, whole = false }, signal) {
      if (end <= start) return;
      const name = `${quote(path)} of ${modelId}`;
      const call = {
        path: targetOf({ modelId, commit, path }),
        headers: whole ? {} : { Range: `bytes=${start}-${end - 1}` },
        accept: [200, 206, 404, 416],
        signal,
      };
      yield* exchange.stream<Uint8Array>(call, async function* (response, watchdog) {
        const { status, headers } = response;
        if (status === 404) throw notThere(name, url);
        const isAll = status === 200;
        const total = isAll ? lengthOf(headers.get('content-length')) : totalOf(headers.get('content-range'));
        if (status === 416 || (total !== undefined && total !== size))
          throw new SkulkError('INTEGRITY', `${name} changed in the store at ${url} while it was staged`, { hint: 'stage it again' });
        const coding = headers.get('content-encoding') ?? 'identity';
        const range = /^bytes (\d+)-(\d+)\//.exec(headers.get('content-range') ?? '');
        const isRight = isAll ? whole || (start === 0 && end === size) : Number(range?.[1]) === start && Number(range?.[2]) === end - 1;
        if (!isRight || coding !== 'identity')
          throw new UselessAnswer('STORE_UNREACHABLE', `the store at ${url} does not send the requested part of ${name}`, {
            hint: 'use the address of the store itself, without a proxy',
          });
        let skip = isAll ? start : 0;
        let left = end - start;
        for await (const chunk of chunksOf(response, watchdog)) {
          const bytes = chunk.subarray(Math.min(skip, chunk.length));
          skip -= chunk.length - bytes.length;
          if (bytes.length > left && !whole)
            throw new SkulkError('INTEGRITY', `the store at ${url} sent more of ${name} than it announced`, { hint: 'stage it again' });
          const wanted = bytes.subarray(0, left);
          left -= wanted.length;
          if (wanted.length > 0) yield wanted;
          if (left === 0 && whole) return;
        }
        if (left > 0)
          throw new SkulkError('STORE_UNREACHABLE', `the store at ${url} closed the connection ${left} bytes before the end of ${name}`, {
            hint: 'run the command again; received data is kept',
          });
      });
    },
  };
}

/** The model was deleted, or replaced by another commit, after its files were listed. */
const notThere = (name: string, url: string): SkulkError =>
  new SkulkError('FILE_NOT_FOUND', `${name} is no longer in the store at ${url}`, { hint: 'stage it again' });

/** A short answer is read, so that its connection can be reused; for a long one, the connection is closed. */
async function endAnswer(response: Response, watchdog: Watchdog): Promise<void> {
  if ((lengthOf(response.headers.get('content-length')) ?? maxFileBytes) > maxDrained) return watchdog.stop();
  for await (const _ of chunksOf(response, watchdog));
}

const lengthOf = (header: string | null): number | undefined => sizeIn(header, /^(\d{1,16})$/);
const totalOf = (header: string | null): number | undefined => sizeIn(header, /\/(\d{1,16})$/);

function sizeIn(header: string | null, pattern: RegExp): number | undefined {
  const size = Number(pattern.exec(header ?? '')?.[1] ?? Number.NaN);
  return Number.isSafeInteger(size) && size <= maxFileBytes ? size : undefined;
}
