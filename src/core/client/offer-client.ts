import type { DownloadPlan, PlannedFile } from '../catalog/selection/describe-plan.ts';
import { encodeWantedFiles, type WantedFiles } from '../catalog/selection/wanted-files.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { Exchange } from './http/exchange.ts';
import { clean, mapRefusal, notAStore } from './http/map-failure.ts';
import { readJson } from './http/read-body.ts';

/** One way to take a repo of GGUF files; sizes in bytes. */
export interface OfferedQuantization {
  readonly label: string;
  /** What to ask for. */
  readonly gguf_file: string;
  readonly size_bytes: number;
  /** Whether it is the one that is taken when none is named. */
  readonly is_preferred: boolean;
  readonly in_store: boolean;
}

/** What a download would bring; sizes in bytes. */
export interface Offer {
  readonly commit: string;
  readonly file_count: number;
  /** Of what is taken when nothing is chosen. */
  readonly total_bytes: number;
  /** Empty of a repo without GGUF weights. */
  readonly quantizations: readonly OfferedQuantization[];
  /** Of a store that plans downloads, when wishes were given. */
  readonly plan: DownloadPlan | undefined;
}

/** Asks a store what Hugging Face has of a model; undefined of a store that does not say. */
export type AskOffer = (
  asked: { readonly modelId: ModelId; readonly revision: string | undefined; readonly wanted?: WantedFiles },
  signal: AbortSignal,
) => Promise<Offer | undefined>;

type Fields = Readonly<Record<string, unknown>>;

/** A plan has every file of a repo. */
const mostBytes = 64 * 1024 * 1024;
/** The store asks Hugging Face meanwhile. */
const silenceMs = 60_000;

/** `GET /store/hub/{id}`. Throws what Hugging Face refuses, as the store says it. */
export const askOffer = (
  exchange: Exchange,
  { modelId, revision, wanted }: Parameters<AskOffer>[0],
  signal: AbortSignal,
): Promise<Offer | undefined> => {
  const { url } = exchange;
  const query = new URLSearchParams({
    ...(revision !== undefined && { revision }),
    ...(wanted !== undefined && { wanted: JSON.stringify(encodeWantedFiles(wanted)) }),
  });
  const path = `/store/hub/${encodeURIComponent(modelId)}${query.size === 0 ? '' : `?${query}`}`;
  return exchange.send({ path, accept: [200, 404], signal, silenceMs }, async (response, watchdog) => {
    if (response.status === 200) return checkOffer(await readJson(response, { url, limit: mostBytes, watchdog }), url);
    // Another program's "not found" need not be JSON; a store that knows the route says what it did not find.
    const body = await readJson(response, { url, limit: mostBytes, watchdog }).catch((error: unknown) => {
      if (watchdog.signal.aborted) throw error;
      return undefined;
    });
    const { code } = fieldsOf(body);
    if (code === undefined || code === 'NOT_FOUND') return undefined;
    throw mapRefusal({ status: response.status, body, location: null, retryAfter: null }, url);
  });
};

function checkOffer(value: unknown, url: string): Offer {
  const { commit, file_count, total_bytes, quantizations, plan } = fieldsOf(value);
  if (!Array.isArray(quantizations)) throw notAStore(url, 'it does not say what there is to download');
  return {
    commit: textOf(commit),
    file_count: amountOf(file_count),
    total_bytes: amountOf(total_bytes),
    quantizations: quantizations.map((one: unknown) => {
      const { label, gguf_file, size_bytes, is_preferred, in_store } = fieldsOf(one);
      return {
        label: textOf(label),
        gguf_file: textOf(gguf_file),
        size_bytes: amountOf(size_bytes),
        is_preferred: is_preferred === true,
        in_store: in_store === true,
      };
    }),
    plan: plan === undefined ? undefined : checkPlan(plan, url),
  };
}

function checkPlan(value: unknown, url: string): DownloadPlan {
  const { gguf_file, taken, left, missing_pin } = fieldsOf(value);
  const list = (files: unknown): readonly PlannedFile[] => {
    if (!Array.isArray(files)) throw notAStore(url, 'it does not say which files a download takes');
    return files.map((file: unknown) => {
      const { path, size, why, reason } = fieldsOf(file);
      // A later store may have more reasons.
      return { path: textOf(path), size: amountOf(size), why: textOf(why) as PlannedFile['why'], reason: textOf(reason) };
    });
  };
  return {
    gguf_file: typeof gguf_file === 'string' ? clean(gguf_file) : null,
    taken: list(taken),
    left: list(left),
    missing_pin: typeof missing_pin === 'string' ? clean(missing_pin) : null,
  };
}

const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
const textOf = (value: unknown): string => (typeof value === 'string' ? clean(value) : '');
const amountOf = (value: unknown): number => (Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0);
