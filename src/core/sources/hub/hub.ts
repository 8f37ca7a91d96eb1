import { SkulkError } from '../../kernel/errors.ts';
import { parseRelativePath } from '../../kernel/files/relative-path.ts';
import { patient, type RetryPolicy, retrying } from '../../kernel/flow/backoff.ts';
import { isModelId, type ModelId } from '../../kernel/model-id.ts';
import { isSha256 } from '../../kernel/sha256.ts';
import type { FoundModel } from '../../protocol/models/found-models.ts';
import { addVia } from '../../protocol/via.ts';
import type { Source, SourceFile } from '../source.ts';
import { aboutOf } from './about.ts';
import { freeBytes } from './free-bytes.ts';
import { hideToken } from './hide-token.ts';
import { createHubFetch, type RawFetch } from './hub-fetch.ts';
import { type HubName, huggingFace } from './hub-name.ts';
import { limitTime } from './limit-time.ts';
import { isTransientHubError } from './map-failure.ts';
import { readPolicy } from './read-policy.ts';
import { foundModelOf } from './search-hub.ts';

/** How to reach the Hub. */
export interface HubOptions {
  /** `https://huggingface.co`, or a replacement. */
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly fetch: RawFetch;
  readonly userAgent: string;
  /** The id of this machine. Another store would forward it, so that a request loop back to this one is detected. */
  readonly via?: string | undefined;
  readonly silenceMs: number;
  /** Who answers there. */
  readonly of?: HubName | undefined;
}

/** Files and directories. */
const maxEntries = 100_000;
const maxRequests = 10_000;
const maxJsonBytes = 64 * 1024 * 1024;
/** How long a list or a search may take, as a multiple of the longest silence. A server could send one byte at a time. */
const maxSilences = 20;
/** Before the first byte, a user or a job waits this long: some twenty seconds. */
const askPolicy: RetryPolicy = { ...patient, attempts: 7 };
/** A person who types asks anew soon. */
const searchPolicy: RetryPolicy = { ...patient, attempts: 2 };

/**
 * The Hugging Face Hub, read-only. Opens no connection yet. Beside the errors of a source it throws HUB_REFUSED, HUB_BUSY and
 * HUB_UNREACHABLE.
 */
export function createHub({ endpoint: given, token, fetch, userAgent, via, silenceMs, of = huggingFace }: HubOptions): Source {
  const endpoint = given.replace(/\/+$/, '');
  const shared = { fetch, endpoint, token, userAgent, via, silenceMs, maxJsonBytes, maxRequests };
  const hasToken = token !== undefined;

  const unusable = (cause: unknown): SkulkError => unusableAnswer(endpoint, cause, token);
  const late = (): SkulkError =>
    new SkulkError('HUB_UNREACHABLE', `${endpoint} has not finished its answer after ${(silenceMs * maxSilences) / 1000} s`, {
      hint: 'try again',
    });

  /** One conversation: a call of the library, whose error is replaced by the one that the fetch stored. */
  const ask = <T>(
    asked: { modelId: ModelId | 'a search'; revision: string; passed?: string | undefined },
    given: AbortSignal,
    call: (fetch: typeof globalThis.fetch) => Promise<T>,
    policy: RetryPolicy = askPolicy,
  ) =>
    limitTime({ signal: given, ms: silenceMs * maxSilences, late }, (signal) =>
      retrying(
        async () => {
          const { passed, ...named } = asked;
          const chain = via === undefined || passed === undefined ? via : addVia(passed, via);
          const gate = createHubFetch({ ...shared, via: chain, signal, asked: { ...named, hasToken, of } });
          try {
            return await call(gate.fetch);
          } catch (error) {
            throw gate.failure() ?? unusable(error);
          }
        },
        { policy, signal, isTransient: isTransientHubError },
      ),
    );

  return {
    name: of.name,
    kind: of.isStore ? 'store' : 'hub',
    isTransient: isTransientHubError,
    retry: readPolicy,
    list: async ({ modelId, revision, via: passed }, signal) => {
      const { listFiles, modelInfo } = await import('@huggingface/hub');
      const asked = { modelId, revision, passed };
      const info = await ask(asked, signal, (gated) =>
        modelInfo({
          name: modelId,
          revision,
          hubUrl: endpoint,
          fetch: gated,
          additionalFields: ['sha', 'createdAt', 'tags', 'library_name', 'cardData'],
        }),
      );
      const { sha: commit } = info;
      if (typeof commit !== 'string' || !/^[0-9a-f]{40}$/.test(commit)) throw unusable(new Error('it has no commit'));
      const files = await ask(asked, signal, async (gated) => {
        const entries: SourceFile[] = [];
        let count = 0;
        const list = listFiles({ repo: modelId, revision: commit, recursive: true, hubUrl: endpoint, fetch: gated });
        for await (const entry of list) {
          count += 1;
          if (count > maxEntries) throw new Error(`${modelId} has more than ${maxEntries} files and directories`);
          if (entry.type === 'file') entries.push(toFile(entry));
        }
        return entries;
      });
      return { modelId, revision, commit, files, about: aboutOf(info) };
    },
    search: async ({ query, limit }, signal) => {
      const { listModels } = await import('@huggingface/hub');
      const find = async (gated: typeof globalThis.fetch): Promise<readonly Omit<FoundModel, 'in_store'>[]> => {
        const found: Omit<FoundModel, 'in_store'>[] = [];
        const additionalFields = ['tags', 'safetensors'] satisfies ['tags', 'safetensors'];
        for await (const one of listModels({
          search: { query },
          sort: 'downloads',
          limit,
          additionalFields,
          hubUrl: endpoint,
          fetch: gated,
        })) {
          const model = foundModelOf(one, isModelId);
          if (model !== undefined) found.push(model);
        }
        return found;
      };
      try {
        return await ask({ modelId: 'a search', revision: 'main' }, signal, find, searchPolicy);
      } catch (error) {
        if (!(error instanceof SkulkError) || error.code !== 'MODEL_NOT_FOUND') throw error;
        throw new SkulkError('HUB_REFUSED', `${endpoint} does not offer a search`, {
          hint: 'use the full name of the model',
          cause: error,
        });
      }
    },
    open: async function* (listing, file, { start, end, whole = false }, signal) {
      if (end <= start) return;
      const { downloadFile } = await import('@huggingface/hub');
      const { modelId, commit } = listing;
      const gate = createHubFetch({
        ...shared,
        signal,
        commit,
        size: file.size,
        asked: { modelId, revision: commit, path: file.path, hasToken, of },
      });
      // The library puts the path into the URL without escaping it.
      const path = file.path.split('/').map(encodeURIComponent).join('/');
      const url = `${endpoint}/${modelId}/resolve/${commit}/${path}`;
      try {
        const blob = await downloadFile({
          repo: modelId,
          path,
          revision: commit,
          hubUrl: endpoint,
          fetch: gate.fetch,
          xet: false,
          downloadInfo: { size: file.size, etag: file.sha256 ?? file.oid ?? '', url },
        });
        if (blob === null) throw new SkulkError('FILE_NOT_FOUND', `${modelId} has no file ${path} at ${commit}`);
        let skip = whole ? start : 0;
        let left = end - start;
        const part = whole ? blob : blob.slice(start, end);
        for await (const all of part.stream() as unknown as AsyncIterable<Uint8Array>) {
          const bytes = all.subarray(Math.min(skip, all.length));
          skip -= all.length - bytes.length;
          if (bytes.length > left) throw unusable(new Error(`it sent more bytes of ${path} than requested`));
          left -= bytes.length;
          yield bytes;
          freeBytes(all);
        }
        if (left > 0)
          throw new SkulkError('HUB_UNREACHABLE', `the connection was closed ${left} bytes before the end`, { hint: 'try again' });
      } catch (error) {
        throw gate.failure() ?? (error instanceof SkulkError ? error : unusable(error));
      }
    },
  };
}

/** Validates one entry of a list. Throws an Error with the reason. */
function toFile({
  path: given,
  size,
  oid,
  lfs,
}: {
  path: string;
  size: number;
  oid?: string;
  lfs?: { oid: string; size: number };
}): SourceFile {
  const path = parseRelativePath(given);
  const bytes = lfs?.size ?? size;
  if (!Number.isSafeInteger(bytes) || bytes < 0 || bytes > 2 ** 50) throw new Error(`the size of ${JSON.stringify(path)} is impossible`);
  const sha256 = lfs?.oid.replace(/^sha256:/, '');
  if (sha256 !== undefined) {
    if (!isSha256(sha256)) throw new Error(`${JSON.stringify(path)} has no sha256`);
    return { path, size: bytes, ...(isOid(oid) && { oid }), sha256 };
  }
  if (!isOid(oid)) throw new Error(`${JSON.stringify(path)} has no id`);
  return { path, size: bytes, oid };
}

const isOid = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{40}$/.test(value);

function unusableAnswer(endpoint: string, cause: unknown, token: string | undefined): SkulkError {
  if (cause instanceof SkulkError && cause.code !== 'BAD_PATH') return cause;
  return new SkulkError('HUB_REFUSED', `the answer of ${endpoint} cannot be used: ${whyUnusable(cause, token)}`, {
    hint: 'check HF_ENDPOINT',
  });
}

function whyUnusable(cause: unknown, token: string | undefined): string {
  // The engine's messages about JSON contain parts of it, and those about a value of another type mean nothing to a user.
  if (cause instanceof SyntaxError || cause instanceof TypeError) return 'it is not the expected JSON';
  return hideToken(cause instanceof Error ? cause.message : String(cause), token).slice(0, 300);
}
