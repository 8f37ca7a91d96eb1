import { request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';

/** An answer in its raw form. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** The body as JSON. */
  json(): unknown;
}

/** Sends one request with exactly the given target. */
export function ask(
  url: string,
  target: string,
  { method = 'GET', headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string | Uint8Array } = {},
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ host: hostname, port, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: bytes,
          json: () => JSON.parse(bytes.toString('utf8')),
        });
      });
    });
    // node:http refuses to send some characters that curl sends.
    Object.assign(sent, { path: target });
    sent.on('error', reject);
    sent.end(body);
  });
}

/**
 * The end of long work with an answer line by line: its result, or the code of its error. Work of a second or longer has status 200 before
 * its end is known.
 */
export async function outcomeOf(answer: RawAnswer | Response): Promise<unknown> {
  const text = answer instanceof Response ? await answer.text() : answer.body.toString('utf8');
  const last = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as { result?: unknown; error?: { code: string }; code?: string };
  return last.result ?? { code: last.error?.code ?? last.code };
}

/** Writes bytes to a socket and returns all bytes that arrive until it is closed. */
export function talk(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
}

/** A server on a free port that handles each connection as a test defines. */
export async function rawServer(
  onSocket: (socket: Socket, requestHead: string) => void,
): Promise<{ readonly url: string; readonly heads: string[] } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const heads: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      heads.push(data.toString('latin1'));
      onSocket(socket, data.toString('latin1'));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    heads,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
