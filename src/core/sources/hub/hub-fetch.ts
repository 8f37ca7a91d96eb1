import { SkulkError } from '../../kernel/errors.ts';
import { quote } from '../../kernel/files/relative-path.ts';
import { startDeadline } from '../../kernel/flow/deadline.ts';
import { UselessAnswer } from '../../transfer/useless-answer.ts';
import { type Asked, mapHubNetworkError, mapHubRefusal } from './map-failure.ts';

/** Sends one GET somewhere; follows no redirect. */
export type RawFetch = (
  url: URL,
  init: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal },
) => Promise<Response>;

/** What one conversation with the Hub is bound to. */
export interface HubFetchOptions {
  readonly fetch: RawFetch;
  /** Origin and maybe a path, without a slash at its end. */
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly userAgent: string;
  readonly signal: AbortSignal;
  /** How long nothing may come, in milliseconds. */
  readonly silenceMs: number;
  readonly asked: Asked;
  /** Bytes that an answer of JSON may have. */
  readonly maxJsonBytes: number;
  /** The commit that bytes must be of. */
  readonly commit?: string;
  /** The size of the file whose bytes are asked for. */
  readonly size?: number;
}

const maxRedirects = 5;

/**
 * A `fetch` to hand to the Hub's library. It is the gate: only the Hub's own host is asked, and only it gets the token; redirects
 * lead to http or https, never from the latter to the former; an answer to a range is that range; silence ends it; every failure
 * is a SkulkError, also kept in `failure`, because the library passes on no more than its text.
 */
export function createHubFetch(options: HubFetchOptions): { readonly fetch: typeof fetch; readonly failure: () => unknown } {
  const { endpoint, asked } = options;
  const own = new URL(endpoint).origin;
  let failure: unknown;
  const send = async (input: URL | Request | string, init?: RequestInit): Promise<Response> => {
    const first = new URL(input instanceof Request ? input.url : input.toString());
    const given = new Headers(init?.headers);
    const watchdog = createSilenceWatch(options, first.origin);
    let url = first;
    try {
      if (url.origin !== own)
        throw new SkulkError('HUB_REFUSED', `${own} sends us on to ${url.origin} for its own lists, which is not followed`, {
          hint: 'check HF_ENDPOINT',
        });
      for (let hops = 0; ; hops += 1) {
        watchdog.expect(url.origin);
        const response = await options.fetch(url, { headers: headersFor(url, given), signal: watchdog.signal });
        watchdog.rest();
        const location = response.headers.get('location');
        if (response.status >= 300 && response.status < 400 && location !== null) {
          await response.body?.cancel();
          url = nextHop(url, location, hops);
          continue;
        }
        if (!response.ok) {
          await response.body?.cancel();
          throw mapHubRefusal(
            { status: response.status, headers: response.headers, isOwnHost: url.origin === own, origin: url.origin },
            asked,
          );
        }
        const wanted = readRange(given.get('range'), options.size);
        const why = whyUseless(response, wanted, options);
        if (why !== undefined) {
          await response.body?.cancel();
          throw new UselessAnswer('HUB_UNREACHABLE', `${url.origin} ${why}`, {
            hint: 'a mirror (HF_ENDPOINT) or a proxy between here and Hugging Face does not pass on what is asked for',
          });
        }
        return watched(response, { watchdog, origin: url.origin, mostBytes: wanted && wanted.end - wanted.start });
      }
    } catch (error) {
      watchdog.end();
      failure = options.signal.aborted
        ? options.signal.reason
        : watchdog.signal.aborted
          ? watchdog.signal.reason
          : mapHubNetworkError(error, url.origin);
      throw failure;
    }
  };

  const headersFor = (url: URL, given: Headers): Record<string, string> => ({
    'User-Agent': options.userAgent,
    Accept: given.get('accept')?.includes('json') === true && !given.has('range') ? 'application/json' : '*/*',
    ...(given.has('range') && { Range: given.get('range') ?? '' }),
    ...(url.origin === own && options.token !== undefined && { Authorization: `Bearer ${options.token}` }),
  });

  const nextHop = (from: URL, location: string, hops: number): URL => {
    const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
    const isSafe = to !== undefined && (to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:'));
    if (isSafe && hops < maxRedirects) return to;
    throw new SkulkError('HUB_REFUSED', `${from.origin} redirects ${isSafe ? 'in a circle' : 'to where it is not safe to follow'}`, {
      hint: 'check HF_ENDPOINT and the proxy',
    });
  };

  /** The same answer, whose body ends with an error when nothing comes for too long, or too much. */
  const watched = (
    response: Response,
    { watchdog, origin, mostBytes = Number.POSITIVE_INFINITY }: { watchdog: SilenceWatch; origin: string; mostBytes: number | undefined },
  ): Response => {
    if (response.body === null) return response;
    const isJson = (response.headers.get('content-type') ?? '').startsWith('application/json') && options.commit === undefined;
    const reader = response.body.getReader();
    let received = 0;
    let isCancelled = false;
    const fail = (error: unknown): unknown => {
      watchdog.end();
      failure = options.signal.aborted
        ? options.signal.reason
        : watchdog.signal.aborted
          ? watchdog.signal.reason
          : mapHubNetworkError(error, origin);
      return failure;
    };
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        try {
          watchdog.expect(origin);
          const { done, value } = await reader.read();
          watchdog.rest();
          if (isCancelled) return;
          if (done) {
            watchdog.end();
            controller.close();
            return;
          }
          received += value.length;
          if (isJson && received > options.maxJsonBytes)
            throw new SkulkError('HUB_REFUSED', `${origin} answers with more than ${options.maxJsonBytes} bytes of JSON`, {
              hint: 'check HF_ENDPOINT',
            });
          const left = mostBytes - (received - value.length);
          controller.enqueue(value.length > left ? value.subarray(0, left) : value);
          if (received < mostBytes) return;
          // Some send more than was asked for; the rest is not waited for.
          watchdog.end();
          controller.close();
          if (received > mostBytes) await reader.cancel().catch(() => undefined);
        } catch (error) {
          if (isCancelled) return;
          controller.error(fail(error));
          await reader.cancel().catch(() => undefined);
        }
      },
      cancel: async (reason) => {
        isCancelled = true;
        watchdog.end();
        await reader.cancel(reason).catch(() => undefined);
      },
    });
    const { status, headers } = response;
    return new Response(body, { status, headers });
  };

  return { fetch: send as typeof fetch, failure: () => failure };
}

/** Bytes that are asked for; `end` is exclusive, and `isPart` false where all of the file is meant. */
interface Wanted {
  readonly start: number;
  readonly end: number;
  readonly isPart: boolean;
}

function readRange(header: string | null, size: number | undefined): Wanted | undefined {
  const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(header ?? '') ?? [];
  if (start !== undefined) return { start: Number(start), end: Number(last) + 1, isPart: true };
  return size === undefined ? undefined : { start: 0, end: size, isPart: false };
}

/** Nothing but what was asked for may be written to a file. @returns why an answer is not that, as in `HOST …` */
function whyUseless({ status, headers }: Response, wanted: Wanted | undefined, { asked, commit }: HubFetchOptions): string | undefined {
  const path = quote(asked.path ?? '');
  const sent = headers.get('x-repo-commit');
  if (commit !== undefined && sent !== null && sent !== commit) return `answers with commit ${sent.slice(0, 40)} instead of ${commit}`;
  const coding = headers.get('content-encoding') ?? 'identity';
  if (coding !== 'identity')
    return `sends ${asked.path === undefined ? 'its answer' : path} compressed (${coding.slice(0, 20)}), which was not asked for`;
  if (wanted === undefined) return undefined;
  const { start, end, isPart } = wanted;
  if (!isPart) {
    if (status !== 200) return `sends a part of ${path} where all of it was asked for`;
    const length = headers.get('content-length');
    return length === null || Number(length) === end ? undefined : `sends ${length.slice(0, 20)} bytes of ${path}, which has ${end}`;
  }
  if (status !== 206) return `sends all of ${path} where a part of it was asked for`;
  const [, first, last] = /^bytes (\d+)-(\d+)\/(?:\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? [];
  // More than was asked for is cut off; less is taken, and the rest asked for again.
  return first !== undefined && Number(first) === start && Number(last) >= start
    ? undefined
    : `sends other bytes of ${path} than were asked for`;
}

interface SilenceWatch {
  readonly signal: AbortSignal;
  expect(origin: string): void;
  rest(): void;
  end(): void;
}

function createSilenceWatch({ signal, silenceMs }: HubFetchOptions, firstOrigin: string): SilenceWatch {
  const controller = new AbortController();
  let origin = firstOrigin;
  let stopDeadline: (() => void) | undefined;
  const forward = (): void => controller.abort(signal.reason);
  if (signal.aborted) forward();
  else signal.addEventListener('abort', forward, { once: true });
  const rest = (): void => stopDeadline?.();
  return {
    signal: controller.signal,
    expect: (from) => {
      origin = from;
      rest();
      stopDeadline = startDeadline(
        () =>
          controller.abort(new SkulkError('HUB_UNREACHABLE', `${origin} sent nothing for ${silenceMs / 1000} s`, { hint: 'try again' })),
        silenceMs,
      );
    },
    rest,
    end: () => {
      rest();
      signal.removeEventListener('abort', forward);
    },
  };
}
