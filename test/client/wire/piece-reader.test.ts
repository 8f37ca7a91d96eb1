import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createPieceReader, NeedsOrdinaryClient, type PieceReader } from '../../../src/core/client/wire/piece-reader.ts';
import { SkulkError } from '../../../src/core/kernel/errors.ts';
import type { RelativePath } from '../../../src/core/kernel/files/relative-path.ts';
import type { ModelId } from '../../../src/core/kernel/model-id.ts';
import type { PieceRequest } from '../../../src/core/store/contract.ts';
import { sha256 } from '../../helpers/directory-store.ts';
import { noise } from '../../helpers/model-files.ts';
import { few, seededRandom, testSeed, usualTest } from '../../helpers/seeded.ts';

const content = noise(100_000);
const digest = sha256(content);
const never = new AbortController().signal;

const piece = (start: number, end: number): PieceRequest => ({
  modelId: 'org/m' as ModelId,
  path: 'a.bin' as RelativePath,
  range: { start, end },
  sha256: digest,
});

/** The answer of a store to a request for that range. */
function answerFor(start: number, end: number, { status = '206 Partial Content', more = '' } = {}): Buffer {
  const head = `HTTP/1.1 ${status}\r\nContent-Length: ${end - start}\r\nContent-Range: bytes ${start}-${end - 1}/${content.length}\r\nETag: "${digest}"\r\n${more}\r\n`;
  return Buffer.concat([Buffer.from(head), content.subarray(start, end)]);
}

interface Peer {
  readonly url: string;
  /** The requested ranges, by connection. */
  readonly asked: string[][];
  readonly sockets: Set<Socket>;
}

/** A server whose answer to each request is set by the test. */
async function peer(onRequest: (socket: Socket, range: { start: number; end: number }, number: number) => void): Promise<Peer> {
  const asked: string[][] = [];
  const sockets = new Set<Socket>();
  let number = 0;
  const server: Server = createServer((socket) => {
    const own: string[] = [];
    asked.push(own);
    sockets.add(socket);
    let text = '';
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      text += data.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        const [, first, last] = /Range: bytes=(\d+)-(\d+)/.exec(text.slice(0, end)) ?? [];
        text = text.slice(end + 4);
        own.push(`${first}-${last}`);
        onRequest(socket, { start: Number(first), end: Number(last) + 1 }, number++);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, sockets };
}

function reader(url: string, { bufferBytes = 64 * 1024, stallTimeoutMs = 60_000 } = {}): PieceReader {
  const made = createPieceReader(
    { url, token: undefined, userAgent: 'test', connectTimeoutMs: 30_000, stallTimeoutMs },
    { buffer: Buffer.alloc(bufferBytes) },
  );
  onTestFinished(() => made.close());
  return made;
}

async function read(from: PieceReader, request: PieceRequest, signal = never): Promise<Buffer> {
  const parts: Buffer[] = [];
  await from.receive(request, signal, (bytes) => void parts.push(Buffer.from(bytes)) as undefined);
  return Buffer.concat(parts);
}

usualTest('answers are the same wherever the network cuts them', async () => {
  const random = seededRandom(testSeed);
  const { url } = await peer((socket, { start, end }) => {
    const bytes = answerFor(start, end);
    const send = (at: number): void => {
      if (at >= bytes.length) return;
      const next = Math.min(bytes.length, at + 1 + Math.floor(random() ** 3 * 3_000));
      // Waits until the system has the data, so that most cuts stay separate packets.
      socket.write(bytes.subarray(at, next), () => setImmediate(send, next));
    };
    send(0);
  });
  for (const bufferBytes of [1, 7, 1_000, 65_536]) {
    const from = reader(url, { bufferBytes });
    for (const [start, end] of [
      [0, 1],
      [1, 900],
      [5_000, 9_000],
    ] as const)
      expect((await read(from, piece(start, end))).equals(content.subarray(start, end)), `${bufferBytes} ${start} seed ${testSeed}`).toBe(
        true,
      );
  }
});

usualTest('a head is read when it is cut at any byte and the next answer follows directly', async () => {
  let cut = 1;
  const length = answerFor(0, 3).length + answerFor(3, 5).length;
  const held: Buffer[] = [];
  const { url } = await peer((socket, { start, end }) => {
    held.push(answerFor(start, end));
    if (held.length < 2) return;
    const both = Buffer.concat(held.splice(0));
    socket.write(both.subarray(0, cut), () => setImmediate(() => socket.write(both.subarray(cut))));
  });
  const from = reader(url);
  for (cut = 1; cut < length; cut += 1) {
    const [first, second] = [piece(0, 3), piece(3, 5)];
    from.announce([first, second]);
    expect(await read(from, first)).toEqual(content.subarray(0, 3));
    expect(await read(from, second)).toEqual(content.subarray(3, 5));
  }
});

usualTest('small pieces are requested ahead on one connection, and a resumed piece is not confused with another', async () => {
  const { url, asked } = await peer((socket, { start, end }) => void socket.write(answerFor(start, end)));
  const from = reader(url);
  const requests = Array.from({ length: 100 }, (_, index) => piece(index * 100, index * 100 + 100));
  from.announce(requests);
  for (const request of requests.slice(0, 50))
    expect(await read(from, request)).toEqual(content.subarray(request.range.start, request.range.end));
  // The fifty-first is requested from its middle, as after a break; answers to earlier requests must not be used for it.
  expect(await read(from, piece(5_050, 5_100))).toEqual(content.subarray(5_050, 5_100));
  for (const request of requests.slice(51))
    expect(await read(from, request)).toEqual(content.subarray(request.range.start, request.range.end));
  expect(asked).toHaveLength(2);
  expect(asked[0]?.slice(0, 3)).toEqual(['0-99', '100-199', '200-299']);
});

usualTest('a connection that ends between two pieces is opened again', async () => {
  const { url, asked } = await peer((socket, { start, end }, number) => {
    if (number % 2 === 0) return void socket.write(answerFor(start, end, { more: 'Connection: close\r\n' }), () => socket.end());
    socket.write(answerFor(start, end));
  });
  const from = reader(url);
  for (let index = 0; index < 6; index += 1) expect((await read(from, piece(index, index + 10))).length).toBe(10);
  expect(asked.length).toBe(4);
});

usualTest('a slow consumer of the bytes stops the reading from the socket', async () => {
  const { url, sockets } = await peer((socket, { start, end }) => void socket.write(answerFor(start, end)));
  const from = reader(url, { bufferBytes: 1_000, stallTimeoutMs: 600 });
  let isBusy = false;
  let received = 0;
  await from.receive(piece(0, 20_000), never, async (bytes) => {
    expect(isBusy).toBe(false);
    isBusy = true;
    const copy = Buffer.from(bytes);
    await new Promise((resolve) => setTimeout(resolve, received === 0 ? 900 : 1));
    // The buffer still contains the delivered bytes.
    expect(copy.equals(bytes)).toBe(true);
    expect(copy.equals(content.subarray(received, received + copy.length))).toBe(true);
    received += copy.length;
    isBusy = false;
  });
  expect(received).toBe(20_000);
  expect(sockets.size).toBe(1);
});

usualTest('an error of the consumer of the bytes is passed on unchanged', async () => {
  const { url } = await peer((socket, { start, end }) => void socket.write(answerFor(start, end)));
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  for (const sink of [
    () => {
      throw full;
    },
    () => Promise.reject(full),
  ])
    await expect(reader(url).receive(piece(0, 10), never, sink)).rejects.toBe(full);
});

usualTest('an abort ends the reader with its reason, before and during a transfer, and while the server is silent', async () => {
  const { url } = await peer((socket, { start, end }) => void socket.write(answerFor(start, end).subarray(0, 200)));
  const stop = new AbortController();
  const waiting = read(reader(url), piece(0, 5_000), stop.signal);
  setTimeout(() => stop.abort(new SkulkError('INTERRUPTED', 'stopped')), 50);
  await expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED' });
  await expect(read(reader(url), piece(0, 5_000), stop.signal)).rejects.toMatchObject({ code: 'INTERRUPTED' });
});

const bad: Readonly<
  Record<string, { readonly send: (socket: Socket, start: number, end: number) => void; readonly expected: object | (new () => Error) }>
> = {
  'a length of nothing': {
    send: (s, a, b) =>
      s.write(
        answerFor(a, b)
          .toString('latin1')
          .replace(/Content-Length: \d+/, 'Content-Length: x'),
        'latin1',
      ),
    expected: { code: 'STORE_UNREACHABLE' },
  },
  'a length that is too short': {
    send: (s, a, b) =>
      s.write(
        answerFor(a, b)
          .toString('latin1')
          .replace(/Content-Length: \d+/, 'Content-Length: 9'),
        'latin1',
      ),
    expected: { code: 'INTEGRITY' },
  },
  'a length that is too long': {
    send: (s, a, b) =>
      s.write(
        answerFor(a, b)
          .toString('latin1')
          .replace(/Content-Length: \d+/, 'Content-Length: 11'),
        'latin1',
      ),
    expected: { code: 'INTEGRITY' },
  },
  'a huge length': {
    send: (s, a, b) =>
      s.write(
        answerFor(a, b)
          .toString('latin1')
          .replace(/Content-Length: \d+/, 'Content-Length: 999999999999999'),
        'latin1',
      ),
    expected: { code: 'INTEGRITY' },
  },
  'an early close': { send: (s, a, b) => s.end(answerFor(a, b).subarray(0, -1)), expected: { code: 'STORE_UNREACHABLE' } },
  'a close in the head': { send: (s, a, b) => s.end(answerFor(a, b).subarray(0, 30)), expected: { code: 'STORE_UNREACHABLE' } },
  'a close before the head': { send: (s) => s.end(), expected: { code: 'STORE_UNREACHABLE' } },
  'a reset in the body': {
    send: (s, a, b) => s.write(answerFor(a, b).subarray(0, -1), () => s.resetAndDestroy()),
    expected: { code: 'STORE_UNREACHABLE' },
  },
  silence: { send: () => {}, expected: { code: 'STORE_UNREACHABLE', message: expect.stringContaining('sent nothing for 1 s') } },
  'silence in the body': { send: (s, a, b) => s.write(answerFor(a, b).subarray(0, -1)), expected: { code: 'STORE_UNREACHABLE' } },
  'a head that drips': {
    send: (s) => {
      s.write('HTTP/1.1 206 OK\r\nA: ');
      const drip = setInterval(() => s.write('x'), 20);
      s.once('close', () => clearInterval(drip));
    },
    expected: { code: 'STORE_UNREACHABLE' },
  },
  'chunked coding': {
    send: (s) => s.write('HTTP/1.1 206 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
    expected: NeedsOrdinaryClient,
  },
  'a body that ends with its connection': { send: (s) => s.end('HTTP/1.1 200 OK\r\n\r\nhello'), expected: NeedsOrdinaryClient },
  'another ETag': {
    send: (s, a, b) => s.write(answerFor(a, b).toString('latin1').replace(digest, sha256('x')), 'latin1'),
    expected: { code: 'INTEGRITY' },
  },
  'compressed bytes': {
    send: (s, a, b) => s.write(answerFor(a, b, { more: 'Content-Encoding: gzip\r\n' })),
    expected: { code: 'INTEGRITY' },
  },
  'another range': { send: (s, a, b) => s.write(answerFor(a + 1, b + 1)), expected: { code: 'INTEGRITY' } },
  'the whole file': {
    send: (s, a, b) => s.write(answerFor(a, b, { status: '200 OK' })),
    expected: { code: 'INTEGRITY', message: expect.stringContaining('it sent the whole file instead of the requested part') },
  },
  'a range that is not there': { send: (s) => s.write('HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n'), expected: { code: 'INTEGRITY' } },
  'a model that is gone': {
    send: (s) => s.write('HTTP/1.1 404 Not Found\r\nContent-Length: 42\r\n\r\n{"detail":"gone","code":"MODEL_NOT_FOUND"}'),
    expected: { code: 'MODEL_NOT_FOUND', message: 'gone' },
  },
  'a store that is busy': {
    send: (s) => s.write('HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    expected: { code: 'STORE_BUSY', retryAfterMs: 7_000 },
  },
  'a token that is refused': { send: (s) => s.write('HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\n{}'), expected: { code: 'CONFIG' } },
  'a refusal without end': {
    send: (s) => s.write('HTTP/1.1 500 No\r\nContent-Length: 99999999\r\n\r\nx'),
    expected: { code: 'STORE_UNREACHABLE' },
  },
  'a redirect': {
    send: (s) => s.write('HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n'),
    expected: { code: 'STORE_UNREACHABLE' },
  },
  'another protocol': {
    send: (s) => s.write('SSH-2.0-OpenSSH_9.2\r\n'),
    expected: { code: 'STORE_UNREACHABLE', message: expect.stringContaining('not a skulk store') },
  },
  'HTTP of another version': {
    send: (s) => s.write('HTTP/1.0 206 OK\r\nContent-Length: 10\r\n\r\n0123456789'),
    expected: { code: 'STORE_UNREACHABLE' },
  },
  'an answer that nobody asked for, right behind': {
    send: (s, a, b) => s.write(Buffer.concat([answerFor(a, b).subarray(0, -1), answerFor(a, b)])),
    expected: 'nothing' as never,
  },
};

test.each(few(Object.entries(bad)))(
  'an answer with %s ends the reading of a piece with the expected error',
  async (name, { send, expected }) => {
    const { url } = await peer((socket, { start, end }) => void send(socket, start, end));
    const outcome = await read(reader(url, { stallTimeoutMs: 1_000 }), piece(10, 20)).catch((error: unknown) => error);
    if (name.startsWith('an answer that nobody')) {
      // The number of bytes is right, but not the content; the digest of the piece detects this, not this reader.
      expect(Buffer.isBuffer(outcome) && outcome.equals(content.subarray(10, 20))).toBe(false);
    } else if (typeof expected === 'function') expect(outcome).toBeInstanceOf(expected);
    else expect(outcome).toMatchObject(expected);
  },
);

usualTest('a 200 answer with the whole file is accepted for a piece that is the whole file', async () => {
  const { url } = await peer((socket, { start, end }) => void socket.write(answerFor(start, end, { status: '200 OK' })));
  expect(await read(reader(url), piece(0, content.length))).toEqual(content);
});

usualTest('headers of a gibibyte are not read', async () => {
  let sent = 0;
  const { url } = await peer((socket) => {
    socket.write('HTTP/1.1 206 OK\r\n');
    const line = Buffer.from(`X: ${'x'.repeat(65_000)}\r\n`);
    const more = (): void => {
      while (!socket.destroyed && sent < 1024 ** 3) {
        sent += line.length;
        if (!socket.write(line)) return;
      }
    };
    socket.on('drain', more);
    more();
  });
  await expect(read(reader(url), piece(0, 10))).rejects.toMatchObject({
    code: 'STORE_UNREACHABLE',
    message: expect.stringContaining('16384'),
  });
  expect(sent).toBeLessThan(64 * 1024 ** 2);
});

usualTest('random data ends with a clear message', async () => {
  const random = seededRandom(testSeed);
  const words = [
    'HTTP/1.1 206 OK',
    'HTTP/1.1 ',
    '\r\n',
    '\r\n\r\n',
    '\n',
    'Content-Length: ',
    '10',
    ': ',
    '\u0000',
    'Content-Range: bytes 0-9/100000',
    `ETag: "${digest}"`,
    '0123456789',
  ];
  const { url } = await peer((socket) => {
    const text = Array.from({ length: Math.floor(random() * 12) }, () => words[Math.floor(random() * words.length)]).join('');
    socket.end(Buffer.from(text, 'latin1'));
  });
  for (let round = 0; round < 300; round += 1) {
    const outcome = await read(reader(url, { stallTimeoutMs: 1_000 }), piece(0, 10)).catch((error: unknown) => error);
    const isGood =
      outcome instanceof SkulkError || outcome instanceof NeedsOrdinaryClient || (Buffer.isBuffer(outcome) && outcome.length === 10);
    expect(isGood, `round ${round}, seed ${testSeed}: ${String(outcome)}`).toBe(true);
  }
});
