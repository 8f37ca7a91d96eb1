import type { Agent, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { LookupFunction } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { urlToHttpOptions } from 'node:url';
import { SkulkError } from '../../kernel/errors.ts';
import { mapNetworkError } from './map-failure.ts';
import { boundConnecting } from './transport.ts';

/** Hands requests on to one store. */
export interface Forwarder {
  /**
   * Sends a request on as it came and its answer back as it comes; nothing is held back or kept.
   * Throws STORE_UNREACHABLE as long as no byte of an answer was sent; afterwards the connection is cut off.
   * @param target path and query, sent as they are
   * @param begin called right before the first byte of the answer is sent
   * @param authorization what the store is shown; never this machine's own, as that of somebody else's request
   * @param location makes the `Location` that the client gets, from the path of the one in the answer
   */
  forward(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    target: string,
    options: {
      readonly begin: () => void;
      readonly authorization: string | undefined;
      readonly location?: ((path: string) => string) | undefined;
    },
  ): Promise<void>;
  /**
   * Asks the store something whose answer is short, and reads it to its end. Throws STORE_UNREACHABLE, also for an answer that is longer
   * than `maxBytes` or takes longer than `timeoutMs`.
   * @param authorization see `forward`
   */
  ask(
    target: string,
    options: {
      readonly method: 'GET' | 'HEAD';
      readonly headers: Readonly<Record<string, string>>;
      readonly authorization: string | undefined;
      readonly timeoutMs: number;
      readonly maxBytes: number;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<ShortAnswer>;
  close(): void;
}

/** A short answer of the store. */
export interface ShortAnswer {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** They speak of one connection (RFC 9110, 7.6.1), or of who asked, which this machine has judged already; what is shown of that to the store is said apart. */
const dropped: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'expect',
  'host',
  'origin',
  'referer',
  'cookie',
  'authorization',
]);

/**
 * @param silenceMs how long the store may send nothing
 * @param lookup how the store is found for a request without a token, and for one with it
 */
export function createForwarder({
  url: given,
  withheld,
  lookup,
  connectTimeoutMs,
  silenceMs,
}: {
  readonly url: string;
  /** Why no token may go there. */
  readonly withheld: SkulkError | undefined;
  readonly lookup: Readonly<Record<'open' | 'withToken', LookupFunction | undefined>>;
  readonly connectTimeoutMs: number;
  readonly silenceMs: number;
}): Forwarder {
  const url = given.replace(/\/+$/, '');
  const isTls = url.startsWith('https:');
  const { request, Agent: AgentOf } = isTls ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http');
  // A kept connection may end just as it is used again, and only what changes nothing may then be sent once more. So nothing is kept.
  const agentBy = (by: LookupFunction | undefined): Agent =>
    boundConnecting(new AgentOf({ keepAlive: false, ...(by !== undefined && { lookup: by }) }) as Agent, connectTimeoutMs);
  const agents = { open: agentBy(lookup.open), withToken: agentBy(lookup.withToken) };
  // A URL that is put together and parsed again would lose its dot segments, and with them the path that was checked.
  const parsed = new URL(url);
  const base = urlToHttpOptions(parsed);
  const prefix = parsed.pathname.replace(/\/+$/, '');
  const unreachable = (why: string): SkulkError => new SkulkError('STORE_UNREACHABLE', `the store at ${url} ${why}`);
  return {
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
    ask: async (target, { method, headers: given, authorization, timeoutMs, maxBytes, signal }) => {
      if (authorization !== undefined && withheld !== undefined) throw withheld;
      const headers = { ...given, ...(authorization !== undefined && { authorization }) };
      const agent = authorization === undefined ? agents.open : agents.withToken;
      const onward = request({ ...base, path: prefix + target, method, headers, agent, ...(signal !== undefined && { signal }) });
      // In all, and not only between two bytes: somebody waits for the answer to this before they get a byte.
      const timer = setTimeout(() => onward.destroy(unreachable(`did not answer within ${timeoutMs / 1000} s`)), timeoutMs);
      try {
        const answer = await new Promise<IncomingMessage>((resolve, reject) => {
          onward.once('response', resolve);
          onward.once('error', reject);
          onward.end();
        });
        const parts: Buffer[] = [];
        let length = 0;
        for await (const part of answer as AsyncIterable<Buffer>) {
          length += part.length;
          if (length > maxBytes) throw unreachable(`sent more than ${maxBytes} bytes`);
          parts.push(part);
        }
        const plain = Object.entries(answer.headers).flatMap(([name, value]) =>
          typeof value === 'string' ? [[name, value] as const] : [],
        );
        return { status: answer.statusCode ?? 502, headers: Object.fromEntries(plain), body: Buffer.concat(parts) };
      } catch (error) {
        onward.destroy();
        throw mapNetworkError(error, url);
      } finally {
        clearTimeout(timer);
      }
    },
    forward: async (incoming, outgoing, target, { begin, authorization, location }) => {
      if (authorization !== undefined && withheld !== undefined) throw withheld;
      const body = framingOf(incoming.headers);
      const headers = { ...passOn(incoming.headers), ...body };
      if (authorization !== undefined) headers['authorization'] = authorization;
      const agent = authorization === undefined ? agents.open : agents.withToken;
      const onward = request({ ...base, path: prefix + target, method: incoming.method, headers, agent });
      onward.setTimeout(silenceMs, () => onward.destroy(unreachable(`sent nothing for ${silenceMs / 1000} s`)));
      // Whoever asked may go away.
      const leave = (): void => void onward.destroy();
      outgoing.once('close', leave);
      try {
        const answer = await new Promise<IncomingMessage>((resolve, reject) => {
          onward.once('response', resolve);
          onward.once('error', reject);
          incoming.once('error', reject);
          if (body === undefined) onward.end();
          else incoming.pipe(onward);
        });
        begin();
        const length = answer.headers['content-length'];
        outgoing.writeHead(answer.statusCode ?? 502, {
          ...passOn(answer.headers),
          ...(length !== undefined && { 'content-length': length }),
          ...movedTo(answer.headers.location, location),
        });
        // A stream may have nothing to say for a while, and whoever listens wants to know that it is there.
        outgoing.flushHeaders();
        await pipeline(answer, outgoing);
      } catch (error) {
        onward.destroy();
        if (outgoing.headersSent || outgoing.destroyed) return void outgoing.destroy();
        throw mapNetworkError(error, url);
      } finally {
        outgoing.off('close', leave);
      }
    },
  };
}

/**
 * How a body is told apart from the next request; undefined when there is none. Of a GET with a body that nothing frames Node would send
 * the bytes as they are, and the store would read them as a request of their own. What a Connection header says changes nothing here.
 */
function framingOf(headers: IncomingMessage['headers']): OutgoingHttpHeaders | undefined {
  if (headers['transfer-encoding'] !== undefined) return { 'transfer-encoding': 'chunked' };
  const length = headers['content-length'];
  return length === undefined ? undefined : { 'content-length': length };
}

/** The location in the answer names the store, which the client of this node may not be able to reach. */
function movedTo(given: string | undefined, location: ((path: string) => string) | undefined): OutgoingHttpHeaders {
  if (given === undefined || location === undefined || !URL.canParse(given, 'http://store')) return {};
  return { location: location(new URL(given, 'http://store').pathname) };
}

function passOn(headers: IncomingMessage['headers']): OutgoingHttpHeaders {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const kept = Object.entries(headers).filter(([name]) => !dropped.has(name) && !named.includes(name) && !name.startsWith('sec-fetch-'));
  return Object.fromEntries(kept);
}
