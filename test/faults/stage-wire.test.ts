import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import { sha256 } from '../helpers/directory-store.ts';
import { type Fault, type FaultProxy, faultProxy, type ProxiedRequest } from '../helpers/fault-proxy.ts';
import { digestsBelow, noise } from '../helpers/model-files.ts';
import { isLong, longTest } from '../helpers/seeded.ts';
import { copyOf, serveModels, stagingNode } from '../helpers/staging-node.ts';

// In the short form there is less time between the tries; their number is the same, and nothing happens in that time.
const between = vi.hoisted(() => ({ isShort: false }));
vi.mock(import('../../src/core/kernel/flow/backoff.ts'), async (original) => {
  const real = await original();
  const patient = {
    ...real.patient,
    get maxDelayMs() {
      return between.isShort ? 20 : real.patient.maxDelayMs;
    },
  };
  return { ...real, patient };
});

const files = { 'a.bin': noise(300_000), 'b.bin': noise(200_000, 2), 'config.json': '{}' };
const digests = Object.fromEntries(Object.entries(files).map(([path, content]) => [path, sha256(content)]));

type Answer = Awaited<ReturnType<ProxiedRequest['fetch']>>;

/** Answers with a changed version of the store's answer. */
const changing =
  (change: (answer: Answer) => { status?: number; headers?: Record<string, string | null>; body?: Buffer }) =>
  async ({ fetch, answer }: ProxiedRequest): Promise<void> => {
    const right = await fetch();
    const { status = right.status, headers = {}, body = right.body } = change(right);
    await answer(status, { ...right.headers, ...headers }, body);
  };

/** Sends a part of the right answer and then disturbs the socket. */
const after =
  (count: number, end: (socket: ProxiedRequest['socket']) => void) =>
  async ({ fetch, response, socket }: ProxiedRequest): Promise<void> => {
    const { status, headers, body } = await fetch();
    response.writeHead(status, headers);
    response.write(body.subarray(0, count), () => end(socket));
  };

const raw =
  (write: (socket: ProxiedRequest['socket']) => void) =>
  async ({ socket }: ProxiedRequest): Promise<void> =>
    write(socket);

const flip = (body: Buffer): Buffer => {
  const copy = Buffer.from(body);
  copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 0x40;
  return copy;
};

const pour = (socket: ProxiedRequest['socket'], bytes: string): void => {
  const more = (): void => {
    while (!socket.destroyed && socket.write(bytes));
  };
  socket.on('drain', more);
  more();
};

/** The change to every answer, and the error with which `stage` fails. */
const faults: Record<
  string,
  {
    readonly does: (exchange: ProxiedRequest) => Promise<void>;
    readonly always: 'INTEGRITY' | 'STORE_UNREACHABLE' | 'STORE_BUSY' | 'either';
  }
> = {
  'a cut': { does: after(1000, (socket) => socket.destroy()), always: 'either' },
  'a cut before the first byte': { does: raw((socket) => socket.destroy()), always: 'STORE_UNREACHABLE' },
  'a reset': { does: after(0, (socket) => socket.resetAndDestroy()), always: 'STORE_UNREACHABLE' },
  'a stall': { does: after(0, () => {}), always: 'STORE_UNREACHABLE' },
  'no answer at all': { does: raw(() => {}), always: 'STORE_UNREACHABLE' },
  'a head that comes too slowly': {
    does: raw((socket) => {
      const drip = setInterval(() => socket.write('X'), 300);
      socket.write('HTTP/1.1 206 Partial Content\r\nX: ');
      socket.on('close', () => clearInterval(drip));
    }),
    always: 'STORE_UNREACHABLE',
  },
  'a body that ends early': {
    does: changing(({ body }) => ({ headers: { 'content-length': String(body.length - 1) }, body: body.subarray(1) })),
    always: 'INTEGRITY',
  },
  'one changed byte': { does: changing(({ body }) => ({ body: flip(body) })), always: 'INTEGRITY' },
  'duplicated bytes': {
    does: changing(({ body }) => ({ body: Buffer.concat([body.subarray(0, 1), body]).subarray(0, body.length) })),
    always: 'INTEGRITY',
  },
  'missing bytes': {
    does: async ({ fetch, response, socket }) => {
      const { status, headers, body } = await fetch();
      response.writeHead(status, headers);
      response.write(Buffer.concat([body.subarray(0, 100), body.subarray(110)]), () => socket.destroy());
    },
    always: 'either',
  },
  // Each file is one piece here, so a 200 with its size is accepted.
  'the whole of a larger file instead of a range': {
    does: changing(({ body }) => ({
      status: 200,
      headers: { 'content-range': null, 'content-length': String(body.length + 1) },
      body: Buffer.concat([body, Buffer.alloc(1)]),
    })),
    always: 'INTEGRITY',
  },
  'another Content-Range': {
    does: changing(({ body }) => ({ headers: { 'content-range': `bytes 1-${body.length}/${body.length + 1}` } })),
    always: 'INTEGRITY',
  },
  'no Content-Range': { does: changing(() => ({ headers: { 'content-range': null } })), always: 'INTEGRITY' },
  'another Content-Length': {
    does: async ({ fetch, response, socket }) => {
      const { status, headers, body } = await fetch();
      response.writeHead(status, { ...headers, 'content-length': String(body.length + 10) });
      response.write(body, () => setTimeout(() => socket.end(), 5));
    },
    always: 'INTEGRITY',
  },
  'no Content-Length': { does: changing(() => ({ headers: { 'content-length': null } })), always: 'INTEGRITY' },
  'another ETag': { does: changing(() => ({ headers: { etag: `"${sha256('other')}"` } })), always: 'INTEGRITY' },
  'a compressed body': { does: changing(() => ({ headers: { 'content-encoding': 'gzip' } })), always: 'INTEGRITY' },
  'a redirect': {
    does: ({ answer }) => answer(302, { location: 'http://127.0.0.1:1/elsewhere' }, Buffer.alloc(0)),
    always: 'STORE_UNREACHABLE',
  },
  'a page of a proxy': {
    does: ({ answer }) => answer(502, { 'content-type': 'text/html' }, Buffer.from('<html>bad gateway')),
    always: 'STORE_UNREACHABLE',
  },
  'garbage instead of HTTP': { does: raw((socket) => socket.end('\u0000\u0001SSH-2.0-nonsense\r\n\r\n')), always: 'STORE_UNREACHABLE' },
  'headers without end': {
    does: raw((socket) => {
      socket.write('HTTP/1.1 206 Partial Content\r\n');
      pour(socket, `X-Header: ${'x'.repeat(4000)}\r\n`);
    }),
    always: 'STORE_UNREACHABLE',
  },
  'a body without end': {
    does: async ({ request, socket }) => {
      const [, first, last] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
      socket.write(`HTTP/1.1 206 Partial Content\r\nContent-Range: bytes ${first}-${last}/300000\r\nTransfer-Encoding: chunked\r\n\r\n`);
      pour(socket, `1000\r\n${'y'.repeat(4096)}\r\n`);
    },
    always: 'INTEGRITY',
  },
};

const isFor = ({ request }: ProxiedRequest, path: string): boolean => request.url?.endsWith(path) === true;

async function scene(url: string): Promise<{ proxy: FaultProxy; node: Awaited<ReturnType<typeof stagingNode>> } & AsyncDisposable> {
  const proxy = await faultProxy(url);
  const node = await stagingNode(proxy.url, { env: { SKULK_STALL_TIMEOUT: '1' } });
  return { proxy, node, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
}

async function failsOnce(url: string, name: string, does: Fault): Promise<string> {
  await using at = await scene(url);
  let times = 0;
  at.proxy.setFault((exchange) => (isFor(exchange, '/a.bin') && ++times === 1 ? does(exchange) : undefined));
  const staged = await at.node.stage('org/m').catch((error: unknown) => error);
  if (staged instanceof Error) return `${name}: ${staged.message}`;
  expect(await digestsBelow(copyOf(at.node, 'org/m')), name).toEqual(digests);
  return times > 0 ? 'well' : `${name}: never happened`;
}

async function failsAlways(url: string, name: string, { does, always }: { does: Fault; always: string }): Promise<string> {
  await using at = await scene(url);
  at.proxy.setFault((exchange) => (isFor(exchange, '/a.bin') ? does(exchange) : undefined));
  const error = await at.node.stage('org/m').then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (!(error instanceof SkulkError) || error.hint === undefined) return `${name}: ${String(error)}`;
  if (always === 'either' ? !['INTEGRITY', 'STORE_UNREACHABLE'].includes(error.code) : error.code !== always)
    return `${name}: ${error.code} ${error.message}`;
  expect(await readdir(at.node.root), name).toEqual(['.skulk']);
  const before = at.proxy.bytes();
  const kept = await verifiedBytes(at.node.root);
  at.proxy.setFault(undefined);
  // Not with the short limit used before: a busy machine may be silent for a second, and that data is sent again.
  const patient = await stagingNode(at.proxy.url, { home: at.node.home });
  await patient.stage('org/m');
  expect(await digestsBelow(copyOf(patient, 'org/m')), name).toEqual(digests);
  // Verified data is not sent again.
  const all = Object.values(files).reduce((sum, { length }) => sum + length, 0);
  expect(at.proxy.bytes() - before, name).toBeLessThanOrEqual(all - kept);
  return 'well';
}

/** The bytes in the journal of an unfinished copy; which ones arrived before the failure depends on timing. */
async function verifiedBytes(root: string): Promise<number> {
  const journal = await readFile(join(root, '.skulk/v1/incoming/org--m/journal'), 'utf8').catch(() => '');
  const paths = new Set(
    journal
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as [keyof typeof files])[0]),
  );
  return [...paths].reduce((sum, path) => sum + files[path].length, 0);
}

longTest('a temporary fault of the network does not affect the stage', async () => {
  const { url } = await serveModels({ 'org/m': files });
  const outcomes = await Promise.all(Object.entries(faults).map(([name, { does }]) => failsOnce(url, name, does)));
  expect(outcomes.filter((outcome) => outcome !== 'well')).toEqual([]);
});

longTest('a permanent fault of the network ends with a clear message, publishes nothing, and received data is kept', async () => {
  const { url } = await serveModels({ 'org/m': files });
  // Every try without data waits for a second.
  const silent = ['a stall', 'no answer at all', 'a head that comes too slowly', 'headers without end'];
  // The short form takes every second one of the others; the test before has all of them.
  const tried = Object.entries(faults).filter(([name], index) => isLong || (!silent.includes(name) && index % 2 === 0));
  between.isShort = !isLong;
  onTestFinished(() => {
    between.isShort = false;
  });
  const outcomes = await Promise.all(tried.map(([name, fault]) => failsAlways(url, name, fault)));
  expect(outcomes.filter((outcome) => outcome !== 'well')).toEqual([]);
});

test('a busy store is asked again at the time that it requests', async () => {
  const { url } = await serveModels({ 'org/m': files });
  await using at = await scene(url);
  const asked: number[] = [];
  at.proxy.setFault((exchange) => {
    if (!isFor(exchange, '/a.bin')) return undefined;
    asked.push(performance.now());
    return asked.length === 1
      ? exchange.answer(
          503,
          { 'retry-after': '1', 'content-type': 'application/json' },
          Buffer.from('{"detail":"busy","code":"STORE_BUSY"}'),
        )
      : undefined;
  });
  await at.node.stage('org/m');
  expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBeGreaterThanOrEqual(990);
});

longTest('a server that restarts during a transfer does not affect the stage', async () => {
  const { url } = await serveModels({ 'org/m': files });
  await using at = await scene(url);
  let back: Promise<void> | undefined;
  at.proxy.setFault(() => {
    if (back !== undefined) return undefined;
    back = at.proxy.stop().then(() => new Promise((resolve) => setTimeout(() => resolve(at.proxy.start()), 400)));
    return back;
  });
  await at.node.stage('org/m');
  expect(await digestsBelow(copyOf(at.node, 'org/m'))).toEqual(digests);
});
