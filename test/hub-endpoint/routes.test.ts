import { beforeAll, describe, expect, test } from 'vitest';
import type { HubBackend } from '../../src/core/endpoint/contract.ts';
import { gitBlobId, pointerText } from '../../src/core/endpoint/view/file-identity.ts';
import { contentCommit } from '../../src/core/endpoint/view/held-views.ts';
import { createAccess } from '../../src/core/server/access/access.ts';
import { listen } from '../../src/core/server/app/listen.ts';
import { stopApp } from '../../src/core/server/app/stop-app.ts';
import { createStoreApp } from '../../src/core/server/app/store-app.ts';
import { atEnd, forWholeFile } from '../helpers/at-end.ts';
import { directoryStore, type Models, sha256 } from '../helpers/directory-store.ts';
import { hubAsker } from '../helpers/hub-answers.ts';
import { noise } from '../helpers/model-files.ts';
import { ask, type RawAnswer } from '../helpers/raw-http.ts';

const weights = noise(1_200_075, 1);
const card = '---\nlicense: mit\npipeline_tag: text-generation\n---\n# Tiny\n';
const models: Models = {
  'acme/tiny-llama': {
    '.gitattributes': '*.safetensors filter=lfs\n',
    'README.md': card,
    'config.json': '{"model_type":"llama"}',
    'empty.txt': '',
    'model.safetensors': weights,
    'sub/deep/x y+é.json': '{"x":1}',
    'tokenizer.json': '{"version":"1.0"}',
  },
  'acme/tiny-GGUF': { 'tiny-Q4_K_M.gguf': noise(3000, 2), 'BF16/tiny-BF16-00001-of-00002.gguf': noise(10, 3), 'config.json': '{}' },
  one: { 'config.json': '{}' },
};

async function serve({ access = createAccess({}), hub }: { access?: ReturnType<typeof createAccess>; hub?: HubBackend } = {}) {
  const store = await directoryStore(models);
  const log: string[] = [];
  const app = await createStoreApp({
    store,
    version: '1.2.3',
    access,
    hub,
    pagePort: () => 52415,
    stream: { write: (line) => void log.push(line) },
  });
  const { url } = await listen(app, { host: '127.0.0.1', port: 0 });
  atEnd(() => store[Symbol.asyncDispose]());
  atEnd(() => stopApp(app, { graceMs: 100 }));
  return { url, store, log, get: hubAsker(url) };
}

/** A body for any request that changes nothing. */
const shared = forWholeFile(() => serve());
let get: ReturnType<typeof hubAsker>;
let commit = '';
beforeAll(() => {
  ({ get } = shared());
  commit = contentCommit(shared().store.manifests.get('acme/tiny-llama')?.files ?? []);
});

const tiny = '/acme/tiny-llama/resolve/main';
const codeOf = ({ headers }: RawAnswer) => headers['x-error-code'];

describe('the bytes of a file', () => {
  test('have all headers that clients read', async () => {
    const answer = await get(`${tiny}/model.safetensors`);
    expect(answer.body.equals(weights)).toBe(true);
    expect(answer.headers).toMatchObject({
      'x-repo-commit': commit,
      etag: `"${sha256(weights)}"`,
      'x-linked-etag': `"${sha256(weights)}"`,
      'x-linked-size': '1200075',
      'cache-control': 'no-cache',
    });
    const small = await get(`${tiny}/config.json`);
    expect(small.headers).toMatchObject({ etag: `"${gitBlobId('{"model_type":"llama"}')}"` });
    expect(small.headers).not.toHaveProperty('x-linked-etag');
  });

  test.each(['HEAD', 'GET'])('are the same under every name of the revision, by %s', async (method) => {
    for (const revision of ['main', 'HEAD', commit, commit.slice(0, 7)]) {
      const { headers } = await get(`/acme/tiny-llama/resolve/${revision}/config.json?download=true`, { method });
      expect([headers['x-repo-commit'], headers['content-length']]).toEqual([commit, '22']);
      expect(headers['cache-control']).toBe(revision === commit ? 'public, max-age=31536000, immutable' : 'no-cache');
    }
  });

  test.each([
    ['bytes=0-0', 206, 0, 1],
    ['bytes=0-100000', 206, 0, 100001],
    ['bytes=1200000-9999999', 206, 1200000, 1200075],
    ['bytes=1000000-', 206, 1000000, 1200075],
    ['bytes=-75', 206, 1200000, 1200075],
    ['bytes=0-1,3-4', 200, 0, 1200075],
    ['lines=0-1', 200, 0, 1200075],
  ])('are sent for the range %s', async (range, status, start, end) => {
    const answer = await get(`${tiny}/model.safetensors`, { headers: { Range: range } });
    expect([answer.status, answer.body.equals(weights.subarray(start, end))]).toEqual([status, true]);
    if (status === 206) expect(answer.headers['content-range']).toBe(`bytes ${start}-${end - 1}/1200075`);
  });

  test('beyond the end are refused', async () => {
    const answer = await get(`${tiny}/model.safetensors`, { headers: { Range: 'bytes=1200075-' } });
    expect([answer.status, answer.headers['content-range'], answer.body.length]).toEqual([416, 'bytes */1200075', 0]);
  });

  test.each(['bytes=0-0', 'bytes=0-', 'bytes=5-9', 'bytes=-1'])('of an empty file are empty, also for the range %s', async (range) => {
    const { status, headers, body } = await get(`${tiny}/empty.txt`, { headers: { Range: range } });
    expect([status, body.length, headers['content-length'], headers['content-range'] ?? 'bytes */0']).toEqual([200, 0, '0', 'bytes */0']);
  });

  test('are not sent again to a client that has them', async () => {
    for (const file of ['config.json', 'model.safetensors']) {
      const { headers } = await get(`${tiny}/${file}`, { method: 'HEAD' });
      const again = await get(`${tiny}/${file}`, { headers: { 'If-None-Match': String(headers.etag) } });
      expect([again.status, again.body.length, again.headers['x-repo-commit']]).toEqual([304, 0, commit]);
      const changed = await get(`${tiny}/${file}`, { headers: { Range: 'bytes=0-1', 'If-Range': '"other"' } });
      expect(changed.status).toBe(200);
      const same = await get(`${tiny}/${file}`, { headers: { Range: 'bytes=0-1', 'If-Range': String(headers.etag) } });
      expect([same.status, same.body.length]).toEqual([206, 2]);
    }
  });

  test.each(['x%20y%2B%C3%A9.json', 'x%20y+%C3%A9.json', 'x%20y+%c3%a9.json'])(
    'are found by the name %s, in which a plus sign is unchanged',
    async (name) => {
      const { body, headers } = await get(`${tiny}/sub/deep/${name}`);
      expect(body.toString()).toBe('{"x":1}');
      expect(headers['content-disposition']).toBe(`inline; filename*=UTF-8''x%20y%2B%C3%A9.json; filename="x y+_.json"`);
    },
  );

  test.each(['/acme%2Ftiny-llama', '/ACME/Tiny-Llama', '/Acme%2ftiny-LLAMA'])('are found by the path %s', async (id) => {
    expect((await get(`${id}/resolve/main/config.json`)).body.toString()).toBe('{"model_type":"llama"}');
  });

  test('of a model without an organization are found', async () => {
    expect((await get('/one/resolve/main/config.json')).body.toString()).toBe('{}');
    expect((await get('/api/models/one')).json()).toMatchObject({ id: 'one' });
  });

  test('are octets for every Accept header, without links to other protocols', async () => {
    const { headers } = await get(`${tiny}/model.safetensors`, {
      headers: { Range: 'bytes=0-0', Accept: 'application/vnd.xet-fileinfo+json, */*' },
    });
    expect(headers['content-type']).toBe('application/octet-stream');
  });

  test('under raw are the pointer of an LFS file, and the content of another file', async () => {
    const pointer = pointerText({ sha256: sha256(weights), size: weights.length });
    const answer = await get('/acme/tiny-llama/raw/main/model.safetensors');
    expect([answer.body.toString(), answer.headers.etag]).toEqual([pointer, `"${gitBlobId(pointer)}"`]);
    const part = await get('/acme/tiny-llama/raw/main/model.safetensors', { headers: { Range: 'bytes=0-6' } });
    expect([part.status, part.body.toString(), part.headers['content-range']]).toEqual([206, 'version', `bytes 0-6/${pointer.length}`]);
    expect((await get('/acme/tiny-llama/raw/main/config.json')).body.toString()).toBe('{"model_type":"llama"}');
    expect((await get('/acme/tiny-llama/raw/main/config.json', { method: 'HEAD' })).status).toBe(200);
    expect((await get('/acme/tiny-llama/raw/main/no.json', { method: 'HEAD' })).status).toBe(404);
  });
});

describe('a missing model, revision or file', () => {
  test.each([
    ['a file', `${tiny}/nope.json`, 'EntryNotFound'],
    ['a file of a directory', `${tiny}/sub`, 'EntryNotFound'],
    ['a model', '/acme/none/resolve/main/config.json', 'RepoNotFound'],
    ['a model of one segment', '/none/resolve/main/config.json', 'RepoNotFound'],
    ['a revision', '/acme/tiny-llama/resolve/v9/config.json', 'RevisionNotFound'],
    ['a branch of a request', '/acme/tiny-llama/resolve/refs%2Fpr%2F1/config.json', 'RevisionNotFound'],
    ['a description', '/api/models/acme/none', 'RepoNotFound'],
    ['a description at a revision', '/api/models/acme/tiny-llama/revision/v1', 'RevisionNotFound'],
    ['a directory', '/api/models/acme/tiny-llama/tree/main/none', 'EntryNotFound'],
    ['a data set', '/datasets/acme/ds/resolve/main/x', 'RepoNotFound'],
    ['a data set of the API', '/api/datasets/acme/ds/revision/main', 'RepoNotFound'],
    ['a space', '/api/spaces/acme/s', 'RepoNotFound'],
  ])('is refused in the format that clients expect: %s', async (_, target, code) => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await get(target, { method });
      expect([answer.status, codeOf(answer)]).toEqual([404, code]);
      expect(answer.headers['x-repo-commit']).toBe(code === 'EntryNotFound' ? commit : undefined);
    }
  });

  test.each(['/models/none/resolve/main/x', '/api/none', '/store/resolve/main/x', '/registry/x/resolve/main/y', '/v2/x/resolve/main/y'])(
    'is not served where the server has other routes: %s',
    async (target) => {
      const { url } = shared();
      expect([400, 404]).toContain((await ask(url, target)).status);
    },
  );
});

describe('the descriptions of the Hub protocol', () => {
  test('have the files of a model and its front matter', async () => {
    const info = (await get('/api/models/acme/tiny-llama')).json() as { siblings: object[] };
    expect(info).toMatchObject({
      id: 'acme/tiny-llama',
      sha: commit,
      gated: false,
      pipeline_tag: 'text-generation',
      cardData: { license: 'mit' },
    });
    expect(info.siblings).toHaveLength(7);
    expect((await get('/api/models/acme/tiny-llama')).body.toString()).toContain('{"rfilename":"config.json"}');
    for (const blobs of ['true', 'True', '1']) {
      const { siblings } = (await get(`/api/models/acme/tiny-llama/revision/HEAD?blobs=${blobs}&expand=sha&expand=x`)).json() as {
        siblings: object[];
      };
      expect(siblings).toContainEqual({
        rfilename: 'model.safetensors',
        size: weights.length,
        blobId: gitBlobId(pointerText({ sha256: sha256(weights), size: weights.length })),
        lfs: { sha256: sha256(weights), size: weights.length, pointerSize: 132 },
      });
    }
  });

  test('have the directories of a tree, sorted by path', async () => {
    for (const recursive of ['true', 'True', '1']) {
      const entries = (await get(`/api/models/acme/tiny-GGUF/tree/main?recursive=${recursive}&expand=False`)).json() as {
        path: string;
        type: string;
      }[];
      expect(entries.map(({ type, path }) => `${type} ${path}`)).toEqual([
        'directory BF16',
        'file BF16/tiny-BF16-00001-of-00002.gguf',
        'file config.json',
        'file tiny-Q4_K_M.gguf',
      ]);
    }
    const top = (await get('/api/models/acme/tiny-GGUF/tree/main?recursive=false&expand=true')).json() as {
      path: string;
      lastCommit: { id: string };
    }[];
    expect(top.map(({ path }) => path)).toEqual(['BF16', 'config.json', 'tiny-Q4_K_M.gguf']);
    expect(new Set(top.map(({ lastCommit }) => lastCommit.id)).size).toBe(1);
    const sub = (await get('/api/models/acme/tiny-llama/tree/main/sub/deep/?recursive=true')).json() as { path: string }[];
    expect(sub.map(({ path }) => path)).toEqual(['sub/deep/x y+é.json']);
  });

  test('of paths accept forms of Python and JSON', async () => {
    const target = '/api/models/acme/tiny-llama/paths-info/main';
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const json = { 'Content-Type': 'application/json' };
    const python = await get(target, { method: 'POST', headers: form, body: 'paths=config.json&paths=sub&paths=zz&expand=false' });
    const script = await get(target, { method: 'POST', headers: json, body: '{"paths":["config.json","sub","zz"]}' });
    expect(python.json()).toEqual(script.json());
    expect((python.json() as { path: string }[]).map(({ path }) => path)).toEqual(['config.json', 'sub']);
    for (const [headers, body] of [
      [form, 'paths=config.json&expand=True'],
      [json, '{"paths":["config.json"],"expand":true}'],
    ] as const)
      expect((await get(target, { method: 'POST', headers, body })).json()).toMatchObject([{ lastCommit: { id: commit } }]);
    const plus = await get(target, { method: 'POST', headers: form, body: 'paths=sub%2Fdeep%2Fx+y%2B%C3%A9.json' });
    expect(plus.json()).toMatchObject([{ path: 'sub/deep/x y+é.json' }]);
    for (const [headers, body] of [
      [json, '{"paths":[1]}'],
      [json, '[]]'],
      [json, `{"paths":${JSON.stringify(Array.from({ length: 10_001 }, () => 'x'))}}`],
    ] as const)
      expect((await get(target, { method: 'POST', headers, body })).status).toBe(400);
  });

  test('of branches, commits and access are minimal', async () => {
    expect((await get('/api/models/acme/tiny-llama/refs')).json()).toEqual({
      branches: [{ name: 'main', ref: 'refs/heads/main', targetCommit: commit }],
      converts: [],
      tags: [],
    });
    expect((await get('/api/models/acme/tiny-llama/commits/main?limit=100')).json()).toMatchObject([
      { id: commit, authors: [{ user: 'skulk' }] },
    ]);
    expect((await get('/api/models/acme/tiny-llama/auth-check')).json()).toEqual({});
    expect((await get('/api/agent-harnesses')).json()).toEqual({ standardEnvVars: [], harnesses: {} });
  });

  test.each([
    ['', ['acme/tiny-GGUF', 'acme/tiny-llama', 'one']],
    ['?search=TINY&limit=1', ['acme/tiny-GGUF']],
    ['?author=acme', ['acme/tiny-GGUF', 'acme/tiny-llama']],
    ['?filter=gguf&filter=', ['acme/tiny-GGUF']],
    ['?filter=safetensors', ['acme/tiny-llama']],
    ['?filter=gguf,nothing', []],
    ['?limit=500&search=one&expand=pipeline_tag&sort=downloads&direction=-1', ['one']],
  ])('of the list of models are found by %s', async (query, ids) => {
    const answer = await get(`/api/models${query}`);
    expect((answer.json() as { id: string }[]).map(({ id }) => id)).toEqual(ids);
  });
});

describe('the Hub protocol of the store', () => {
  test.each([
    ['POST', '/api/repos/create'],
    ['POST', '/api/models/acme/tiny-llama/preupload/main'],
    ['POST', '/api/models/acme/tiny-llama/commit/main'],
    ['DELETE', '/api/repos/delete'],
    ['PUT', '/api/models/acme/tiny-llama/settings'],
    ['PATCH', '/api/models/acme/tiny-llama'],
    ['POST', '/api/datasets/acme/ds/commit/main'],
  ])('refuses a write: %s %s', async (method, target) => {
    const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': '100000', Authorization: 'Bearer hf_aaaa' };
    const answer = await get(target, { method, headers, body: 'x'.repeat(100_000) });
    expect([answer.status, answer.headers['x-error-message']]).toEqual([
      403,
      'this store is read-only over the Hub protocol; use "skulk add"',
    ]);
  });

  test.each([
    ['GET', '/acme/tiny-llama/info/refs?service=git-upload-pack'],
    ['GET', '/acme/tiny-llama.git/info/refs?service=git-upload-pack'],
    ['GET', '/tiny.git/info/refs'],
    ['POST', '/acme/tiny-llama.git/git-upload-pack'],
    ['POST', '/acme/tiny-llama.git/info/lfs/objects/batch'],
  ])('refuses git: %s %s', async (method, target) => {
    const { status, body } = await get(target, {
      method,
      headers: { 'Content-Type': 'application/x-git-upload-pack-request' },
      ...(method === 'POST' && { body: '0000' }),
    });
    expect([status, body.toString()]).toEqual([403, 'git is not served; use hf download or skulk stage\n']);
  });

  test('has no users', async () => {
    const answer = await get('/api/whoami-v2', { headers: { Authorization: 'Bearer hf_aaaa' } });
    expect([answer.status, answer.json()]).toEqual([401, { error: 'Invalid user token.' }]);
  });

  test.each(['/api', '/api/', '/api/x', '/acme/tiny-llama/resolve/main', '/acme/tiny-llama', '/acme', '/acme/tiny-llama/x/y'])(
    'answers %s with 404 in JSON',
    async (target) => {
      const { url } = shared();
      const answer = await ask(url, target, { headers: { Accept: 'application/json' } });
      expect([answer.status, String(answer.headers['content-type'])]).toEqual([404, 'application/json; charset=utf-8']);
    },
  );

  test('redirects a browser to the page of the model on the same host', async () => {
    const { url } = shared();
    const accept = { Accept: 'text/html,application/xhtml+xml' };
    for (const target of ['/acme/tiny-llama', '/acme/tiny-llama/tree/main/sub', '/acme/tiny-llama/blob/main/README.md', '/one']) {
      const answer = await ask(url, target, { headers: accept });
      expect([answer.status, answer.headers['location']]).toEqual([302, `http://127.0.0.1:52415${target}`]);
    }
    for (const target of [
      '/api/models',
      '/acme/tiny-llama/resolve/main/README.md',
      '/acme/tiny-llama/raw/main/README.md',
      '/v2/x',
      '/datasets/x',
    ])
      expect(String((await ask(url, target, { headers: accept })).headers['content-type'])).not.toContain('html');
    expect((await ask(url, '/registry', { headers: accept })).status).toBe(200);
  });
});
