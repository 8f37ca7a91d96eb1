import { createHash } from 'node:crypto';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type CurlAnswer, curl } from '../helpers/curl.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { adminKeyOf } from '../helpers/page-link.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { isLong, longTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

/*
 * Sends every request of the contract's two tables with curl, like a user who knows only the table. Each row of a transcript has the
 * request and the expected answer: the status, and parts of the headers and the body.
 */

const content = 'x'.repeat(1000);
const digest = createHash('sha256').update(content).digest('hex');
const failure = (code: string) => ({
  detail: expect.any(String),
  code,
  hint: expect.toSatisfy((hint) => hint === null || typeof hint === 'string'),
});
const json = ['-H', 'Content-Type: application/json'] as const;

interface Expected {
  readonly status: number;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly json?: unknown;
}

type Row = readonly [asked: readonly string[], expected: Expected];

async function follow(url: string, rows: readonly Row[]): Promise<void> {
  for (const [asked, { status, headers = {}, ...rest }] of rows) {
    const target = asked.at(-1) ?? '';
    const answer: CurlAnswer = await curl(...asked.slice(0, -1), url + target);
    const shown = `curl ${asked.join(' ')}`;
    expect({ shown, status: answer.status, headers: answer.headers, ...pick(answer, rest) }).toEqual({
      shown,
      status,
      headers: expect.objectContaining(headers),
      ...rest,
    });
  }
}

const pick = (answer: CurlAnswer, rest: object): object =>
  Object.fromEntries(Object.keys(rest).map((key) => [key, answer[key as keyof CurlAnswer]]));

async function storeWithModel() {
  const world = await hubWorld();
  await writeFiles(join(world.home, 'source'), { 'weights.bin': content, 'sub/config.json': '{"a":1}', 'odd #%?.txt': 'odd' });
  await mkdir(world.storePath, { recursive: true });
  const added = await world.host('add', join(world.home, 'source'), '--as', 'org/name', '--json');
  expect(added.status, added.stderr).toBe(0);
  const host = await world.serveInProcess();
  return { ...world, served: host };
}

describe('the store host, port 58080', () => {
  test('answers health, registry, models and files', async () => {
    const { served, storePath } = await storeWithModel();
    const entry = {
      model_id: 'org/name',
      store_path: 'org--name',
      files: expect.arrayContaining(['weights.bin', 'sub/config.json']),
      downloaded_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      total_bytes: 1010,
      repo_has_projector: false,
    };
    const health = {
      store_path: storePath,
      free_bytes: expect.any(Number),
      total_bytes: expect.any(Number),
      used_bytes: expect.any(Number),
    };
    await follow(served.url, [
      [['/health'], { status: 200, headers: { 'content-type': 'application/json; charset=utf-8' }, json: expect.objectContaining(health) }],
      [['/registry'], { status: 200, json: [expect.objectContaining(entry)] }],
      [['/models'], { status: 200, json: ['org/name'] }],
      [['/models/org%2Fname/files'], { status: 200, json: expect.arrayContaining(['weights.bin', 'sub/config.json', 'odd #%?.txt']) }],
      [['/models/org/name/files'], { status: 200, json: expect.arrayContaining(['weights.bin']) }],
      [['/models/org%2Fnobody/files'], { status: 404, json: failure('MODEL_NOT_FOUND') }],
      [['/models/..%2Fname/files'], { status: 400, json: failure('BAD_MODEL_ID') }],
      [['-X', 'POST', '/health'], { status: 405, headers: { allow: expect.stringContaining('GET') }, json: failure('BAD_REQUEST') }],
      [['/nothing'], { status: 404, json: failure('NOT_FOUND') }],
    ]);
  });

  test('sends files whole, in ranges and under conditions', async () => {
    const { served } = await storeWithModel();
    const file = '/models/org%2Fname/weights.bin';
    const common = { 'accept-ranges': 'bytes', etag: `"${digest}"` };
    const part = (range: string, length: number) => ({
      status: 206,
      headers: { ...common, 'content-range': `bytes ${range}/1000`, 'content-length': String(length) },
      body: 'x'.repeat(length),
    });
    await follow(served.url, [
      [
        [file],
        { status: 200, headers: { ...common, 'content-length': '1000', 'content-type': 'application/octet-stream' }, body: content },
      ],
      [['/models/org/name/weights.bin'], { status: 200, body: content }],
      [['/models/org%2Fname/sub/config.json'], { status: 200, body: '{"a":1}' }],
      [['/models/org%2Fname/odd%20%23%25%3F.txt'], { status: 200, body: 'odd' }],
      [['--head', file], { status: 200, headers: { ...common, 'content-length': '1000' }, body: '' }],
      [['-H', 'Accept-Encoding: gzip, br', file], { status: 200, headers: { 'content-length': '1000' }, body: content }],
      [['-H', 'Range: bytes=0-0', file], part('0-0', 1)],
      [['-H', 'Range: bytes=990-', file], part('990-999', 10)],
      [['-H', 'Range: bytes=-5', file], part('995-999', 5)],
      [['-H', 'Range: bytes=10-99999999', file], part('10-999', 990)],
      [
        ['-H', 'Range: bytes=1000-', file],
        { status: 416, headers: { 'content-range': 'bytes */1000' }, json: failure('RANGE_NOT_SATISFIABLE') },
      ],
      [['-H', 'Range: bytes=0-9', '-H', `If-Range: "${digest}"`, file], part('0-9', 10)],
      [['-H', 'Range: bytes=0-9', '-H', 'If-Range: "other"', file], { status: 200, body: content }],
      [['-H', `If-None-Match: "${digest}"`, file], { status: 304, headers: { etag: `"${digest}"` }, body: '' }],
      [['/models/org%2Fname/none.bin'], { status: 404, json: failure('FILE_NOT_FOUND') }],
      [['/models/org%2Fname/..%2F..%2Fregistry.json'], { status: 400, json: failure('BAD_PATH') }],
      [['/models/org%2Fname/../../registry.json'], { status: 400, json: failure('BAD_PATH') }],
    ]);
  });

  test('sends manifests, also of a model that is not hashed yet', async () => {
    const { served, storePath, home } = await storeWithModel();
    const manifest = await curl(`${served.url}/models/org%2Fname/manifest`);
    expect(manifest).toMatchObject({ status: 200, json: { model_id: 'org/name', digest: expect.any(String) } });
    const { etag = '' } = manifest.headers;
    await follow(served.url, [
      [['-H', `If-None-Match: ${etag}`, '/models/org%2Fname/manifest'], { status: 304, headers: { etag }, body: '' }],
      [['/models/org%2Fnobody/manifest'], { status: 404, json: failure('MODEL_NOT_FOUND') }],
    ]);
    // Another program left this: a directory and an entry.
    await served.stop();
    await mkdir(join(storePath, 'org--big'));
    const file = await open(join(storePath, 'org--big/a.gguf'), 'w');
    await file.truncate(3 * 1024 ** 3);
    await file.close();
    const registry = join(storePath, 'registry.json');
    const entry = {
      model_id: 'org/big',
      store_path: 'org--big',
      files: ['a.gguf'],
      downloaded_at: '2026-01-01T00:00:00Z',
      total_bytes: 3 * 1024 ** 3,
    };
    const before = JSON.parse(await readFile(registry, 'utf8')) as Record<string, unknown>;
    const key = Object.keys(before).includes('org/name') ? before : (before['entries'] as Record<string, unknown>);
    key['org/big'] = { ...entry, repo_has_projector: null };
    await writeFile(registry, JSON.stringify(before));
    const again = await serveInProcess({ home: join(home, 'host') });
    onTestFinished(() => again[Symbol.asyncDispose]());
    await follow(again.url, [
      [['/models/org%2Fbig/manifest'], { status: 202, headers: { 'retry-after': expect.stringMatching(/^\d+$/) } }],
      [['-X', 'DELETE', '/models/org%2Fbig'], { status: 409, json: failure('CONFLICT') }],
      [['-X', 'DELETE', '/models/org%2Fname?wait_ms=0'], { status: 200 }],
    ]);
  });

  test('offers no files of a vision model without its projector', async () => {
    const { served, storePath } = await storeWithModel();
    await served.stop();
    await mkdir(join(storePath, 'org--seer'));
    await writeFile(join(storePath, 'org--seer/a.gguf'), 'x');
    const registry = join(storePath, 'registry.json');
    const all = JSON.parse(await readFile(registry, 'utf8')) as Record<string, unknown>;
    const entries = Object.keys(all).includes('org/name') ? all : (all['entries'] as Record<string, unknown>);
    entries['org/seer'] = {
      model_id: 'org/seer',
      store_path: 'org--seer',
      files: ['a.gguf'],
      downloaded_at: '2026-01-01T00:00:00Z',
      total_bytes: 1,
      repo_has_projector: true,
    };
    await writeFile(registry, JSON.stringify(all));
    const again = await serveInProcess({ home: join(storePath, '..') });
    onTestFinished(() => again[Symbol.asyncDispose]());
    await follow(again.url, [[['/models/org%2Fseer/files'], { status: 404, json: failure('MODEL_NOT_FOUND') }]]);
  });

  longTest('accepts, shows, refuses and cancels downloads', async () => {
    const { served, hub } = await storeWithModel();
    hub.push('hub/model', {
      files: { 'config.json': '{}', 'big.safetensors': { size: 64 * 1024 * 1024, read: (a, b) => Buffer.alloc(b - a, 7) } },
    });
    hub.holdsEnds = true;
    const running = { modelId: 'hub/model', status: expect.stringMatching(/^(pending|downloading)$/), progress: expect.any(Number) };
    await follow(served.url, [
      [['/models/hub%2Fmodel/download/status'], { status: 404, json: failure('JOB_NOT_FOUND') }],
      [
        ['/models/org%2Fname/download/status'],
        { status: 200, json: expect.objectContaining({ modelId: 'org/name', status: 'complete', progress: 1, error: null }) },
      ],
      [['/downloads'], { status: 200, json: [] }],
      [['-X', 'POST', '/models/hub%2Fmodel/download'], { status: 200, json: expect.objectContaining(running) }],
      [['-X', 'POST', ...json, '-d', '{}', '/models/hub/model/download'], { status: 200, json: expect.objectContaining(running) }],
      [
        ['/models/hub%2Fmodel/download/status'],
        {
          status: 200,
          json: expect.objectContaining({ ...running, error: null, bytes_done: expect.any(Number), bytes_total: expect.any(Number) }),
        },
      ],
      [['/downloads'], { status: 200, json: [expect.objectContaining(running)] }],
      [['-X', 'DELETE', '/models/hub%2Fmodel'], { status: 409, json: failure('CONFLICT') }],
      [['-X', 'DELETE', '/models/hub%2Fmodel/download'], { status: 200, json: expect.objectContaining({ modelId: 'hub/model' }) }],
      [['-X', 'DELETE', '/models/hub%2Fmodel/download'], { status: 409, json: failure('CONFLICT') }],
      [['-X', 'DELETE', '/models/hub%2Fother/download'], { status: 404, json: failure('JOB_NOT_FOUND') }],
      [['-X', 'POST', ...json, '-d', '{"gguf_file":"a.txt"}', '/models/hub/model/download'], { status: 400, json: failure('BAD_REQUEST') }],
      [
        ['-X', 'POST', ...json, '-d', '{"gguf_file":"../a.gguf"}', '/models/hub/model/download'],
        { status: 400, json: failure('BAD_PATH') },
      ],
      [['-X', 'POST', ...json, '-d', '{', '/models/hub/model/download'], { status: 400, json: failure('BAD_REQUEST') }],
    ]);
  });

  longTest('handles delete, adopt, nodes and orders', async () => {
    const { served } = await storeWithModel();
    const key = ['-H', `Authorization: Bearer ${await adminKeyOf(served.home)}`];
    const report = { hostname: 'kite', version: '1', agent: false, staged_models: 0, staged_bytes: 0, free_bytes: 1 };
    const node = { node_id: 'kite-1', hostname: 'kite', pending_orders: 0, connected: false };
    await follow(served.url, [
      [['-X', 'POST', ...json, '-d', JSON.stringify(report), '/nodes/kite-1'], { status: 200, json: { orders: [] } }],
      [['/nodes'], { status: 200, json: expect.arrayContaining([expect.objectContaining(node)]) }],
      [
        ['-X', 'POST', ...json, '-d', '{"kind":"purge"}', '/orders'],
        { status: 200, json: expect.objectContaining({ kind: 'purge', seq: 1 }) },
      ],
      [['/orders/0123456789abcdef01234567'], { status: 404, json: failure('ORDER_NOT_FOUND') }],
      [['/orders/x'], { status: 400, json: failure('BAD_REQUEST') }],
      [['-X', 'DELETE', '/nodes/kite-1'], { status: 403, json: failure('FORBIDDEN') }],
      [['-X', 'DELETE', ...key, '/nodes/nobody'], { status: 404, json: failure('NODE_NOT_FOUND') }],
      [['-X', 'DELETE', ...key, '/nodes/kite-1'], { status: 200 }],
      [
        ['-X', 'DELETE', '/models/org%2Fname'],
        { status: 200, json: expect.objectContaining({ modelId: 'org/name', deleted: true, nodes: expect.any(Array) }) },
      ],
      [['-X', 'DELETE', '/models/org%2Fname'], { status: 404, json: failure('MODEL_NOT_FOUND') }],
      [['-X', 'DELETE', '/models/..%2F..%2Fetc'], { status: 400, json: failure('BAD_MODEL_ID') }],
      [['-X', 'DELETE', '/models/a/b/c'], { status: 405, headers: { allow: 'GET, HEAD' }, json: failure('BAD_REQUEST') }],
      [['-X', 'POST', ...json, '-d', '{"incoming":"../x"}', '/models/org%2Fname/adopt'], { status: 400, json: failure('BAD_PATH') }],
      [['-X', 'POST', ...json, '-d', '{}', '/models/org%2Fnobody/adopt'], { status: 404, json: failure('FILE_NOT_FOUND') }],
    ]);
  });
});

describe('the API of every serving node, port 52415', () => {
  /** The host itself, and a node that forwards to it. */
  async function hostAndNode() {
    const world = await storeWithModel();
    const node = await serveInProcess({
      home: join(world.home, 'n1'),
      args: ['--role', 'node'],
      env: { SKULK_STORE: world.served.url, SKULK_NODE_ID: 'n1', HF_ENDPOINT: world.hub.url },
    });
    onTestFinished(() => node[Symbol.asyncDispose]());
    return { ...world, node };
  }

  // The answers of a node are compared with their schemas, key by key, in server/answers.test.ts too.
  test.each(isLong ? (['host', 'node'] as const) : (['host'] as const))('answers every row of the table on the %s', async (who) => {
    const { served, node, hub, storePath, home } = await hostAndNode();
    hub.push('hub/model', {
      files: { 'config.json': '{}', 'big.safetensors': { size: 64 * 1024 * 1024, read: (a, b) => Buffer.alloc(b - a, 7) } },
    });
    hub.holdsEnds = true;
    const running = { modelId: 'hub/model', status: expect.stringMatching(/^(pending|downloading)$/), progress: expect.any(Number) };
    const { apiUrl } = who === 'host' ? served : node;
    const own = join(home, who === 'host' ? 'host' : 'n1');
    const key = ['-H', `Authorization: Bearer ${await adminKeyOf(own)}`];
    const bytes = { freeBytes: expect.any(Number), totalBytes: expect.any(Number), usedBytes: expect.any(Number) };
    await follow(apiUrl, [
      [['/store/health'], { status: 200, json: expect.objectContaining({ storePath, ...bytes }) }],
      [
        ['/store/registry'],
        { status: 200, json: { entries: [expect.objectContaining({ model_id: 'org/name', total_bytes: 1010, tags: [] })] } },
      ],
      [['/store/downloads'], { status: 200, json: { downloads: [] } }],
      [['/store/models/hub/model/download/status'], { status: 404, json: failure('JOB_NOT_FOUND') }],
      [['-X', 'POST', '/store/models/hub%2Fmodel/download'], { status: 200, json: expect.objectContaining(running) }],
      [['/store/models/hub%2Fmodel/download/status'], { status: 200, json: expect.objectContaining(running) }],
      [['/store/downloads'], { status: 200, json: { downloads: [expect.objectContaining(running)] } }],
      [['-X', 'DELETE', '/store/models/hub%2Fmodel'], { status: 409, json: failure('CONFLICT') }],
      [['-X', 'DELETE', '/store/models/hub%2Fmodel/download'], { status: 200 }],
      [
        ['-X', 'POST', '/store/purge-staging'],
        {
          status: 200,
          json: {
            order: expect.objectContaining({ kind: 'purge' }),
            message: expect.any(String),
            freed_bytes: 0,
            nodes: expect.any(Array),
          },
        },
      ],
      [['-X', 'POST', ...json, '-d', '{}', '/store/purge-staging'], { status: 200 }],
      [
        ['-X', 'POST', ...json, '-d', '{"model_id":"org/name","force":true}', '/store/purge-staging'],
        { status: 200, json: expect.objectContaining({ order: expect.objectContaining({ model_id: 'org/name', force: true }) }) },
      ],
      [['-X', 'POST', ...json, '-d', '{"model_id":"../x"}', '/store/purge-staging'], { status: 400, json: failure('BAD_MODEL_ID') }],
      [['-X', 'POST', ...json, '-d', '[]', '/store/purge-staging'], { status: 400, json: failure('BAD_REQUEST') }],
      [
        ['/store/storage'],
        {
          status: 200,
          json: expect.objectContaining({ staging_root: join(own, 'staging'), models: [], total_bytes: 0, free_bytes: expect.any(Number) }),
        },
      ],
      [
        ['/v1/models'],
        {
          status: 200,
          json: {
            object: 'list',
            data: [
              expect.objectContaining({
                id: 'org/name',
                object: 'model',
                tags: [],
                capabilities: ['text'],
                supports_tensor: null,
                base_model: null,
              }),
            ],
          },
        },
      ],
      [['/node/identity'], { status: 200, json: expect.objectContaining({ hostname: expect.any(String), node_id: expect.any(String) }) }],
      [['/config'], { status: 200, json: expect.objectContaining({ config: expect.any(Object), path: null }) }],
      [
        ['-X', 'PUT', ...json, '-d', '{"model_store":{"store_path":"/home"}}', '/config'],
        { status: 403, json: expect.objectContaining({ code: 'FORBIDDEN', hint: expect.stringContaining('skulk key') }) },
      ],
      [
        ['-X', 'PUT', ...key, ...json, '-d', '{"config":{"model_store":{"store_prot":1}}}', '/config'],
        { status: 400, json: expect.objectContaining({ hint: expect.stringContaining('store_port') }) },
      ],
      [['/filesystem/browse'], { status: 403, json: failure('FORBIDDEN') }],
      [[...key, '/filesystem/browse?path=/etc'], { status: 403, json: failure('FORBIDDEN') }],
      [['-X', 'DELETE', '-H', 'Origin: http://evil.example', '/store/models/org/name'], { status: 403, json: failure('FORBIDDEN') }],
      [['-X', 'DELETE', '-H', 'Sec-Fetch-Site: cross-site', '/store/models/org/name'], { status: 403, json: failure('FORBIDDEN') }],
      [['-H', 'Host: evil.example', '/store/registry'], { status: 403, json: failure('FORBIDDEN') }],
      [
        ['-X', 'DELETE', '/store/models/org/name'],
        { status: 200, json: expect.objectContaining({ modelId: 'org/name', deleted: true, nodes: expect.any(Array) }) },
      ],
      [['-X', 'DELETE', '/store/models/org/name'], { status: 404, json: failure('MODEL_NOT_FOUND') }],
      [['-X', 'DELETE', '/store/models/..%2Fx'], { status: 400, json: failure('BAD_MODEL_ID') }],
    ]);
  });

  longTest('answers 503 when no store is configured, and when it does not answer', async () => {
    const home = await temporaryDirectory();
    const rows = ['/store/health', '/store/registry', '/store/downloads', '/v1/models', '/store/models/a%2Fb/download/status'];
    const alone = await serveInProcess({ home, args: ['--role', 'node'] });
    onTestFinished(() => alone[Symbol.asyncDispose]());
    const lost = await serveInProcess({ home: join(home, 'lost'), args: ['--role', 'node'], env: { SKULK_STORE: 'http://127.0.0.1:9' } });
    onTestFinished(() => lost[Symbol.asyncDispose]());
    for (const row of rows) {
      await follow(alone.apiUrl, [[[row], { status: 503, json: { ...failure('STORE_NOT_CONFIGURED'), detail: 'Store not configured' } }]]);
      const unreachable = { ...failure('STORE_UNREACHABLE'), detail: expect.stringMatching(/^Store unreachable/) };
      await follow(lost.apiUrl, [[[row], { status: 503, json: unreachable }]]);
    }
    for (const node of [alone, lost]) await follow(node.apiUrl, [[['/store/storage'], { status: 200 }]]);
  });

  test('answers 401 without the token on both ports, except for the health of the store', async () => {
    const home = await temporaryDirectory();
    const token = 'a-good-token';
    const host = await serveInProcess({ home, env: { SKULK_TOKEN: token } });
    onTestFinished(() => host[Symbol.asyncDispose]());
    const refused: Expected = { status: 401, headers: { 'www-authenticate': 'Bearer' }, json: failure('UNAUTHORIZED') };
    const bearer = (text: string) => ['-H', `Authorization: Bearer ${text}`];
    const rows = ['/registry', '/models', '/nodes', '/models/a%2Fb/manifest', '/nothing', '/store/registry'];
    await follow(host.url, [
      [['/health'], { status: 200 }],
      ...rows.map((row): Row => [[row], refused]),
      [[...bearer('another-token'), '/registry'], refused],
      [['-u', `x:${token}`, '/registry'], refused],
      [[...bearer(token), '/registry'], { status: 200, json: [] }],
    ]);
    await follow(host.apiUrl, [
      ...['/store/health', '/config', '/node/identity', '/store/storage', '/filesystem/browse'].map((row): Row => [[row], refused]),
      [['-X', 'DELETE', '/store/models/a/b'], refused],
      [[...bearer(token), '/store/health'], { status: 200 }],
    ]);
    expect(host.stderr()).not.toContain(token);
    // Commands on that machine use its key; those elsewhere need the token.
    expect(await runInProcess(['registry', '--store', host.url], { env: { SKULK_HOME: home } })).toMatchObject({ status: 0 });
    expect(await runInProcess(['registry', '--store', host.url], { env: { SKULK_HOME: join(home, 'other') } })).toMatchObject({
      status: 2,
    });
  });
});
