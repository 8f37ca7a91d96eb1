import { createServer, type IncomingMessage, type ServerResponse, request as sendRequest } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A request through the proxy, and the actions of a fault. */
export interface ProxiedRequest {
  /** From 1, over all requests for bytes of a file. */
  readonly number: number;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  /** The answer of the store; the body is read completely. */
  fetch(): Promise<{ readonly status: number; readonly headers: Record<string, string>; readonly body: Buffer }>;
  /** Answers with these bytes, counted, at the proxy's speed. Header values of `null` are omitted. */
  answer(status: number, headers: Readonly<Record<string, string | null>>, body: Buffer): Promise<void>;
  /** Answers like the store. */
  pass(): Promise<void>;
}

/** Handles a request for bytes of a file as a test defines; `undefined` forwards it. */
export type Fault = (exchange: ProxiedRequest) => Promise<void> | undefined;

/** A proxy between a node and a store. */
export interface FaultProxy extends AsyncDisposable {
  readonly url: string;
  /** Bytes of files that were written to the node's sockets. */
  bytes(): number;
  /** `METHOD /path` of every request. */
  readonly requests: readonly string[];
  connections(): number;
  setFault(fault: Fault | undefined): void;
  setTarget(url: string): void;
  /** Changes the health document of the store. */
  setHealth(change: (health: Record<string, unknown>) => Record<string, unknown>): void;
  /** Called with `METHOD /path` of each request. */
  onRequest(listener: ((line: string) => void) | undefined): void;
  /** Bytes per second of all answers together; 0 means no limit. */
  setRate(bytesPerSecond: number): void;
  /** Settles when so many bytes of files have passed since the proxy began. */
  passed(bytes: number): Promise<void>;
  /** Closes every connection and refuses new ones until it is started again. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

const isForFile = (path: string): boolean => /^\/models\/[^/]+\/./.test(path) && !/^\/models\/[^/]+\/(?:manifest|files)$/.test(path);

/** Starts a proxy on a free port of 127.0.0.1. */
export async function faultProxy(target: string): Promise<FaultProxy> {
  let [to, rate, bytes, files, connections, port] = [target, 0, 0, 0, 0, 0];
  let fault: Fault | undefined;
  let changeHealth: ((health: Record<string, unknown>) => Record<string, unknown>) | undefined;
  let listener: ((line: string) => void) | undefined;
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const waiting = new Set<{ readonly bytes: number; readonly done: () => void }>();
  let mayGoAt = 0;

  const count = (length: number): void => {
    bytes += length;
    for (const one of waiting) if (bytes >= one.bytes) one.done();
  };
  const write = async (response: ServerResponse, body: Buffer, isFile: boolean): Promise<void> => {
    for (let at = 0; at < body.length && !response.destroyed; at += 65_536) {
      const part = body.subarray(at, at + 65_536);
      if (rate > 0) {
        mayGoAt = Math.max(mayGoAt, performance.now()) + (part.length / rate) * 1000;
        await sleep(Math.max(0, mayGoAt - performance.now()));
      }
      if (response.destroyed) return;
      if (isFile) count(part.length);
      if (!response.write(part)) {
        await new Promise<void>((resolve) => {
          const go = (): void => {
            response.off('drain', go).off('close', go);
            resolve();
          };
          response.on('drain', go).on('close', go);
        });
      }
    }
  };

  const makeServer = () =>
    createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      const path = request.url ?? '/';
      requests.push(`${request.method} ${path}`);
      listener?.(`${request.method} ${path}`);
      const isFile = isForFile(path);
      const exchange: ProxiedRequest = {
        number: isFile ? ++files : 0,
        request,
        response,
        socket: request.socket,
        fetch: () =>
          new Promise((resolve, reject) => {
            const sent = sendRequest(
              to + path,
              { method: request.method, headers: { ...request.headers, connection: 'close' }, agent: false },
              (answer) => {
                const chunks: Buffer[] = [];
                answer.on('data', (chunk: Buffer) => chunks.push(chunk));
                answer.on('error', reject);
                answer.on('end', () => {
                  const { connection: _, 'keep-alive': __, ...headers } = answer.headers as Record<string, string>;
                  resolve({ status: answer.statusCode ?? 0, headers, body: Buffer.concat(chunks) });
                });
              },
            );
            sent.on('error', reject);
            request.pipe(sent);
          }),
        answer: async (status, headers, body) => {
          for (const [name, value] of Object.entries(headers)) if (value !== null) response.setHeader(name, value);
          response.writeHead(status);
          response.flushHeaders();
          await write(response, body, isFile);
          response.end();
        },
        pass: async () => {
          const { status, headers, body } = await exchange.fetch();
          if (path === '/health' && changeHealth !== undefined) {
            const changed = Buffer.from(JSON.stringify(changeHealth(JSON.parse(body.toString()) as Record<string, unknown>)));
            return exchange.answer(status, { ...headers, 'content-length': String(changed.length) }, changed);
          }
          await exchange.answer(status, headers, body);
        },
      };
      response.on('error', () => {});
      void ((isFile ? fault?.(exchange) : undefined) ?? exchange.pass()).catch(() => request.socket.destroy());
    }).on('connection', (socket) => {
      connections += 1;
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    });

  let server = makeServer();
  const start = (): Promise<void> =>
    new Promise((resolve) => {
      server = makeServer();
      server.listen(port, '127.0.0.1', () => {
        port = (server.address() as AddressInfo).port;
        resolve();
      });
    });
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    bytes: () => bytes,
    requests,
    connections: () => connections,
    setFault: (next) => {
      fault = next;
    },
    setHealth: (change) => {
      changeHealth = change;
    },
    onRequest: (next) => {
      listener = next;
    },
    setTarget: (url) => {
      to = url;
    },
    setRate: (bytesPerSecond) => {
      rate = bytesPerSecond;
    },
    passed: (wanted) =>
      new Promise((resolve) => {
        if (bytes >= wanted) return resolve();
        const one = {
          bytes: wanted,
          done: () => {
            waiting.delete(one);
            resolve();
          },
        };
        waiting.add(one);
      }),
    stop,
    start,
    [Symbol.asyncDispose]: stop,
  };
}
