import type { LookupFunction } from 'node:net';
import { SkulkError } from '../../kernel/errors.ts';
import type { PieceRequest } from '../../store/contract.ts';
import { mapNetworkError, mapRefusal, notAStore } from '../http/map-failure.ts';
import { checkPieceHead, pieceHeaders, pieceStatuses, pieceTarget } from '../piece-answer.ts';
import { type BodySink, openWire, Stalled, type WireConnection } from './connection.ts';
import { type ResponseHead, UnreadableResponse } from './response-head.ts';

/** The store to read pieces from. */
export interface WireTarget {
  readonly url: string;
  readonly token: string | undefined;
  readonly userAgent: string;
  readonly connectTimeoutMs: number;
  readonly stallTimeoutMs: number;
}

/** Reads pieces over one connection, which is kept open. */
export interface PieceReader {
  /** Announces the next requests in their order: small pieces are requested ahead, so that none waits for a round trip. */
  announce(requests: readonly PieceRequest[]): void;
  /**
   * Delivers the bytes of a piece, in order.
   * @throws SkulkError as `readPiece`; NeedsOrdinaryClient; the signal's reason
   */
  receive(request: PieceRequest, signal: AbortSignal, sink: BodySink): Promise<void>;
  close(): void;
}

/** The answer is valid HTTP, but this reader does not support it; an ordinary client reads it. */
export class NeedsOrdinaryClient extends Error {}

/** How much may be requested ahead of the current read: bytes and requests. */
const aheadBytes = 1024 * 1024;
const aheadRequests = 64;
const maxErrorBytes = 64 * 1024;

/** @param buffer the read buffer; a larger one means fewer turns */
export function createPieceReader(
  target: WireTarget,
  { buffer, lookup }: { buffer: Buffer; lookup?: LookupFunction | undefined },
): PieceReader {
  const url = target.url.replace(/\/+$/, '');
  const { hostname, port, protocol, pathname, host } = new URL(url);
  const isTls = protocol === 'https:';
  const prefix = pathname === '/' ? '' : pathname.replace(/\/+$/, '');
  const fixed = [
    `Host: ${host}`,
    `User-Agent: ${target.userAgent}`,
    'Accept-Encoding: identity',
    ...(target.token === undefined ? [] : [`Authorization: Bearer ${target.token}`]),
  ];
  const headOf = (request: PieceRequest): string => {
    const own = Object.entries(pieceHeaders(request)).map(([name, value]) => `${name}: ${value}`);
    return `${[`GET ${prefix}${pieceTarget(request)} HTTP/1.1`, ...fixed, ...own].join('\r\n')}\r\n\r\n`;
  };
  let wire: WireConnection | undefined;
  /** Requested and not yet read, oldest first. */
  let sent: PieceRequest[] = [];
  let announced: PieceRequest[] = [];

  const open = (): WireConnection => {
    if (wire?.isUsable === true) return wire;
    sent = [];
    const { connectTimeoutMs, stallTimeoutMs } = target;
    const address = hostname.replace(/^\[|\]$/g, '');
    wire = openWire({ host: address, port: Number(port || (isTls ? 443 : 80)), isTls, lookup, connectTimeoutMs, stallTimeoutMs, buffer });
    return wire;
  };
  const drop = (): void => {
    wire?.close();
    wire = undefined;
    // The outstanding requests are sent again.
    announced = [...sent, ...announced];
    sent = [];
  };
  const sendAhead = (over: WireConnection): void => {
    let bytes = sent.reduce((sum, { range }) => sum + range.end - range.start, 0);
    const heads: string[] = [];
    for (let next = announced[0]; next !== undefined && sent.length < aheadRequests; next = announced[0]) {
      bytes += next.range.end - next.range.start;
      if (bytes > aheadBytes) break;
      announced.shift();
      sent.push(next);
      heads.push(headOf(next));
    }
    if (heads.length > 0) over.send(heads.join(''));
  };
  const explain = (error: unknown): unknown => {
    if (error instanceof SkulkError) return error;
    if (error instanceof Stalled)
      return new SkulkError('STORE_UNREACHABLE', `the store at ${url} sent nothing for ${target.stallTimeoutMs / 1000} s`, {
        hint: 'check the network between the machines',
      });
    if (error instanceof NeedsOrdinaryClient) return error;
    if (error instanceof UnreadableResponse) return notAStore(url, `its answer is not valid HTTP: ${error.message}`);
    return mapNetworkError(error, url);
  };

  return {
    announce: (requests) => {
      announced.push(...requests.filter(({ range }) => range.end > range.start));
    },
    receive: async (request, signal, sink) => {
      if (request.range.end <= request.range.start) return;
      if (signal.aborted) throw signal.reason;
      // A piece that is resumed in its middle is not the one that was requested ahead.
      if (sent.length > 0 && !isSame(sent[0], request)) drop();
      announced = announced.filter((one) => !holds(one, request));
      const over = open();
      if (sent.length === 0) {
        sent.push(request);
        over.send(headOf(request));
      }
      sendAhead(over);
      const abort = (): void => over.close();
      signal.addEventListener('abort', abort);
      const guarded = guard(sink);
      try {
        await over.receive((head) => checkHead(head, request, url, guarded.sink));
        sent.shift();
      } catch (error) {
        sent.shift();
        drop();
        if (signal.aborted) throw signal.reason;
        throw guarded.hasFailed() ? error : explain(error);
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
    close: () => wire?.close(),
  };
}

/** Distinguishes errors of the consumer, such as a full disk, from those of the connection. */
function guard(sink: BodySink): { readonly sink: BodySink; readonly hasFailed: () => boolean } {
  let failed = false;
  const note = (error: unknown): never => {
    failed = true;
    throw error;
  };
  return {
    hasFailed: () => failed,
    sink: (bytes) => {
      try {
        return sink(bytes)?.catch(note);
      } catch (error) {
        return note(error);
      }
    },
  };
}

/** Decides what to do with the body of an answer. */
function checkHead(head: ResponseHead, request: PieceRequest, url: string, sink: BodySink): BodySink {
  const { status, headers, length } = head;
  const isRefusal = !pieceStatuses.includes(status);
  // A proxy uses chunked coding, or the body ends with its connection. A busy server need not be asked twice.
  if (length === undefined && !(isRefusal && isBusy(status))) throw new NeedsOrdinaryClient(`an answer ${status} has no length`);
  if (!isRefusal) {
    checkPieceHead(status, (name) => headers.get(name), request);
    return sink;
  }
  const refuse = (body: unknown): SkulkError =>
    mapRefusal({ status, body, location: headers.get('location') ?? null, retryAfter: headers.get('retry-after') ?? null }, url);
  if (length === undefined || length === 0 || length > maxErrorBytes) throw refuse(undefined);
  const text = Buffer.alloc(length);
  let filled = 0;
  return (bytes) => {
    filled += bytes.copy(text, filled);
    if (filled === length) throw refuse(parseOrNothing(text));
    return undefined;
  };
}

const isBusy = (status: number): boolean => status === 429 || status === 503;

function parseOrNothing(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8'));
  } catch {
    return undefined;
  }
}

const isSame = (a: PieceRequest | undefined, b: PieceRequest): boolean => a !== undefined && holds(a, b) && a.range.start === b.range.start;

/** Whether a request is for a piece that contains the other one as its rest, or is equal to it. */
const holds = (whole: PieceRequest, rest: PieceRequest): boolean =>
  whole.modelId === rest.modelId &&
  whole.path === rest.path &&
  whole.sha256 === rest.sha256 &&
  whole.range.end === rest.range.end &&
  whole.range.start <= rest.range.start;
