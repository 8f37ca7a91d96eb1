import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect } from 'vitest';
import { recordServer } from '../../src/core/access/serve-record.ts';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import { createAccess } from '../../src/core/server/access/access.ts';
import type { Limits } from '../../src/core/server/app/limits.ts';
import { listen, nameOtherStore, nameOwnServer } from '../../src/core/server/app/listen.ts';
import { stopApp } from '../../src/core/server/app/stop-app.ts';
import { createStoreApp } from '../../src/core/server/app/store-app.ts';
import type { LocalStore } from '../../src/core/store/local-store.ts';
import { atEnd, forWholeFile } from '../helpers/at-end.ts';
import { collectGarbage } from '../helpers/collect-garbage.ts';
import { directoryStore, type Models, sha256 } from '../helpers/directory-store.ts';
import { ask, talk } from '../helpers/raw-http.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { patienceMs, until, within } from '../helpers/waiting.ts';
import { testConfig, testDeps, testWorld } from '../helpers/world.ts';

const text = 'hello, store';
const etag = `"${sha256(text)}"`;
const names = [
  'config.json',
  'sub/dir/a b.txt',
  'a#b.txt',
  '100%.txt',
  '50%41.txt',
  'a+b.txt',
  'ünï-模型.gguf',
  'new\nline',
  'q?m.txt',
  'quote\'"',
  '%zz',
  'files.txt',
];
const models: Models = {
  'org/name': Object.fromEntries([...names.map((name) => [name, `content of ${name}`]), ['hello', text], ['empty', '']]),
  single: { 'a.txt': text, 'sub/b.txt': 'b' },
  'org/shadow': { files: 'a file called files', manifest: 'a file called manifest', 'download/status': 'a file called status' },
};

async function serve({
  has = models,
  overrides = {},
  limits = {},
  token,
}: {
  has?: Models;
  overrides?: Partial<LocalStore>;
  limits?: Partial<Limits>;
  token?: string;
} = {}) {
  const store = await directoryStore(has, overrides);
  const log: string[] = [];
  const app = await createStoreApp({
    store,
    version: '1.2.3',
    limits,
    access: createAccess({ token }),
    stream: { write: (line) => void log.push(line) },
  });
  const { url } = await listen(app, { host: '127.0.0.1', port: 0 });
  atEnd(() => store[Symbol.asyncDispose]());
  atEnd(() => stopApp(app, { graceMs: 100 }));
  return { url, store, app, log };
}

/** A body for any request that changes nothing. */
const shared = forWholeFile(() => serve());
let url = '';
let store: Awaited<ReturnType<typeof serve>>['store'];
beforeAll(() => {
  ({ url, store } = shared());
});

describe('the JSON routes of the store', () => {
  usualTest('answer health, registry and models, also with a slash at the end', async () => {
    expect((await ask(url, '/health')).json()).toMatchObject({ free_bytes: 3, total_bytes: 5, used_bytes: 2 });
    expect((await ask(url, '/models')).json()).toEqual(['org/name', 'single', 'org/shadow']);
    for (const path of ['/registry', '/registry/']) {
      expect((await ask(url, path)).json()).toEqual(await store.listDescribed());
    }
  });

  usualTest.each(['/models/org%2Fname/files', '/models/org/name/files', '/models/org%2fname/files/', '/models/org/name/files?x=%'])(
    'list the files of %s',
    async (path) => {
      expect((await ask(url, path)).json()).toEqual(await store.listFiles('org/name' as never));
    },
  );

  usualTest('answer for a model without an organization', async () => {
    expect((await ask(url, '/models/single/files')).json()).toEqual(['a.txt', 'sub/b.txt']);
    expect((await ask(url, '/models/single/sub/b.txt')).body.toString()).toBe('b');
  });

  usualTest('answer 404 for a missing model', async () => {
    const answer = await ask(url, '/models/org/none/files');
    expect(answer.status).toBe(404);
    expect(answer.json()).toMatchObject({ code: 'MODEL_NOT_FOUND', detail: expect.stringContaining('org/none') });
    expect((await ask(url, '/models/none/files')).status).toBe(404);
    expect((await ask(url, '/models/org/name/none')).json()).toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  usualTest('have a strong ETag for a manifest, and answer 304', async () => {
    const answer = await ask(url, '/models/org%2Fname/manifest');
    const { digest } = answer.json() as { digest: string };
    expect(answer.headers.etag).toBe(`"${digest}"`);
    for (const condition of [`"${digest}"`, `W/"${digest}"`, `"x", "${digest}"`, '*']) {
      const again = await ask(url, '/models/org/name/manifest', { headers: { 'If-None-Match': condition } });
      expect([again.status, again.body.length, again.headers.etag]).toEqual([304, 0, `"${digest}"`]);
    }
    expect((await ask(url, '/models/org/name/manifest', { headers: { 'If-None-Match': '"x"' } })).status).toBe(200);
  });

  usualTest('answer 202 for a manifest that is still being made', async () => {
    const { url } = await serve({ overrides: { manifest: async () => ({ state: 'hashing', retryAfterMs: 1500 }) } });
    const answer = await ask(url, '/models/org/name/manifest');
    expect([answer.status, answer.headers['retry-after'], answer.json()]).toEqual([202, '2', { state: 'hashing', retry_after_ms: 1500 }]);
  });

  usualTest('serve files whose names are those of routes', async () => {
    expect((await ask(url, '/models/org/shadow/files')).body.toString()).toBe('a file called files');
    expect((await ask(url, '/models/org/shadow/manifest')).body.toString()).toBe('a file called manifest');
    expect((await ask(url, '/models/org/shadow/download/status')).body.toString()).toBe('a file called status');
    const list = await ask(url, '/models/org/shadow/files', { headers: { Accept: 'application/vnd.skulk.files+json' } });
    expect(list.json()).toEqual(['download/status', 'files', 'manifest']);
    const manifest = await ask(url, '/models/org/shadow/manifest', { headers: { Accept: 'application/vnd.skulk.manifest+json' } });
    expect(manifest.json()).toMatchObject({ model_id: 'org/shadow' });
  });

  usualTest.each(['/models/org%2Fname', '/models/org/name', '/models/org/name/'])('answer DELETE %s', async (path) => {
    const { url } = await serve();
    expect((await ask(url, path, { method: 'DELETE' })).json()).toMatchObject({ modelId: 'org/name', deleted: true, nodes: [] });
    expect((await ask(url, path, { method: 'DELETE' })).status).toBe(404);
  });

  usualTest('refuse unknown routes and wrong methods, and include OpenAPI', async () => {
    expect((await ask(url, '/nothing')).json()).toMatchObject({ code: 'NOT_FOUND' });
    const wrong = await ask(url, '/health', { method: 'POST' });
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'GET, HEAD']);
    expect((await ask(url, '/models/a/b', { method: 'PUT' })).status).toBe(405);
    for (const where of ['resolve', 'raw']) {
      const none = await ask(url, `/org/name/${where}/main/`);
      expect([none.status, none.json()]).toEqual([404, expect.objectContaining({ detail: 'not found' })]);
    }
    const { paths } = (await ask(url, '/openapi.json')).json() as { paths: Record<string, { delete: { parameters: { name: string }[] } }> };
    expect(paths['/models/{id}']?.delete.parameters.map(({ name }) => name).toSorted()).toEqual(['force', 'id', 'wait_ms']);
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        '/health',
        '/registry',
        '/models',
        '/models/{id}/files',
        '/models/{id}/manifest',
        '/models/{id}',
        '/models/{id}/adopt',
        '/verify',
      ]),
    );
  });

  usualTest('reveal nothing about an unexpected error, which is logged', async () => {
    const { url, log } = await serve({ overrides: { health: () => Promise.reject(new Error('secret /path')) } });
    const answer = await ask(url, '/health');
    expect([answer.status, (answer.json() as { code: string }).code]).toEqual([500, 'INTERNAL']);
    expect(answer.body.toString()).not.toContain('secret');
    expect(log.join('')).toContain('secret /path');
  });
});

describe('a file of a model over HTTP', () => {
  usualTest.each(names)('named %j can be requested escaped, in both spellings', async (name) => {
    const escaped = name.split('/').map(encodeURIComponent).join('/');
    for (const id of ['org%2Fname', 'org/name']) {
      const answer = await ask(url, `/models/${id}/${escaped}`);
      expect([answer.status, answer.body.toString()]).toEqual([200, `content of ${name}`]);
    }
  });

  usualTest.each(['100%.txt', '%zz', '50%41.txt', 'a+b.txt', 'quote\'"', 'a#b.txt'])(
    'named %s can be requested unescaped',
    async (name) => {
      const answer = await talk(url, `GET /models/org%2Fname/${name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(answer).toContain(`content of ${name}`);
    },
  );

  usualTest('has the headers for resuming', async () => {
    const { status, headers, body } = await ask(url, '/models/org/name/hello', { headers: { 'Accept-Encoding': 'gzip' } });
    expect([status, body.toString()]).toEqual([200, text]);
    expect(headers).toMatchObject({
      'accept-ranges': 'bytes',
      'content-length': '12',
      etag,
      'content-type': 'application/octet-stream',
      'x-content-type-options': 'nosniff',
    });
    expect(headers).not.toHaveProperty('content-encoding');
  });

  usualTest('has no body for HEAD', async () => {
    const answer = await talk(url, 'HEAD /models/org%2Fname/hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 .*content-length: 12\r\n.*\r\n\r\n$/is);
    expect((await ask(url, '/models/org/name/none', { method: 'HEAD' })).status).toBe(404);
  });

  usualTest.each([
    ['bytes=0-4', 206, 'hello', 'bytes 0-4/12'],
    ['bytes=7-', 206, 'store', 'bytes 7-11/12'],
    ['bytes=-5', 206, 'store', 'bytes 7-11/12'],
    ['bytes=7-999', 206, 'store', 'bytes 7-11/12'],
    ['bytes=0-1,3-4', 200, text, undefined],
    ['junk', 200, text, undefined],
  ])('answers Range: %s', async (range, status, body, contentRange) => {
    const answer = await ask(url, '/models/org/name/hello', { headers: { Range: range } });
    expect([answer.status, answer.body.toString(), answer.headers['content-range']]).toEqual([status, body, contentRange]);
  });

  usualTest('answers 416, 304, 412 and If-Range', async () => {
    const beyond = await ask(url, '/models/org/name/hello', { headers: { Range: 'bytes=12-' } });
    expect([beyond.status, beyond.headers['content-range'], (beyond.json() as { code: string }).code]).toEqual([
      416,
      'bytes */12',
      'RANGE_NOT_SATISFIABLE',
    ]);
    expect((await ask(url, '/models/org/name/hello', { headers: { 'If-None-Match': etag } })).status).toBe(304);
    const other = await ask(url, '/models/org/name/hello', { headers: { 'If-Match': '"x"' } });
    expect([other.status, other.headers['etag']]).toEqual([412, etag]);
    expect(other.json()).toEqual({ detail: expect.any(String), code: 'PRECONDITION_FAILED', hint: expect.any(String) });
    const head = await ask(url, '/models/org/name/hello', { method: 'HEAD', headers: { 'If-Match': '"x"' } });
    expect([head.status, head.body.length]).toEqual([412, 0]);
    expect((await ask(url, '/models/org/name/hello', { headers: { Range: 'bytes=0-0', 'If-Range': etag } })).status).toBe(206);
    expect((await ask(url, '/models/org/name/hello', { headers: { Range: 'bytes=0-0', 'If-Range': '"x"' } })).body.toString()).toBe(text);
  });

  usualTest('can be empty', async () => {
    const { status, headers, body } = await ask(url, '/models/org/name/empty');
    expect([status, headers['content-length'], body.length]).toEqual([200, '0', 0]);
    expect((await ask(url, '/models/org/name/empty', { headers: { Range: 'bytes=0-' } })).headers['content-range']).toBe('bytes */0');
  });

  usualTest('is refused when it changed after its manifest', async () => {
    const openFile = () => Promise.reject(new SkulkError('INTEGRITY', 'hello changed on the disk'));
    const { url, log } = await serve({ overrides: { openFile } });
    const answer = await ask(url, '/models/org/name/hello');
    expect([answer.status, (answer.json() as { code: string }).code]).toEqual([500, 'INTEGRITY']);
    expect(log.join('')).toContain('INTEGRITY');
  });

  usualTest('answers 503 with Retry-After while it is checked again', async () => {
    const openFile = () => Promise.reject(new SkulkError('STORE_BUSY', 'hello is being checked', { retryAfterMs: 300 }));
    const answer = await ask((await serve({ overrides: { openFile } })).url, '/models/org/name/hello');
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
  });

  usualTest('closes the connection when it is too short, and this is logged', async () => {
    const big = Buffer.alloc(3_000_000, 7);
    const { url, store, log } = await serve({ has: { single: { big } } });
    await writeFile(join(store.root, 'single', 'big'), big.subarray(0, 2_000_000));
    await expect(ask(url, '/models/single/big')).rejects.toThrow();
    await expect.poll(() => log.join('')).toContain('INTEGRITY');
  });

  longTest('of many buffers is sent completely to many clients at the same time', async () => {
    const big = Buffer.alloc(5_000_003, Buffer.from(Array.from({ length: 65_521 }, (_, index) => index * 31)));
    const { url } = await serve({ has: { single: { big } }, limits: { largeBuffers: 2 } });
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask(url, '/models/single/big')));
    for (const { body } of answers) expect(body.equals(big)).toBe(true);
    const part = await ask(url, '/models/single/big', { headers: { Range: 'bytes=999999-3000000' } });
    expect(part.body.equals(big.subarray(999_999, 3_000_001))).toBe(true);
  });
});

describe('a hostile request to the store', () => {
  usualTest.each([
    '..',
    '../../etc/passwd',
    '%2e%2e/%2e%2e/etc/passwd',
    '..%2f..%2fetc%2fpasswd',
    'org%2Fname/../../../etc/passwd',
    'org%2Fname/%2e%2e/%2e%2e/x',
    'org%2Fname/a%00',
    'org%2Fname/%ff',
    'org%2Fname/..%5cx',
    'org%2Fname//etc/passwd',
    'org%2Fname/%2fetc%2fpasswd',
  ])('is refused for GET /models/%s', async (rest) => {
    const answer = await ask(url, `/models/${rest}`);
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ code: expect.stringMatching(/^BAD_(PATH|MODEL_ID|REQUEST)$/) });
  });

  usualTest('is refused for long URLs, long headers, other protocols, and large or invalid bodies', async () => {
    expect((await ask(url, `/models/org%2Fname/${'a'.repeat(9000)}`)).status).toBe(414);
    expect(await talk(url, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /);
    expect(await talk(url, 'what is this\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*"code":"BAD_REQUEST"/s);
    const json = { 'Content-Type': 'application/json' };
    expect((await ask(url, '/verify', { method: 'POST', headers: json, body: ' '.repeat(70_000) })).status).toBe(413);
    const said = async (body: string, headers: Record<string, string> = json): Promise<unknown> =>
      JSON.parse(String((await ask(url, '/verify', { method: 'POST', headers, body })).body));
    expect(await said(' '.repeat(70_000))).toMatchObject({ detail: 'the body is larger than 64.0 KiB', hint: 'send at most 65536 bytes' });
    expect(await said('{')).toMatchObject({ detail: 'the body is not valid JSON' });
    expect(await said('{"repair":"yes"}')).toMatchObject({ detail: 'repair must be a boolean' });
    expect(await said('{}', { 'content-type': 'text/plain' })).toMatchObject({
      detail: 'the content type of the body is not supported here',
      hint: expect.stringContaining('application/json'),
    });
    for (const body of ['{', '[]', '{"repair":"yes"}', '{"unknown":1}', '{"model_ids":["../x"]}', '{"__proto__":{}}']) {
      const answer = await ask(url, '/verify', { method: 'POST', headers: json, body });
      expect([body, answer.status, (answer.json() as { code: string }).code]).toEqual([body, 400, expect.stringMatching(/^BAD_/)]);
    }
    expect((await ask(url, '/models/org/x/adopt', { method: 'POST', headers: json, body: '{"incoming":"../x"}' })).json()).toMatchObject({
      code: 'BAD_PATH',
    });
    expect((await ask(url, '/models/org/x/adopt', { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: '{}' })).status).toBe(
      415,
    );
  });

  usualTest('is closed if its headers never end', async () => {
    const { url } = await serve({ limits: { headersTimeoutMs: 200, requestTimeoutMs: 300 } });
    expect(await talk(url, 'GET /health HTTP/1.1\r\nHost: x\r\n')).toMatch(/^HTTP\/1.1 408 /);
  });

  longTest('is refused beyond the limit of transfers, and a client that does not read is disconnected', async () => {
    const big = Buffer.alloc(32 * 1024 * 1024);
    const { url } = await serve({ has: { single: { big, small: 's' } }, limits: { maxTransfers: 2, stallTimeoutMs: 1500 } });
    const slow: Socket[] = [];
    const refused = await until('a refusal', async () => {
      // The first ones may be disconnected before the others arrive.
      for (let more = 0; more < 2; more += 1) {
        const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
        socket.pause().write('GET /models/single/big HTTP/1.1\r\nHost: x\r\n\r\n');
        slow.push(socket);
      }
      const answer = await ask(url, '/models/single/small');
      return answer.status === 503 && answer;
    });
    expect([refused.headers['retry-after'], (refused.json() as { code: string }).code]).toEqual(['1', 'STORE_BUSY']);
    expect((await ask(url, '/health')).status).toBe(200);
    await expect.poll(async () => (await ask(url, '/models/single/small')).status).toBe(200);
    for (const socket of slow) socket.destroy();
  });

  longTest('releases everything when clients disconnect, also with pipelined requests', async () => {
    const big = Buffer.alloc(8 * 1024 * 1024);
    const { url } = await serve({ has: { single: { big, small: 's' } }, limits: { maxTransfers: 8 } });
    for (let round = 0; round < 6; round += 1) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
      socket.write('GET /models/single/big HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3));
      socket.once('data', () => socket.destroy());
      await new Promise((resolve) => socket.once('close', resolve));
    }
    await expect
      .poll(async () => (await Promise.all(Array.from({ length: 8 }, () => ask(url, '/models/single/big')))).map(({ status }) => status))
      .toEqual(Array(8).fill(200));
  });

  longTest('for a hundred files of one client holds two of them open, and the others are not refused for it', async () => {
    let [open, most] = [0, 0];
    const { url, store } = await serve({ has: { single: { big: Buffer.alloc(4 * 1024 * 1024, 1) } }, limits: { maxTransfers: 3 } });
    const original = store.openFile;
    Object.assign(store, {
      openFile: async (...asked: Parameters<typeof original>) => {
        open += 1;
        most = Math.max(most, open);
        const file = await original(...asked);
        const close = async (): Promise<void> => {
          open -= 1;
          await file[Symbol.asyncDispose]();
        };
        return { ...file, [Symbol.asyncDispose]: close };
      },
    });
    const hundred = 'GET /models/single/big HTTP/1.1\r\nHost: x\r\nRange: bytes=0-99999\r\n\r\n'.repeat(99);
    const last = 'GET /models/single/big HTTP/1.1\r\nHost: x\r\nRange: bytes=0-99999\r\nConnection: close\r\n\r\n';
    const answers = (await Promise.all([1, 2, 3].map(() => talk(url, hundred + last)))).map((text) => text.split('HTTP/1.1 ').slice(1));
    expect(answers.map((all) => all.length)).toEqual([100, 100, 100]);
    expect(answers.flat().every((answer) => answer.startsWith('206 '))).toBe(true);
    expect(most).toBeLessThanOrEqual(6);
    expect(open).toBe(0);
  });

  longTest('does not make memory grow with the amount of data', async () => {
    const { url } = await serve({ has: { single: { big: Buffer.alloc(64 * 1024 * 1024) } } });
    const drain = () =>
      new Promise<void>((resolve, reject) => {
        const socket = connect(Number(new URL(url).port), '127.0.0.1', () =>
          socket.write('GET /models/single/big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
        );
        socket
          .on('data', () => {})
          .on('error', reject)
          .on('close', () => resolve());
      });
    const referenced = (): number => {
      collectGarbage();
      return process.memoryUsage().arrayBuffers;
    };
    await drain();
    const before = referenced();
    for (let round = 0; round < 6; round += 1) await drain();
    expect(referenced() - before).toBeLessThan(32 * 1024 * 1024);
  });
});

describe('a token of the store', () => {
  usualTest('is required for every route but /health, and is not logged', async () => {
    const { url, log } = await serve({ token: 's3cret-token' });
    expect((await ask(url, '/health')).status).toBe(200);
    for (const path of ['/registry', '/models/org/name/hello', '/openapi.json', '/nothing']) {
      for (const authorization of [undefined, 'Bearer wrong', 'Basic s3cret-token']) {
        const answer = await ask(url, path, { headers: authorization === undefined ? {} : { authorization } });
        expect([path, answer.status]).toEqual([path, 401]);
      }
    }
    expect((await ask(url, '/models/org/name/hello', { headers: { authorization: 'Bearer s3cret-token' } })).status).toBe(200);
    expect(log.join('')).not.toContain('s3cret-token');
  });
});

describe('long work over HTTP', () => {
  const lines = (body: Buffer) =>
    body
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));

  usualTest('sends progress, heartbeats and a result', async () => {
    const told = Promise.withResolvers<void>();
    const { url } = await serve({
      limits: { progressIntervalMs: 20 },
      overrides: {
        verify: async (request, { onBytes }) => {
          onBytes?.(5, 10);
          await told.promise;
          return {
            ok: true,
            models: [{ model_id: String(request.refs[0]?.modelId), status: 'ok', bad_files: [], note: String(request.repair) }],
          };
        },
      },
    });
    const answer = await fetch(`${url}/verify`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"model_ids":["org/name"],"repair":true}',
    });
    const parts: Uint8Array[] = [];
    for await (const part of answer.body ?? []) {
      parts.push(part);
      if (lines(Buffer.concat(parts)).length >= 2) told.resolve();
    }
    const got = lines(Buffer.concat(parts));
    expect(answer.headers.get('content-type')).toMatch(/^application\/x-ndjson/);
    expect(got.slice(0, 2)).toEqual([{ progress: { bytes_done: 5, bytes_total: 10 } }, { progress: { bytes_done: 5, bytes_total: 10 } }]);
    expect(got.at(-1)).toEqual({ result: { ok: true, models: [{ model_id: 'org/name', status: 'ok', bad_files: [], note: 'true' }] } });
  });

  usualTest('that fails at once sends an ordinary error, and later a line with the error', async () => {
    const adopt = async ({ modelId }: { modelId: string }) => {
      if (modelId === 'org/late') await sleep(60);
      throw new SkulkError('CONFLICT', 'it is there already', { hint: 'use --force' });
    };
    const { url } = await serve({ limits: { progressIntervalMs: 20 }, overrides: { adopt } });
    const early = await ask(url, '/models/org%2Fearly/adopt', { method: 'POST' });
    expect([early.status, early.json()]).toEqual([409, { code: 'CONFLICT', detail: 'it is there already', hint: 'use --force' }]);
    const late = await ask(url, '/models/org/late/adopt', { method: 'POST' });
    expect([late.status, lines(late.body).at(-1)]).toEqual([
      200,
      { error: { code: 'CONFLICT', message: 'it is there already', hint: 'use --force' } },
    ]);
  });

  usualTest('is aborted when the client goes away', async () => {
    let reason: unknown;
    const begun = Promise.withResolvers<void>();
    const verify: LocalStore['verify'] = (_request, { signal }) =>
      new Promise((_resolve, reject) => {
        begun.resolve();
        signal.addEventListener('abort', () => {
          reason = signal.reason;
          reject(reason);
        });
      });
    const { url } = await serve({ overrides: { verify } });
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () =>
      socket.write('POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'),
    );
    await begun.promise;
    socket.destroy();
    await expect.poll(() => reason).toMatchObject({ code: 'INTERRUPTED' });
  });
});

describe('stopping a server', () => {
  usualTest('lets running requests finish, and closes idle and silent connections', async () => {
    const big = Buffer.alloc(24 * 1024 * 1024);
    const { url, app } = await serve({ has: { single: { big } } });
    const port = Number(new URL(url).port);
    const accepted = once(app.server, 'connection');
    const silent = connect(port, '127.0.0.1').on('error', () => {});
    await accepted;
    const asked = once(app.server, 'request');
    const reader = connect(port, '127.0.0.1');
    reader.pause().write('GET /models/single/big HTTP/1.1\r\nHost: x\r\n\r\n');
    await asked;
    const stopped = stopApp(app, { graceMs: patienceMs });
    await sleep(50);
    let received = 0;
    reader.on('data', (data) => (received += data.length)).resume();
    await stopped;
    await expect.poll(() => received).toBeGreaterThan(big.length);
    silent.destroy();
    await expect(ask(url, '/health')).rejects.toThrow('ECONNREFUSED');
  });

  usualTest('sends the rest of an answer that is already complete in memory', async () => {
    const { url, app } = await serve();
    const big = Buffer.alloc(24 * 1024 * 1024);
    app.server.prependListener('request', (request, response) => {
      if (request.url === '/big') response.end(big);
    });
    const asked = once(app.server, 'request');
    const reader = connect(Number(new URL(url).port), '127.0.0.1');
    reader.pause().write('GET /big HTTP/1.1\r\nHost: x\r\n\r\n');
    await asked;
    const stopped = stopApp(app, { graceMs: patienceMs });
    let received = 0;
    reader.on('data', (data) => (received += data.length)).resume();
    await within('the end of the connection', once(reader, 'close'));
    expect(received).toBeGreaterThan(big.length);
    await within('the stop', stopped);
  });

  usualTest('does not wait longer than its limit', async () => {
    const { url, app } = await serve({ has: { single: { big: Buffer.alloc(24 * 1024 * 1024) } } });
    const asked = once(app.server, 'request');
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
    socket.pause().write('GET /models/single/big HTTP/1.1\r\nHost: x\r\n\r\n');
    await asked;
    await within('the stop', stopApp(app, { graceMs: 200 }));
    socket.destroy();
  });
});

describe('a port that is in use', () => {
  usualTest('is reported with the process that uses it', async () => {
    const other = await directoryStore({});
    atEnd(() => other[Symbol.asyncDispose]());
    const app = await createStoreApp({ store: other, version: '1', logLevel: 'silent' });
    const port = Number(new URL(url).port);
    const refusal = await listen(app, { host: '127.0.0.1', port }).catch((error) => error);
    expect(refusal).toMatchObject({ code: 'PORT_IN_USE', hint: expect.stringContaining('--port') });
    if (process.platform === 'linux') expect(refusal.message).toContain(`pid ${process.pid}`);
    const home = await temporaryDirectory();
    expect(await nameOwnServer(home, refusal, port)).toBe(refusal);
    const deps = testDeps(testWorld(home), testConfig(testWorld(home)));
    const hint = expect.stringMatching(/^a skulk store already runs at .* no second one is needed; .*--role node/);
    expect(await nameOtherStore(deps, refusal, port)).toMatchObject({ code: 'PORT_IN_USE', message: refusal.message, hint });
    expect(await nameOtherStore(deps, refusal, 1)).toBe(refusal);
    // The record of a server in the same directory.
    const apiUrl = 'http://kite:52415';
    atEnd(await recordServer(home, { role: 'node', storePath: null, apiUrl, localApiUrl: url, urls: [url] }));
    expect(await nameOwnServer(home, refusal, port)).toMatchObject({
      code: 'PORT_IN_USE',
      message: `port ${port} is taken by \`skulk serve\` (pid ${process.pid}), which already answers at ${apiUrl}`,
    });
    expect(await nameOwnServer(home, refusal, 1)).toBe(refusal);
    await app.close();
  });
});
