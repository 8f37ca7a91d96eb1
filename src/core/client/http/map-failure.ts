import { type ErrorCode, isErrorCode, SkulkError, systemCode } from '../../kernel/errors.ts';
import { describeNetworkError, isUnresolved } from '../../kernel/explain-network-error.ts';

/** The parts of a store's refusal. */
export interface Refusal {
  readonly status: number;
  /** The parsed body; undefined if it was not JSON. */
  readonly body: unknown;
  readonly location: string | null;
  readonly retryAfter: string | null;
}

/** Codes about the own process, which a store's answer must not set. */
const ownCodes = new Set<ErrorCode>(['INTERRUPTED', 'TERMINATED', 'USAGE', 'CONFIG']);

/** Turns an unexpected answer into an error. Pure. */
export function mapRefusal({ status, body, location, retryAfter }: Refusal, url: string): SkulkError {
  if (status >= 300 && status < 400) {
    const message = `the store at ${url} answers with a redirect${location === null ? '' : ` to ${clean(location)}`}, which is not followed`;
    return new SkulkError('STORE_UNREACHABLE', message, { hint: 'give the URL of the store itself in SKULK_STORE or --store' });
  }
  if (status === 403 && readBody(body).code === 'FORBIDDEN') {
    const { detail, hint } = readBody(body);
    // The caller may replace it with a better explanation of the cause.
    const cause = new SkulkError('FORBIDDEN', detail ?? 'forbidden', { hint });
    return new SkulkError('CONFIG', `the store at ${url} refused: ${detail ?? 'forbidden'}`, { hint, cause });
  }
  if (status === 401 || status === 403) {
    const says = readBody(body).detail;
    return new SkulkError('CONFIG', `the store at ${url} refused access${says === undefined ? '' : `: ${says}`}`, {
      hint: 'set SKULK_TOKEN to a valid token; `skulk token create NAME --role node` on the store host makes one',
      ...(status === 401 && { cause: new SkulkError('UNAUTHORIZED', says ?? 'unauthorized') }),
    });
  }
  const { detail, code, hint, storeUrl } = readBody(body);
  const retryAfterMs = retryAfterOf(retryAfter);
  const isApi = storeUrl !== undefined || isApiPort(url);
  if (code === 'NOT_FOUND' || (status === 405 && isApi)) {
    const why = 'it does not support a request that every store must support';
    return isApi ? isTheApi(url, why, { storeUrl }) : notAStore(url, why);
  }
  if (isErrorCode(code) && !ownCodes.has(code))
    return new SkulkError(code, detail ?? `the store at ${url} answered ${status}`, { hint, retryAfterMs });
  if (detail === undefined && status !== 503 && status !== 429) return notAStore(url, `it answered ${status}`);
  const says = detail === undefined ? '' : `: ${detail}`;
  if (status === 404)
    return new SkulkError('MODEL_NOT_FOUND', detail ?? 'not in the store', { hint: hint ?? '`skulk registry` lists the models' });
  if (status === 503 || status === 429)
    return new SkulkError('STORE_BUSY', `the store at ${url} is busy${says}`, { hint: hint ?? 'try again in a moment', retryAfterMs });
  if (status >= 500)
    return new SkulkError('STORE_UNREACHABLE', `the store at ${url} answered ${status}${says}`, {
      hint: hint ?? 'see the log of the store',
    });
  return new SkulkError('BAD_REQUEST', `the store at ${url} answered ${status}${says}`, { hint });
}

/** The default port of the page and the API, which people copy from the browser. */
const apiPort = '52415';
const isApiPort = (url: string): boolean => URL.canParse(url) && new URL(url).port === apiPort;

/** The error if another program, or another server of skulk, answers at the URL, with another protocol. */
export function notAStore(url: string, why: string, cause?: unknown): SkulkError {
  if (isApiPort(url)) return isTheApi(url, why, { cause });
  const path = URL.canParse(url) ? new URL(url).pathname.replace(/\/$/, '') : '';
  const withoutPath = path === '' ? '' : `if no proxy serves the store at ${path}, remove that part of the address; `;
  return new SkulkError('STORE_UNREACHABLE', `${url} answers, but is not a skulk store: ${why}`, {
    hint: `${withoutPath}check the host and the port in SKULK_STORE, --store or skulk.yaml: the default port of a store is 58080; 52415 is the web page`,
    cause,
  });
}

/**
 * The error if the API of skulk answers at the URL.
 * @param storeUrl the URL of the store that it names; null if it knows none, undefined if it is of an older release
 */
function isTheApi(
  url: string,
  why: string,
  { storeUrl, cause }: { readonly storeUrl?: string | null | undefined; readonly cause?: unknown },
): SkulkError {
  const { hostname, port, protocol } = new URL(url);
  const named = typeof storeUrl === 'string' && /^https?:/.test(storeUrl) && URL.canParse(storeUrl) ? new URL(storeUrl) : undefined;
  // The store is on the machine of that API. The address with which this machine reaches it is known.
  if (named !== undefined && /^(?:127\.|localhost$|\[::1\]$)/.test(named.hostname)) named.hostname = hostname;
  const store = named?.origin ?? (storeUrl === null ? undefined : `http://${hostname}:58080`);
  const is = `${port === '' ? { 'http:': '80', 'https:': '443' }[protocol] : port} is the port of the page and the API`;
  return new SkulkError('STORE_UNREACHABLE', store === undefined ? is : `${is}; the store is at ${store}`, {
    hint: `set SKULK_STORE, --store or skulk.yaml to ${store ?? 'the URL of the store: its default port is 58080'}`,
    cause: new SkulkError('NOT_FOUND', why, { cause }),
  });
}

/** Turns a network failure into an error with the store's URL. Returns other values unchanged. */
export function mapNetworkError(error: unknown, url: string): unknown {
  if (error instanceof SkulkError) return error;
  const code = systemCode(error) ?? '';
  if (code.startsWith('HPE_')) return notAStore(url, 'its answer is not valid HTTP', error);
  return new SkulkError('STORE_UNREACHABLE', `cannot reach the store at ${url}: ${describeNetworkError(error)}`, {
    hint: [
      hints[code] ?? 'check that `skulk serve` is running there',
      isUnresolved(error) ? undefined : (withUsualPort(url) ?? otherPort(url, code)),
    ]
      .filter(Boolean)
      .join('; '),
    cause: error,
  });
}

/** A store can have any port, so that another one is only worth a look if nothing listens there. */
const otherPort = (url: string, code: string): string | undefined =>
  code === 'ECONNREFUSED' && URL.canParse(url) && new URL(url).port !== String(usualPort)
    ? 'check the port too: `skulk discover` lists the stores that answer'
    : undefined;

/** The address with a store's usual port, if the URL has port 80 or that of the page; undefined for other URLs. Pure. */
export function withUsualPort(url: string): string | undefined {
  if (!url.startsWith('http:') || !URL.canParse(url)) return undefined;
  const { hostname, port } = new URL(url);
  if (port === apiPort)
    return `${port} is the port of the page and the API, and a store has port ${usualPort}: try http://${hostname}:${usualPort}`;
  return port === '' ? `${url} is port 80, and a store has port ${usualPort}: try http://${hostname}:${usualPort}` : undefined;
}

const usualPort = 58080;

const nameServers = 'the name servers of this machine (/etc/resolv.conf)';
const setAddress = 'set an address: store_http_host or SKULK_STORE=http://192.168.1.10:58080';

const hints: Record<string, string> = {
  ENOTFOUND: `check the name (try NAME.local), or ${setAddress}`,
  EAI_AGAIN: `check the name and ${nameServers}, or ${setAddress}`,
  NAME_TIMEOUT: `check ${nameServers}, or ${setAddress}`,
  NAME_UNKNOWN: 'start `skulk serve` there; `skulk discover` lists the stores that answer now, if the name is wrong',
  ETIMEDOUT: 'check that the host is up and that no firewall blocks the connection',
  EHOSTUNREACH: 'check that the host is up and on this network',
  EPROTO: 'if `skulk serve` runs there without a TLS proxy, use http:// instead of https://',
};

function readBody(body: unknown): {
  detail?: string | undefined;
  code?: unknown;
  hint?: string | undefined;
  storeUrl?: string | null | undefined;
} {
  if (typeof body !== 'object' || body === null) return {};
  const { detail, code, hint, store_url: storeUrl } = body as Record<string, unknown>;
  return {
    detail: typeof detail === 'string' ? clean(detail) : undefined,
    code,
    hint: typeof hint === 'string' ? clean(hint) : undefined,
    storeUrl: storeUrl === null || typeof storeUrl === 'string' ? storeUrl : undefined,
  };
}

/** The milliseconds in a Retry-After header, which has seconds. */
export function retryAfterOf(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header.trim()) ? Number(header) * 1000 : undefined;
}

/** A text from the store that is safe on one line of a terminal. */
export function clean(text: string): string {
  const short = text.length > 1000 ? `${text.slice(0, 999)}…` : text;
  return short.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD');
}
