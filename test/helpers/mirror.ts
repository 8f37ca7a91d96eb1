import type { ServerResponse } from 'node:http';
import { bytesOf, type FakeHub } from './fake-hub.ts';

/** The answer of a mirror to a request for bytes from `start` to `end`; `isPart` if the request was for less than the whole file. */
export interface MirrorAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Break the connection after the body. */
  readonly breaks?: boolean;
}

/** The requests to a mirror. */
export interface MirrorAsked {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly isPart: boolean;
  readonly content: Buffer;
  /** Counts from 1, over all requests for this file. */
  readonly number: number;
}

/** What a mirror was asked for, and how much it could send before the connection was closed here. */
export interface Mirror {
  readonly requests: { readonly path: string; readonly isPart: boolean; sent: number }[];
  /** The requests to a mirror, and the bytes that it could send before the connection was closed here. */
  openParts: number;
}

/** The number of range answers that were still being sent when all bytes of a file had been sent. */
export function putMirrorBefore(
  hub: FakeHub,
  files: Readonly<Record<string, Uint8Array | string>>,
  answer: (asked: MirrorAsked) => MirrorAnswer | undefined,
): Mirror {
  const mirror: Mirror = { requests: [], openParts: 0 };
  let open = 0;
  hub.fault = async ({ host, path, number, request, response }) => {
    const content = bytesOf(files[path] ?? '');
    const isLarge = content.length > 1024 || /\.(?:gguf|safetensors)$/.test(path);
    if (host === 'hub' && isLarge) return false;
    const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const range = { start: Number(start ?? 0), end: last === undefined ? content.length : Number(last) + 1, isPart: last !== undefined };
    const given = answer({ path, content, number, ...range });
    if (given === undefined) return false;
    const record = { path, isPart: range.isPart, sent: 0 };
    mirror.requests.push(record);
    if (range.isPart) {
      open += 1;
      response.once('close', () => {
        open -= 1;
      });
    }
    await send(response, given, (bytes) => {
      record.sent += bytes;
    });
    if (!range.isPart && isLarge) mirror.openParts = open;
    return true;
  };
  return mirror;
}

/** Sends all bytes of a Hub through a mirror with its own answers; undefined: like the Hub. */
async function send(
  response: ServerResponse,
  { status, headers = {}, body, breaks = false }: MirrorAnswer,
  onSent: (bytes: number) => void,
) {
  response.writeHead(status, { 'Content-Length': String(body.length), ...headers });
  for (let at = 0; at < body.length && !response.destroyed; at += 65_536) {
    const part = body.subarray(at, at + 65_536);
    onSent(part.length);
    if (!response.write(part)) await drained(response);
  }
  if (breaks) response.socket?.destroy();
  else response.end();
}

const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });
