import type { Agent, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { LookupFunction } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { urlToHttpOptions } from 'node:url';
import { SkulkError } from '../../kernel/errors.ts';
import { startDeadline } from '../../kernel/flow/deadline.ts';
import { mapNetworkError } from './map-failure.ts';
import { boundConnecting } from './transport.ts';

/** Forwards requests to one store. */
export interface Forwarder {
  /**
   * Forwards a request unchanged, and its answer as it arrives, without buffering or caching. Throws STORE_UNREACHABLE if no byte of an
   * answer was sent yet; after that it closes the connection.
   * @param target path and query, sent unchanged
   * @param begin called right before the first byte of the answer is sent
   * @param authorization the credential for the store; never this machine's own, because the request belongs to another client
   * @param location makes the client's `Location` header from the path of the one in the answer
   */
  forward(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    target: string,
    options: {
      readonly begin: () => void;
      readonly authorization: string | undefined;
      readonly location?: ((path: string) => string) | undefined;
      /** When no answer has begun after so long, the store is given up if this fails: it accepts connections and says nothing. */
      readonly watch?: { readonly afterMs: number; readonly isThere: () => Promise<unknown> } | undefined;
    },
  ): Promise<void>;
  /**
   * Sends the store a request with a short answer, and reads it to the end. Throws STORE_UNREACHABLE, also for an answer that exceeds
   * `maxBytes` or `timeoutMs`.
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
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * They describe one connection (RFC 9110, 7.6.1), or the client, whose rights this machine has already checked. The credential for the
 * store is passed separately.
 */
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
 * @param lookup resolves the store's name for a request without a token, and for one with it
 */
export function createForwarder({
  url: given,
  withheld,
  lookup,
  connectTimeoutMs,
  silenceMs,
}: {
  readonly url: string;
  /** Why no token may be sent there. */
  readonly withheld: SkulkError | undefined;
  readonly lookup: Readonly<Record<'open' | 'withToken', LookupFunction | undefined>>;
  readonly connectTimeoutMs: number;
  readonly silenceMs: number;
}): Forwarder {
  const url = given.replace(/\/+$/, '');
  const isTls = url.startsWith('https:');
  const { request, Agent: AgentOf } = isTls ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http');
  // The server may close an idle connection just when it is reused, and only safe requests may then be sent again. So connections are not
  // reused.
  const agentBy = (by: LookupFunction | undefined): Agent =>
    boundConnecting(new AgentOf({ keepAlive: false, ...(by !== undefined && { lookup: by }) }) as Agent, connectTimeoutMs);
  const agents = { open: agentBy(lookup.open), withToken: agentBy(lookup.withToken) };
  // Formatting and parsing the URL again would remove dot segments, and so change the validated path.
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
      // A limit for the whole answer, and not only between two bytes, because a client waits for it before it gets a byte.
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
    forward: async (incoming, outgoing, target, { begin, authorization, location, watch }) => {
      if (authorization !== undefined && withheld !== undefined) throw withheld;
      const body = framingOf(incoming.headers);
      const headers = { ...passOn(incoming.headers), ...body };
      if (authorization !== undefined) headers['authorization'] = authorization;
      const agent = authorization === undefined ? agents.open : agents.withToken;
      const onward = request({ ...base, path: prefix + target, method: incoming.method, headers, agent });
      onward.setTimeout(silenceMs, () => onward.destroy(unreachable(`sent nothing for ${silenceMs / 1000} s`)));
      // The client may disconnect.
      const leave = (): void => void onward.destroy();
      outgoing.once('close', leave);
      let hasBegun = false;
      const look = (): void =>
        void watch?.isThere().catch(() => hasBegun || onward.destroy(unreachable('accepts connections, but does not answer')));
      const stopWatching = watch === undefined ? undefined : startDeadline(look, watch.afterMs);
      try {
        const answer = await new Promise<IncomingMessage>((resolve, reject) => {
          onward.once('response', resolve);
          onward.once('error', reject);
          incoming.once('error', reject);
          if (body === undefined) onward.end();
          else incoming.pipe(onward);
        });
        hasBegun = true;
        begin();
        const length = answer.headers['content-length'];
        outgoing.writeHead(answer.statusCode ?? 502, {
          ...passOn(answer.headers),
          ...(length !== undefined && { 'content-length': length }),
          ...movedTo(answer.headers.location, location),
        });
        // A stream may be silent for a while, and its listener needs to know that it is connected.
        outgoing.flushHeaders();
        await pipeline(answer, outgoing);
      } catch (error) {
        onward.destroy();
        if (outgoing.headersSent || outgoing.destroyed) return void outgoing.destroy();
        throw mapNetworkError(error, url);
      } finally {
        stopWatching?.();
        outgoing.off('close', leave);
      }
    },
  };
}

/**
 * The headers that frame a body; undefined without a body. For a GET with an unframed body, Node would send its bytes unchanged, and the
 * store would read them as another request. The Connection header does not change that.
 */
function framingOf(headers: IncomingMessage['headers']): OutgoingHttpHeaders | undefined {
  if (headers['transfer-encoding'] !== undefined) return { 'transfer-encoding': 'chunked' };
  const length = headers['content-length'];
  return length === undefined ? undefined : { 'content-length': length };
}

/** The location in the answer contains the store's name, which the client of this node may not be able to reach. */
function movedTo(given: string | undefined, location: ((path: string) => string) | undefined): OutgoingHttpHeaders {
  if (given === undefined || location === undefined || !URL.canParse(given, 'http://store')) return {};
  return { location: location(new URL(given, 'http://store').pathname) };
}

function passOn(headers: IncomingMessage['headers']): OutgoingHttpHeaders {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const kept = Object.entries(headers).filter(([name]) => !dropped.has(name) && !named.includes(name) && !name.startsWith('sec-fetch-'));
  return Object.fromEntries(kept);
}
