import { beforeAll, describe, expect, test } from 'vitest';
import { contentCommit } from '../../src/core/endpoint/view/held-views.ts';
import { listen } from '../../src/core/server/app/listen.ts';
import { stopApp } from '../../src/core/server/app/stop-app.ts';
import { createStoreApp } from '../../src/core/server/app/store-app.ts';
import { atEnd, forWholeFile } from '../helpers/at-end.ts';
import { directoryStore } from '../helpers/directory-store.ts';
import { type HubAsk, hubAsker } from '../helpers/hub-answers.ts';
import { noise } from '../helpers/model-files.ts';

/*
 * Recorded requests of clients that cannot run here: each line of a list is one request, in order. COMMIT is replaced by the commit of the
 * store.
 */

const served = forWholeFile(async () => {
  const store = await directoryStore({
    'acme/tiny-llama': {
      'README.md': '# Tiny\n',
      'config.json': '{}',
      'empty.txt': '',
      'model.safetensors': noise(200_000, 1),
      'sub/deep/x y+é.json': '{}',
      'tokenizer.json': '{}',
    },
    'acme/tiny-GGUF': { 'tiny-Q4_K_M.gguf': noise(3000, 2), 'tiny-Q8_0.gguf': noise(5000, 3), 'mmproj-tiny-F16.gguf': noise(100, 4) },
  });
  const app = await createStoreApp({ store, version: '1', logLevel: 'silent' });
  const { url } = await listen(app, { host: '127.0.0.1', port: 0 });
  atEnd(() => store[Symbol.asyncDispose]());
  atEnd(() => stopApp(app, { graceMs: 100 }));
  return { get: hubAsker(url), commitOf: (id: string) => contentCommit(store.manifests.get(id)?.files ?? []) };
});
let get: ReturnType<typeof hubAsker>;
beforeAll(() => {
  ({ get } = served());
});

type Sent = readonly [line: string, status: number, more?: HubAsk];

const python = { 'Accept-Encoding': 'gzip, deflate', 'User-Agent': 'unknown/None; hf_hub/1.29.0; python/3.12.3' };
const plain = { 'Accept-Encoding': 'identity' };
const hubToken = { Authorization: 'Bearer hf_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' };
const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const json = { 'Content-Type': 'application/json' };
const tiny = '/acme/tiny-llama/resolve';
const api = '/api/models/acme/tiny-llama';

const pythonCalls = (yes: string, no: string): readonly Sent[] => [
  [`HEAD ${tiny}/main/config.json`, 200, { headers: plain }],
  [`GET ${tiny}/main/config.json`, 200],
  [`HEAD ${tiny}/main/model.safetensors`, 200, { headers: plain }],
  [`HEAD ${tiny}/main/empty.txt`, 200, { headers: plain }],
  [`HEAD ${tiny}/main/sub/deep/x%20y%2B%C3%A9.json`, 200, { headers: plain }],
  [`HEAD ${tiny}/main/nope.json`, 404, { headers: plain }],
  ['HEAD /acme/none/resolve/main/nope.json', 404, { headers: plain }],
  [`HEAD ${tiny}/v9/config.json`, 404, { headers: plain }],
  [`GET ${api}/revision/main`, 200],
  [`GET ${api}/tree/COMMIT?recursive=${yes}&expand=${no}`, 200],
  [`HEAD ${tiny}/COMMIT/README.md`, 200, { headers: plain }],
  [`GET ${api}?blobs=${yes}`, 200],
  [`GET ${api}?expand=sha&expand=downloads`, 200],
  [`GET ${api}/tree/main/sub?recursive=${yes}&expand=${yes}`, 200],
  [`POST ${api}/paths-info/main`, 200, { headers: form, body: `paths=config.json&paths=sub&paths=zz&expand=${no}` }],
  [`GET ${api}/refs`, 200],
  [`GET ${api}/commits/main`, 200],
  [`GET ${api}/revision/v1`, 404],
  ['GET /api/models?search=tiny&limit=5', 200],
  ['GET /api/models?author=acme', 200],
  ['GET /api/whoami-v2', 401, { headers: hubToken }],
  [`GET ${api}/auth-check`, 200],
  [
    `POST ${api}/preupload/main`,
    403,
    { headers: { ...hubToken, ...json }, body: '{"files": [{"path": "x", "sample": "eA==", "size": 1}]}' },
  ],
  ['POST /api/repos/create', 403, { headers: { ...hubToken, ...json }, body: '{"name": "new", "organization": "acme"}' }],
  ['HEAD /datasets/acme/ds/resolve/main/x', 404, { headers: plain }],
  [`GET ${tiny}/main/model.safetensors`, 206, { headers: { Range: 'bytes=0-100000' } }],
  ['HEAD /one/resolve/main/config.json', 404, { headers: plain }],
];

const clients: readonly (readonly [name: string, id: string, headers: Record<string, string>, calls: readonly Sent[]])[] = [
  ['huggingface_hub 1.29', 'acme/tiny-llama', python, [['GET /api/agent-harnesses', 200], ...pythonCalls('true', 'false')]],
  [
    'huggingface_hub 0.36',
    'acme/tiny-llama',
    { ...python, 'User-Agent': 'unknown/None; hf_hub/0.36.2; python/3.11.7' },
    pythonCalls('True', 'False'),
  ],
  [
    'hf 1.23',
    'acme/tiny-llama',
    python,
    [
      ['GET /api/agent-harnesses', 200],
      ['GET /api/models/acme/none/revision/main', 404],
      ['GET /api/datasets/acme/ds/revision/main', 404],
      ['GET /api/models?search=tiny&limit=30', 200],
      ['POST /api/repos/create', 403, { headers: json, body: '{"name":"tiny-llama","organization":"acme","type":"model"}' }],
    ],
  ],
  [
    'llama.cpp 0.7',
    'acme/tiny-GGUF',
    { 'User-Agent': 'llama-cpp' },
    [
      ['GET /api/models/acme/tiny-GGUF/refs', 200, { headers: { Accept: 'application/json' } }],
      ['GET /api/models/acme/tiny-GGUF/tree/COMMIT?recursive=true', 200, { headers: { Accept: 'application/json' } }],
      ['HEAD /acme/tiny-GGUF/resolve/COMMIT/mmproj-tiny-F16.gguf', 200],
      ['HEAD /acme/tiny-GGUF/resolve/COMMIT/tiny-Q4_K_M.gguf', 200],
      ['GET /acme/tiny-GGUF/resolve/COMMIT/tiny-Q4_K_M.gguf', 200],
      ['GET /acme/tiny-GGUF/resolve/COMMIT/tiny-Q4_K_M.gguf', 206, { headers: { Range: 'bytes=1000-' } }],
      ['GET /api/models/acme/none/refs', 404, { headers: { Accept: 'application/json' } }],
      ['HEAD /acme/tiny-GGUF/resolve/main/tiny-Q8_0.gguf', 200],
    ],
  ],
  [
    'hf-hub of Rust',
    'acme/tiny-llama',
    { 'User-Agent': 'unkown/None; hf-hub/0.4.3; rust/unknown' },
    [
      [`GET ${tiny}/main/config.json`, 206, { headers: { Range: 'bytes=0-0' } }],
      [`GET ${tiny}/main/model.safetensors`, 206, { headers: { Range: 'bytes=0-199999' } }],
      [`GET ${api}/revision/main`, 200],
      [`HEAD ${tiny}/COMMIT/config.json`, 200],
    ],
  ],
  [
    'node-llama-cpp',
    'acme/tiny-GGUF',
    plain,
    [
      ['GET /acme/tiny-GGUF/resolve/main/tiny-Q4_K_M.gguf?download=true', 200],
      ['GET /acme/tiny-GGUF/resolve/main/tiny-Q4_K_M.gguf?download=true', 206, { headers: { Range: 'bytes=0-2999' } }],
    ],
  ],
  [
    'transformers.js',
    'acme/tiny-llama',
    {},
    [
      [`GET ${tiny}/main/config.json`, 200],
      [`GET ${tiny}/main/tokenizer.json`, 206, { headers: { ...plain, Range: 'bytes=0-0' } }],
      [`GET ${tiny}/main/onnx/model.onnx`, 404],
    ],
  ],
];

describe.each(clients)('the requests of %s', (_, id, headers, calls) => {
  for (const [line, status, more = {}] of calls)
    test(`${line} is answered with ${status}${more.headers === undefined ? '' : ` (${JSON.stringify(more.headers)})`}`, async () => {
      const [method = '', target = ''] = line.replace('COMMIT', served().commitOf(id)).split(' ');
      const answer = await get(target, { method, ...more, headers: { ...headers, ...more.headers } });
      expect(answer.status).toBe(status);
    });
});

test('hfd.sh can search the answer as text for the file names and for the gated status', async () => {
  const text = (await get('/api/models/acme/tiny-llama', { headers: { 'User-Agent': 'curl/8' } })).body.toString();
  expect([...text.matchAll(/"rfilename":"[^"]*"/g)].map(([name]) => name)).toContain('"rfilename":"model.safetensors"');
  expect(text).not.toMatch(/"gated":[^f]/);
});
