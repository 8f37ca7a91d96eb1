import type { Socket } from 'node:net';
import { afterEach, describe, expect } from 'vitest';
import { probeConnection } from '../../src/core/client/http/probe-connection.ts';
import { isTransient } from '../../src/core/client/http/transient.ts';
import { createStoreClient, type StoreClientOptions } from '../../src/core/client/store-client.ts';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { createAccess } from '../../src/core/server/access/access.ts';
import { listen } from '../../src/core/server/app/listen.ts';
import { stopApp } from '../../src/core/server/app/stop-app.ts';
import { createStoreApp } from '../../src/core/server/app/store-app.ts';
import type { PieceRequest } from '../../src/core/store/contract.ts';
import type { LocalStore } from '../../src/core/store/local-store.ts';
import { directoryStore, sha256 } from '../helpers/directory-store.ts';
import { rawServer } from '../helpers/raw-http.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';

const cleanUps: (() => PromiseLike<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

const signal = new AbortController().signal;
const modelId = parseModelId('org/name');
const content = '0123456789';
const digest = sha256(content);
const piece = (start: number, end: number, more: Partial<PieceRequest> = {}): PieceRequest => ({
  modelId,
  path: 'sub/a%20#?b' as never,
  range: { start, end },
  sha256: digest,
  ...more,
});

function clientOf(url: string, options: Partial<StoreClientOptions> = {}) {
  const client = createStoreClient({ url, signal, userAgent: 'skulk/test', ...options });
  cleanUps.push(async () => client.close());
  return client;
}

async function read(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of pieces) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

async function serve(overrides: Partial<LocalStore> = {}, token?: string) {
  const store = await directoryStore({ 'org/name': { 'sub/a%20#?b': content, empty: '', manifest: 'not the manifest' } }, overrides);
  const app = await createStoreApp({
    store,
    version: '1',
    access: createAccess({ token }),
    logLevel: 'silent',
    limits: { progressIntervalMs: 10 },
  });
  const { url } = await listen(app, { host: '127.0.0.1', port: 0 });
  cleanUps.push(
    () => store[Symbol.asyncDispose](),
    () => stopApp(app, { graceMs: 100 }),
  );
  return { url, store };
}

/** A server that answers every request in the same way. */
async function hostile(answer: string | ((socket: Socket) => void)) {
  const server = await rawServer((socket) => (typeof answer === 'string' ? socket.end(answer) : answer(socket)));
  cleanUps.push(() => server[Symbol.asyncDispose]());
  return server;
}

const json = (status: string, body: unknown, headers = ''): string => {
  const text = JSON.stringify(body);
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n${headers}\r\n${text}`;
};

describe('the client of a skulk store', () => {
  usualTest('requests health, models, manifests and pieces', async () => {
    const { url, store } = await serve();
    const client = clientOf(`${url}/`);
    expect(await client.health()).toEqual(await store.health());
    expect(await client.listModels()).toEqual(await store.listModels());
    const answer = await client.manifest(modelId);
    expect(answer).toEqual({ state: 'ready', manifest: store.manifests.get('org/name'), companions: [] });
    const knownDigest = store.manifests.get('org/name')?.digest;
    expect(knownDigest && (await client.manifest(modelId, { knownDigest }))).toEqual({ state: 'unchanged', companions: [] });
    expect(await client.manifest(modelId, { knownDigest: digest })).toMatchObject({ state: 'ready' });
    expect(await read(client.readPiece(piece(0, 10), signal))).toBe(content);
    expect(await read(client.readPiece(piece(3, 5), signal))).toBe('34');
    expect(await read(client.readPiece(piece(3, 3), signal))).toBe('');
    await expect(read(client.readPiece(piece(0, 5, { sha256: sha256('other') }), signal))).rejects.toMatchObject({ code: 'INTEGRITY' });
    await expect(read(client.readPiece(piece(8, 20), signal))).rejects.toMatchObject({ code: 'INTEGRITY' });
    await expect(read(client.readPiece(piece(0, 5, { path: 'none' as never }), signal))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    expect(await client.remove(modelId)).toEqual({ freedBytes: 26 });
    await expect(client.remove(modelId)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    await expect(client.manifest(modelId)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  usualTest('waits for a manifest that is being made', async () => {
    const { url } = await serve({ manifest: async () => ({ state: 'hashing', retryAfterMs: 250 }) });
    expect(await clientOf(url).manifest(modelId)).toEqual({ state: 'hashing', retryAfterMs: 250 });
  });

  usualTest('gets the progress, the result and the failure of long work', async () => {
    const seen: number[] = [];
    const { url } = await serve({
      verify: async (_request, { onBytes }) => {
        onBytes?.(4, 8);
        await new Promise((resolve) => setTimeout(resolve, 50));
        return { ok: false, models: [{ model_id: 'org/name', status: 'damaged', bad_files: [{ path: 'a', problem: 'size' }] }] };
      },
      adopt: async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        throw new SkulkError('CONFLICT', 'there already', { hint: 'use --force' });
      },
    });
    const client = clientOf(url);
    const report = await client.verify({ refs: [], repair: false }, { signal, onBytes: (done) => seen.push(done) });
    expect(report).toEqual({
      ok: false,
      models: [{ model_id: 'org/name', status: 'damaged', bad_files: [{ path: 'a', problem: 'size' }] }],
    });
    expect(seen).toContain(4);
    await expect(client.adopt({ modelId }, { signal })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: 'there already',
      hint: 'use --force',
    });
  });

  usualTest('sends its token', async () => {
    const { url } = await serve({}, 'tok');
    expect(await clientOf(url, { token: 'tok' }).listModels()).toHaveLength(1);
    const refusal = await clientOf(url, { token: 'wrong' })
      .listModels()
      .catch((error) => error);
    expect(refusal).toMatchObject({ code: 'CONFIG', hint: expect.stringContaining('SKULK_TOKEN') });
    expect(refusal.message).not.toContain('wrong');
  });

  usualTest('reports the errors of the store, with the time to wait', async () => {
    const { url } = await serve({ openFile: () => Promise.reject(new SkulkError('STORE_BUSY', 'being checked', { retryAfterMs: 2000 })) });
    const failure = await read(clientOf(url).readPiece(piece(0, 1), signal)).catch((error) => error);
    expect(failure).toMatchObject({ code: 'STORE_BUSY', retryAfterMs: 2000 });
    expect(isTransient(failure)).toBe(true);
  });

  usualTest('stops after an abort, with the reason of the signal', async () => {
    const { url } = await serve({ health: () => new Promise(() => {}), verify: () => new Promise(() => {}) });
    const controller = new AbortController();
    const reason = new SkulkError('INTERRUPTED', 'stop');
    const waiting = clientOf(url, { signal: controller.signal }).health();
    const working = clientOf(url).verify({ refs: [], repair: false }, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 50);
    await expect(waiting).rejects.toBe(reason);
    await expect(working).rejects.toBe(reason);
    await expect(clientOf(url, { signal: controller.signal }).health()).rejects.toBe(reason);
  });

  usualTest('holds no connection after a reader that stops early', async () => {
    const { url } = await serve();
    const client = clientOf(url, { connections: 1 });
    for (let round = 0; round < 5; round += 1)
      for await (const chunk of client.readPiece(piece(0, 10), signal)) if (chunk.length > 0) break;
    expect(await read(client.readPiece(piece(0, 10), signal))).toBe(content);
  });
});

describe('a piece from a hostile store', () => {
  const head = (status: string, range: string, length: number, more = ''): string =>
    `HTTP/1.1 ${status}\r\nContent-Range: ${range}\r\nContent-Length: ${length}\r\n${more}\r\n`;
  usualTest.each([
    ['200 for 206', `HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n${content}`, 'INTEGRITY'],
    ['416', head('416 No', 'bytes */3', 0), 'INTEGRITY'],
    ['another range', `${head('206 P', 'bytes 1-4/10', 4)}1234`, 'INTEGRITY'],
    ['no range', 'HTTP/1.1 206 P\r\nContent-Length: 4\r\n\r\n0123', 'INTEGRITY'],
    ['a total that cannot be', `${head('206 P', 'bytes 0-3/2', 4)}0123`, 'INTEGRITY'],
    ['another length', `${head('206 P', 'bytes 0-3/10', 5)}01234`, 'INTEGRITY'],
    ['another ETag', `${head('206 P', 'bytes 0-3/10', 4, 'ETag: "x"\r\n')}0123`, 'INTEGRITY'],
    ['compressed bytes', `${head('206 P', 'bytes 0-3/10', 4, 'Content-Encoding: gzip\r\n')}0123`, 'INTEGRITY'],
    ['bytes that break off', `${head('206 P', 'bytes 0-3/10', 4)}01`, 'STORE_UNREACHABLE'],
    ['nothing at all', '', 'STORE_UNREACHABLE'],
    ['half a head', 'HTTP/1.1 206 P\r\nConte', 'STORE_UNREACHABLE'],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', 'STORE_UNREACHABLE'],
    ['a redirect', 'HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n', 'STORE_UNREACHABLE'],
    ['a redirect to nowhere', 'HTTP/1.1 301 Moved\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n', 'STORE_UNREACHABLE'],
    ['a page', 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>', 'INTEGRITY'],
  ])('fails with a code for %s', async (_name, answer, code) => {
    const { url } = await hostile(answer);
    await expect(read(clientOf(url).readPiece(piece(0, 4), signal))).rejects.toMatchObject({ code });
  });

  usualTest('is requested as an exact range of one file', async () => {
    const server = await hostile(`${head('206 P', 'bytes 0-3/10', 4)}0123`);
    expect(await read(clientOf(server.url).readPiece(piece(0, 4), signal))).toBe('0123');
    expect(server.heads[0]).toMatch(/^GET \/models\/org%2Fname\/sub\/a%2520%23%3Fb HTTP\/1\.1\r\n/);
    expect(server.heads[0]?.toLowerCase()).toContain(`range: bytes=0-3\r\n`);
    expect(server.heads[0]?.toLowerCase()).toContain(`if-range: "${digest}"\r\n`);
    expect(server.heads[0]?.toLowerCase()).toContain('accept-encoding: identity\r\n');
  });

  longTest('is requested again after a stall, and time that the reader needs does not count', async () => {
    const { url } = await hostile((socket) => socket.write(`${head('206 P', 'bytes 0-3/10', 4)}01`));
    const pieces = clientOf(url, { stallTimeoutMs: 600 }).readPiece(piece(0, 4), signal)[Symbol.asyncIterator]();
    expect((await pieces.next()).value?.length).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 900));
    await expect(pieces.next()).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining('sent nothing for 0.6 s'),
    });
  });
});

describe('JSON from a hostile store', () => {
  usualTest.each([
    ['a page', 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>', 'is not a skulk store'],
    ['a page that says 404', 'HTTP/1.1 404 No\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>', 'is not a skulk store'],
    ['a page that says 502', 'HTTP/1.1 502 No\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>', 'is not a skulk store'],
    ['other JSON', json('200 OK', { hello: 1 }), 'is not a skulk store'],
    ['null', json('200 OK', null), 'is not a skulk store'],
    ['a redirect', 'HTTP/1.1 307 R\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n', 'redirect'],
    ['too long a header', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, 'is not a skulk store'],
    ['an error without a code', json('500 No', { detail: 'boom' }), 'boom'],
    ['nothing', '', 'the connection was closed'],
  ])('fails with a clear message for a health document that is %s', async (_name, answer, message) => {
    const { url } = await hostile(answer);
    await expect(clientOf(url).health()).rejects.toMatchObject({ code: 'STORE_UNREACHABLE', message: expect.stringContaining(message) });
  });

  usualTest('names the path in the address of something that is not a store', async () => {
    const { url } = await hostile('HTTP/1.1 404 No\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>');
    const hint = expect.stringMatching(/^if no proxy serves the store at \/registry, remove that part of the address; check the host/);
    await expect(clientOf(`${url}/registry`).health()).rejects.toMatchObject({ code: 'STORE_UNREACHABLE', hint });
    await expect(clientOf(url).health()).rejects.toMatchObject({ hint: expect.stringMatching(/^check the host/) });
  });

  usualTest('fails when its headers never end', async () => {
    const { url } = await hostile((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const drip = setInterval(() => socket.write(`X-${Math.random()}: ${'y'.repeat(500)}\r\n`), 1);
      socket.once('close', () => clearInterval(drip));
    });
    await expect(clientOf(url).health()).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
  });

  usualTest('fails when its body never ends', async () => {
    const { url } = await hostile((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const line = `10000\r\n${' '.repeat(0x10000)}\r\n`;
      const pour = setInterval(() => socket.write(line), 1);
      socket.once('close', () => clearInterval(pour));
    });
    await expect(clientOf(url).health()).rejects.toMatchObject({
      code: 'INTEGRITY',
      message: expect.stringContaining('more than'),
    });
  });

  usualTest('fails for a manifest of another model, for an invalid manifest, and for an unexpected 304', async () => {
    const { store } = await serve();
    const other = { ...store.manifests.get('org/name'), model_id: 'org/other' };
    for (const body of [other, { ...other, model_id: 'org/name', digest }, {}]) {
      const { url } = await hostile(json('200 OK', body));
      await expect(clientOf(url).manifest(modelId)).rejects.toMatchObject({ code: 'INTEGRITY' });
    }
    const { url } = await hostile('HTTP/1.1 304 N\r\n\r\n');
    await expect(clientOf(url).manifest(modelId)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
  });

  usualTest('hides only an invalid entry of a list, and its error codes for local failures are not used', async () => {
    const good = { model_id: 'a/b', store_path: 'a--b', files: ['x'], downloaded_at: '', total_bytes: 1, repo_has_projector: null };
    const { url } = await hostile(json('200 OK', [good, { model_id: '../x' }, 7]));
    expect(await clientOf(url).listModels()).toEqual([good]);
    const interrupted = await hostile(json('500 No', { detail: 'x\u001b[2J', code: 'INTERRUPTED' }));
    const failure = await clientOf(interrupted.url)
      .listModels()
      .catch((error) => error);
    expect([failure.code, failure.message.includes('\u001b')]).toEqual(['STORE_UNREACHABLE', false]);
  });

  usualTest('has the errors for a busy store, a missing model and a forbidden request', async () => {
    const busy = await hostile('HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n');
    await expect(clientOf(busy.url).health()).rejects.toMatchObject({ code: 'STORE_BUSY', retryAfterMs: 7000 });
    const none = await hostile(json('404 No', { detail: 'Not Found' }));
    await expect(clientOf(none.url).manifest(modelId)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    const forbidden = await hostile(json('403 No', {}));
    await expect(clientOf(forbidden.url).health()).rejects.toMatchObject({ code: 'CONFIG' });
  });

  usualTest('fails for long work that breaks off, ends without a result, or is invalid', async () => {
    const start = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    for (const body of ['', '3\r\n{"r\r\n0\r\n\r\n', '0\r\n\r\n', '4\r\njunk\r\n1\r\n\n\r\n0\r\n\r\n']) {
      const { url } = await hostile(start + body);
      await expect(clientOf(url).verify({ refs: [], repair: false }, { signal })).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    }
  });
});

describe('a store that cannot be reached', () => {
  usualTest('is named, with a hint', async () => {
    const server = await rawServer(() => {});
    await server[Symbol.asyncDispose]();
    const failure = await clientOf(server.url)
      .health()
      .catch((error) => error);
    expect(failure).toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining(server.url),
      hint: expect.stringContaining('skulk serve'),
    });
    expect(isTransient(failure)).toBe(true);
    expect(await probeConnection(server.url, 80)).not.toBe('connected');
  });

  usualTest('times out when it is silent', async () => {
    const { url } = await hostile(() => {});
    await expect(clientOf(url, { stallTimeoutMs: 100 }).listModels()).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining('sent nothing'),
    });
    expect(await probeConnection(url, 30_000)).toBe('connected');
  });

  usualTest('is tried again only after a network failure or when it is busy', () => {
    expect(isTransient(new SkulkError('INTEGRITY', ''))).toBe(false);
    expect(isTransient(new SkulkError('MODEL_NOT_FOUND', ''))).toBe(false);
    expect(isTransient(Object.assign(new Error(), { code: 'ECONNRESET' }))).toBe(true);
    expect(isTransient(new TypeError('x'))).toBe(false);
  });
});
