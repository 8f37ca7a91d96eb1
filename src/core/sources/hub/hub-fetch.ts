import { SkulkError } from '../../kernel/errors.ts';
import { viaHeader } from '../../protocol/via.ts';
import { UselessAnswer } from '../../transfer/useless-answer.ts';
import { hasToken, hideTokenInHeaders } from './hide-token.ts';
import { huggingFace } from './hub-name.ts';
import { limitBody } from './limit-body.ts';
import { type Asked, mapHubNetworkError, mapHubRefusal } from './map-failure.ts';
import { createSilenceWatch, type SilenceWatch } from './silence-watch.ts';
import { readRange, type WantedBytes, whyUseless } from './wanted-bytes.ts';

/** Sends one GET; follows no redirects. */
export type RawFetch = (
  url: URL,
  init: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal },
) => Promise<Response>;

/** The limits of one conversation with the Hub. */
export interface HubFetchOptions {
  readonly fetch: RawFetch;
  /** Origin and optional path, without a trailing slash. */
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly userAgent: string;
  /** See `HubOptions`. */
  readonly via?: string | undefined;
  readonly signal: AbortSignal;
  /** How long the server may be silent, in milliseconds. */
  readonly silenceMs: number;
  readonly asked: Asked;
  /** The size limit of all answers that are not files, in bytes. Their `Content-Type` proves nothing. */
  readonly maxJsonBytes: number;
  /** The maximum number of requests: a list could link to its next page forever. */
  readonly maxRequests: number;
  /** The expected commit of the bytes. */
  readonly commit?: string;
  /** The size of the file whose bytes are requested. */
  readonly size?: number;
}

const maxRedirects = 5;

/**
 * A `fetch` for the Hub's library that validates everything. Only the Hub's own host is contacted, and only it gets the token. Redirects
 * must be http or https, and never from https to http. The answer to a range must be that range. Silence ends the request. Every failure
 * becomes a SkulkError, which is also stored in `failure`, because the library only passes on its text.
 */
export function createHubFetch(options: HubFetchOptions): { readonly fetch: typeof fetch; readonly failure: () => unknown } {
  const own = new URL(options.endpoint).origin;
  let failure: unknown;
  let requests = 0;
  let bytes = 0;
  const count = (more: number): void => {
    bytes += more;
    // With a commit, a file is requested, and a JSON file may have any size.
    if (options.commit === undefined && bytes > options.maxJsonBytes)
      throw endless(own, `answered with more than ${options.maxJsonBytes} bytes`);
  };
  const send = async (input: URL | Request | string, init?: RequestInit): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input.toString());
    const watchdog = createSilenceWatch(options, url.origin);
    const exchange: Exchange = { options, own, given: new Headers(init?.headers), watchdog, count };
    const fail = (error: unknown): unknown => {
      watchdog.end();
      failure = failureOf(exchange, error);
      return failure;
    };
    try {
      requests += 1;
      if (requests > options.maxRequests) throw endless(own, `has a list of more than ${options.maxRequests} pages`);
      return await ask(exchange, url, fail);
    } catch (error) {
      throw fail(error);
    }
  };
  return { fetch: send as typeof fetch, failure: () => failure };
}

/** One request of the library, with its redirects. */
interface Exchange {
  readonly options: HubFetchOptions;
  /** The origin of the Hub. */
  readonly own: string;
  /** The library's own headers. */
  readonly given: Headers;
  readonly watchdog: SilenceWatch;
  readonly count: (bytes: number) => void;
}

const endless = (origin: string, what: string): SkulkError =>
  new SkulkError('HUB_REFUSED', `${origin} ${what}`, { hint: 'check HF_ENDPOINT' });

/** The reason of an abort, else the silence, else the network's error. */
function failureOf({ options, watchdog }: Exchange, error: unknown): unknown {
  if (options.signal.aborted) return options.signal.reason;
  return watchdog.signal.aborted ? watchdog.signal.reason : mapHubNetworkError(error, watchdog.origin(), options.asked.of);
}

async function ask(exchange: Exchange, first: URL, fail: (error: unknown) => unknown): Promise<Response> {
  const { options, own, given, watchdog, count } = exchange;
  if (first.origin !== own)
    throw new SkulkError('HUB_REFUSED', `${own} redirects its lists to ${first.origin}, which is not followed`, {
      hint: `check ${(options.asked.of ?? huggingFace).setting}`,
    });
  const { response, origin } = await follow(exchange, first);
  const wanted = readRange(given.get('range'), options.size);
  await checkAnswer(exchange, response, origin, wanted);
  return limitBody(response, {
    origin,
    watchdog,
    maxBytes: wanted === undefined ? Number.POSITIVE_INFINITY : wanted.end - wanted.start,
    count,
    fail,
  });
}

/** Sends the request, and follows safe redirects. @returns the first other answer, and its origin */
async function follow(
  { options, own, given, watchdog }: Exchange,
  first: URL,
): Promise<{ readonly response: Response; readonly origin: string }> {
  let url = first;
  for (let hops = 0; ; hops += 1) {
    watchdog.expect(url.origin);
    const headers = headersFor(given, {
      userAgent: options.userAgent,
      via: url.origin === own ? options.via : undefined,
      token: url.origin === own ? options.token : undefined,
    });
    const response = hideTokenInHeaders(await options.fetch(url, { headers, signal: watchdog.signal }), options.token);
    watchdog.rest();
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) return { response, origin: url.origin };
    await response.body?.cancel();
    url = nextHop(url, location, { hops, token: options.token });
  }
}

const headersFor = (
  given: Headers,
  { userAgent, token, via }: Pick<HubFetchOptions, 'userAgent' | 'token' | 'via'>,
): Record<string, string> => ({
  'User-Agent': userAgent,
  ...(via !== undefined && { [viaHeader]: via }),
  Accept: given.get('accept')?.includes('json') === true && !given.has('range') ? 'application/json' : '*/*',
  ...(given.has('range') && { Range: given.get('range') ?? '' }),
  ...(token !== undefined && { Authorization: `Bearer ${token}` }),
});

function nextHop(from: URL, location: string, { hops, token }: { readonly hops: number; readonly token: string | undefined }): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  const isSafe =
    to !== undefined &&
    (to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:')) &&
    // `fetch` refuses a URL with a user or a password, and its error would show them.
    to.username === '' &&
    to.password === '' &&
    // Errors name the host.
    !hasToken(to.host, token);
  if (isSafe && hops < maxRedirects) return to;
  throw new SkulkError('HUB_REFUSED', `${from.origin} redirects ${isSafe ? 'in a circle' : 'to an unsafe address'}`, {
    hint: 'check HF_ENDPOINT and the proxy',
  });
}

/** Accepts only a success with the requested content. */
async function checkAnswer({ options, own }: Exchange, response: Response, origin: string, wanted: WantedBytes | undefined): Promise<void> {
  if (!response.ok) {
    await response.body?.cancel();
    throw mapHubRefusal({ status: response.status, headers: response.headers, isOwnHost: origin === own, origin }, options.asked);
  }
  const why = whyUseless(response, wanted, options);
  if (why === undefined) return;
  await response.body?.cancel();
  throw new UselessAnswer('HUB_UNREACHABLE', `${origin} ${why}`, {
    hint: 'a mirror (HF_ENDPOINT) or a proxy changes the requests or answers',
  });
}
