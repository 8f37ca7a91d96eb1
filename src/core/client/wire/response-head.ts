/** The headers of an answer to a request for bytes. */
export interface ResponseHead {
  readonly status: number;
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes of the body; undefined if unknown, or with a transfer coding. */
  readonly length: number | undefined;
  /** Whether another answer may follow on this connection. */
  readonly isKept: boolean;
}

/** The server does not speak valid HTTP. */
export class UnreadableResponse extends Error {}

/** The size limit of headers, in bytes; a store's own headers have some four hundred. */
export const maxHeadBytes = 16 * 1024;
const maxHeaders = 100;

const statusLine = /^HTTP\/1\.1 ([2-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
/** RFC 9110, 5.1 and 5.5: a token, a colon, a value without controls. Folded lines begin with a space and never match. */
const headerLine =
  /^([!#$%&'*+\-.^_`|~\dA-Za-z]+):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*$/;

/**
 * Parses the headers of an answer: exactly HTTP/1.1, lines that end in CR LF, at most one Content-Length. Pure. Source: RFC 9112.
 * @param text the headers in latin1, without the empty line at the end
 * @throws UnreadableResponse
 */
export function parseResponseHead(text: string): ResponseHead {
  const [first = '', ...lines] = text.split('\r\n');
  const status = Number(statusLine.exec(first)?.[1] ?? Number.NaN);
  if (Number.isNaN(status)) throw new UnreadableResponse(`it begins with ${JSON.stringify(first.slice(0, 60))}`);
  if (lines.length > maxHeaders) throw new UnreadableResponse(`it has more than ${maxHeaders} headers`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value = ''] = headerLine.exec(line) ?? [];
    if (name === undefined) throw new UnreadableResponse(`it has the header line ${JSON.stringify(line.slice(0, 60))}`);
    const key = name.toLowerCase();
    // With two lengths or ranges, one must be wrong; other repeated headers mean a list.
    if (headers.has(key) && single.has(key)) throw new UnreadableResponse(`it has two ${key} headers`);
    headers.set(key, headers.has(key) ? `${headers.get(key)}, ${value}` : value);
  }
  return {
    status,
    headers,
    length: lengthOf(status, headers),
    isKept: !/(?:^|,)\s*close\s*(?:,|$)/i.test(headers.get('connection') ?? ''),
  };
}

const single: ReadonlySet<string> = new Set([
  'content-length',
  'content-range',
  'content-encoding',
  'transfer-encoding',
  'etag',
  'location',
  'retry-after',
]);

function lengthOf(status: number, headers: ReadonlyMap<string, string>): number | undefined {
  const text = headers.get('content-length');
  if (headers.has('transfer-encoding')) {
    // One of them must be wrong (RFC 9112, 6.3).
    if (text !== undefined) throw new UnreadableResponse('it has a length and a transfer coding');
    return undefined;
  }
  if (status === 204 || status === 304) return 0;
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new UnreadableResponse(`it has the length ${JSON.stringify(text.slice(0, 60))}`);
  return Number(text);
}
