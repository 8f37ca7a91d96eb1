import { spawn, spawnSync } from 'node:child_process';
import { cp, open, readdir, readFile, rm } from 'node:fs/promises';
import { request as sendRequest } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { fetchOverWire, type WirePlan } from '../../../src/core/client/wire/fetch-over-wire.ts';
import { planThreads } from '../../../src/core/client/wire/plan-threads.ts';
import { chunkSize } from '../../../src/core/kernel/chunk-size.ts';
import { SkulkError } from '../../../src/core/kernel/errors.ts';
import { parseModelId } from '../../../src/core/kernel/model-id.ts';
import { splitIntoPieces } from '../../../src/core/transfer/pieces.ts';
import { createRateLimiter, unlimited } from '../../../src/core/transfer/rate-limiter.ts';
import { sha256 } from '../../helpers/directory-store.ts';
import { faultProxy } from '../../helpers/fault-proxy.ts';
import { digestsBelow, noise } from '../../helpers/model-files.ts';
import { longTest, usualTest } from '../../helpers/seeded.ts';
import { runSkulk } from '../../helpers/spawn-skulk.ts';
import { serveModels } from '../../helpers/staging-node.ts';
import { temporaryDirectory } from '../../helpers/temp-directory.ts';
import { wants } from '../../helpers/wants.ts';

const chunks = 3;
const content = noise(chunks * chunkSize - 777, 3);
const modelId = parseModelId('org/m');

/** Fetches the model's one large file with threads, and reports the result. */
async function fetchWith(url: string, more: Partial<WirePlan> = {}) {
  const directory = await temporaryDirectory();
  const file = await open(join(directory, 'a.bin'), 'w');
  await file.truncate(content.length);
  await file.close();
  const count = { received: 0, discarded: 0, parts: 0 };
  const verified: number[] = [];
  const { store } = await serveOnce();
  const manifest = store.manifests.get('org/m');
  const pieces = manifest?.files.filter(({ path }) => path === 'a.bin').flatMap((one) => splitIntoPieces(one)) ?? [];
  const outcome = await fetchOverWire(
    {
      target: { url, token: undefined, userAgent: 'test', connectTimeoutMs: 30_000, stallTimeoutMs: 60_000 },
      addresses: undefined,
      modelId,
      directory,
      policy: { attempts: 3, firstDelayMs: 10, maxDelayMs: 50 },
    },
    {
      pieces,
      threads: 3,
      limiter: unlimited,
      signal: new AbortController().signal,
      onVerified: async ({ start }) => void verified.push(start),
      onPart: async () => {
        count.parts += 1;
      },
      onBytes: (bytes) => {
        count.received += bytes;
      },
      onDiscarded: (bytes) => {
        count.discarded += bytes;
      },
      ...more,
    },
  ).catch((error: unknown) => error);
  return { outcome, count, verified, pieces, file: join(directory, 'a.bin') };
}

let served: ReturnType<typeof serveModels> | undefined;
async function serveOnce() {
  served ??= serveModels({ 'org/m': { 'a.bin': content, 'config.json': '{}' } });
  onTestFinished(() => {
    served = undefined;
  });
  return await served;
}

usualTest('a large file is received over several connections at once, each byte once, and is journalled meanwhile', async () => {
  const { url } = await serveOnce();
  await using proxy = await faultProxy(url);
  // Without it, a thread that starts late finds nothing left to do.
  const all = Promise.withResolvers<void>();
  proxy.setFault((exchange) => {
    if (exchange.number === 3) all.resolve();
    return all.promise.then(() => exchange.pass());
  });
  const { outcome, count, verified, pieces, file } = await fetchWith(proxy.url);
  expect(outcome).toEqual([]);
  expect((await readFile(file)).equals(content)).toBe(true);
  expect(verified.toSorted((a, b) => a - b)).toEqual(pieces.map(({ start }) => start));
  expect(count).toMatchObject({ received: content.length, discarded: 0 });
  expect(count.parts).toBeGreaterThan(chunks * 8);
  expect(proxy.bytes()).toBe(content.length);
  expect(proxy.connections()).toBe(3);
});

longTest('a slow connection delays only its own piece', async () => {
  const { url } = await serveOnce();
  await using proxy = await faultProxy(url);
  const others: number[] = [];
  let release: (() => void) | undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  proxy.setFault((exchange) => {
    if (exchange.number === 1) return held.then(() => exchange.pass());
    others.push(exchange.number);
    if (others.length === chunks - 1) release?.();
    return undefined;
  });
  const { outcome } = await fetchWith(proxy.url, {});
  expect(outcome).toEqual([]);
  expect(others).toHaveLength(chunks - 1);
});

longTest('repeated wrong bytes end the whole transfer, and no file is changed afterwards', async () => {
  const { url } = await serveOnce();
  await using proxy = await faultProxy(url);
  proxy.setFault((exchange) =>
    exchange.request.headers.range?.startsWith('bytes=0-') === true
      ? exchange.fetch().then(({ status, headers, body }) => exchange.answer(status, headers, Buffer.alloc(body.length, 1)))
      : undefined,
  );
  const { outcome, verified, file } = await fetchWith(proxy.url);
  expect(outcome).toMatchObject({ code: 'INTEGRITY', hint: expect.stringContaining('skulk verify') });
  expect(outcome).toBeInstanceOf(SkulkError);
  expect(verified).not.toContain(0);
  const then = sha256(await readFile(file));
  const requests = proxy.requests.length;
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect([sha256(await readFile(file)), proxy.requests.length]).toEqual([then, requests]);
});

longTest('an abort ends every thread with its reason', async () => {
  const { url } = await serveOnce();
  await using proxy = await faultProxy(url);
  proxy.setRate(8 * 1024 * 1024);
  const stop = new AbortController();
  void proxy.passed(1024 * 1024).then(() => stop.abort(new SkulkError('INTERRUPTED', 'interrupted')));
  const { outcome, verified } = await fetchWith(proxy.url, { signal: stop.signal });
  expect(outcome).toMatchObject({ code: 'INTERRUPTED' });
  expect(verified.length).toBeLessThan(chunks);
});

longTest('threads share one rate limit', async () => {
  const { url } = await serveOnce();
  const rate = 96 * 1024 * 1024;
  const began = performance.now();
  const { outcome } = await fetchWith(url, { limiter: createRateLimiter(rate) });
  expect(outcome).toEqual([]);
  // It is not faster; how much slower it is depends on the machine.
  expect((performance.now() - began) / 1000).toBeGreaterThan((content.length / rate) * 0.95);
});

usualTest.each([
  [0, 8, undefined, 0],
  [31 * 1024 ** 2, 8, undefined, 0],
  [40 * 1024 ** 2, 8, undefined, 1],
  [10 * 1024 ** 3, 8, undefined, 4],
  [10 * 1024 ** 3, 2, undefined, 2],
  [10 * 1024 ** 3, 2, 7, 7],
  [10 * 1024 ** 3, 2, 1, 1],
  [100 * 1024 ** 2, 8, 7, 3],
  [1024 ** 5, 64, 5_000, 32],
])('%i bytes on %i cores, with %s connections asked for, get %i threads', (bytes, cores, asked, threads) => {
  expect(planThreads({ bytes, cores, asked })).toBe(threads);
});

const root = fileURLToPath(new URL('../../..', import.meta.url));

longTest('the transfer works without threads when none can be started', async () => {
  const { url } = await serveOnce();
  const home = await temporaryDirectory();
  const program = join(home, 'program');
  for (const part of ['bin', 'dist', 'package.json']) await cp(join(root, part), join(program, part), { recursive: true });
  for (const name of await readdir(join(program, 'dist'))) if (name.startsWith('range-worker')) await rm(join(program, 'dist', name));
  const ended = await runElsewhere(join(program, 'bin/skulk.js'), home, url);
  expect(ended.stderr).not.toMatch(/range-worker/);
  expect(ended.status, ended.stderr).toBe(0);
  expect((await digestsBelow(ended.stdout.trim()))['a.bin']).toBe(sha256(content));
});

async function runElsewhere(bin: string, home: string, url: string) {
  const child = spawn(process.execPath, [bin, 'stage', 'org/m'], {
    env: { PATH: process.env['PATH'], HOME: home, SKULK_HOME: home, SKULK_STORE: url, HF_HUB_OFFLINE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, stdout, stderr };
}

longTest('a store over TLS works as well, and a certificate that is not trusted is refused', wants('openssl'), async () => {
  const { url } = await serveOnce();
  const directory = await temporaryDirectory();
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
  ]);
  expect(made.status, String(made.stderr)).toBe(0);
  const front = createTlsServer({ key: await readFile(key), cert: await readFile(cert) }, (incoming, response) => {
    const { host: _, ...headers } = incoming.headers;
    const sent = sendRequest(url + (incoming.url ?? '/'), { method: incoming.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    sent.on('error', () => incoming.socket.destroy());
    incoming.pipe(sent);
  });
  await new Promise<void>((resolve) => void front.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    front.close();
    front.closeAllConnections();
  });
  const secure = `https://localhost:${(front.address() as AddressInfo).port}`;
  const env = { SKULK_HOME: join(directory, 'node'), SKULK_STORE: secure };
  expect(await runSkulk(['stage', 'org/m'], { env })).toMatchObject({ status: 4, stdout: '' });
  const staged = await runSkulk(['stage', 'org/m', '--connections', '3'], { env: { ...env, NODE_EXTRA_CA_CERTS: cert } });
  expect(staged.status, staged.stderr).toBe(0);
  expect((await digestsBelow(staged.stdout.trim()))['a.bin']).toBe(sha256(content));
});
