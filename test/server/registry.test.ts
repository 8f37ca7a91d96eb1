import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import { forWholeFile } from '../helpers/at-end.ts';
import { ggufBytes } from '../helpers/gguf-bytes.ts';
import { noise, sha256, writeFiles } from '../helpers/model-files.ts';
import { ollamaPull } from '../helpers/ollama-pull.ts';
import { ask, talk } from '../helpers/raw-http.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const chatml =
  "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}";

const gguf = (seed: number, size: number): Buffer =>
  Buffer.concat([
    ggufBytes({ 'general.architecture': 'llama', 'general.size_label': '8B', 'tokenizer.chat_template': chatml }),
    noise(size, seed),
  ]);

const weights = { Q8_0: gguf(1, 300_000), Q4_K_M: gguf(2, 200_000) };
const tiny: Readonly<Record<string, string | Buffer>> = {
  'README.md': '# tiny',
  'tiny-Q8_0.gguf': weights.Q8_0,
  'tiny-Q4_K_M.gguf': weights.Q4_K_M,
  'mmproj-tiny-F16.gguf': gguf(3, 5_000),
  LICENSE: 'MIT',
  ...Object.fromEntries([1, 2, 3].map((shard) => [`BF16/tiny-BF16-0000${shard}-of-00003.gguf`, gguf(shard + 3, 2_000)])),
};

/** A store host with a model of several quantizations. */
async function makeStore(files = tiny) {
  const home = await temporaryDirectory();
  await writeFiles(join(home, 'model'), files);
  const env = { SKULK_HOME: home };
  expect((await runInProcess(['add', join(home, 'model'), '--as', 'acme/tiny-GGUF'], { env })).status).toBe(0);
  return { home, env };
}

const shared = forWholeFile(async () => {
  const { home } = await makeStore();
  return { host: await serveInProcess({ home }) };
});
let url = '';
let apiUrl = '';
beforeAll(() => {
  ({ url, apiUrl } = shared().host);
});

const manifestOf = (tag: string, headers: Record<string, string> = {}, id = 'acme/tiny-GGUF') =>
  ask(url, `/v2/${id}/manifests/${tag}`, { headers });
const digestOf = (bytes: Buffer | string): string => `sha256:${sha256(bytes)}`;
const blobPath = (digest: string): string => `/v2/acme/tiny-GGUF/blobs/${digest}`;
const eight = digestOf(weights.Q8_0);

describe('Ollama with the store as its registry', () => {
  usualTest('pulls a quantization with its projector, template and licence, in sixteen parts', async () => {
    const { manifest, blobs, requests } = await ollamaPull(url, { model: 'acme/tiny-GGUF', tag: 'Q8_0' }, { partBytes: 10_000 });
    expect(blobs.get(eight)?.equals(weights.Q8_0)).toBe(true);
    expect(manifest.layers.map(({ mediaType }) => mediaType.split('.').at(-1))).toEqual([
      'model',
      'projector',
      'template',
      'params',
      'license',
    ]);
    expect(blobs.get(manifest.layers.at(-1)?.digest ?? '')?.toString()).toBe('MIT');
    const config = JSON.parse(blobs.get(manifest.config.digest)?.toString() ?? '');
    expect(config).toMatchObject({ model_format: 'gguf', model_family: 'llama', model_type: '8B', file_type: 'Q8_0' });
    expect(config.rootfs.diff_ids).toEqual(manifest.layers.map(({ digest }) => digest));
    const ofWeights = requests.filter((line) => line.includes(eight));
    expect(ofWeights.slice(0, 2)).toEqual([`HEAD ${blobPath(eight)} -> 200`, `GET ${blobPath(eight)} -> 200`]);
    expect(ofWeights.slice(2).every((line) => line.includes('-> 206 bytes='))).toBe(true);
    expect(ofWeights).toHaveLength(2 + 17);
  });

  usualTest('is redirected to the same host, on both ports and by any name of the machine', async () => {
    const port = new URL(url).port;
    for (const at of [url, apiUrl, `http://localhost:${port}`])
      expect((await ollamaPull(at, { model: 'acme/tiny-GGUF', tag: 'latest' })).blobs.get(digestOf(weights.Q4_K_M))).toEqual(
        weights.Q4_K_M,
      );
  });

  usualTest('cannot pull without the header Location', async () => {
    const blind = ollamaPull(url, { model: 'acme/tiny-GGUF', tag: 'Q8_0' }, { see: ({ headers }) => void delete headers.location });
    await expect(blind).rejects.toThrow('http: no Location header in response');
  });

  usualTest('gets errors for an unknown tag, an unknown model and a split file', async () => {
    for (const [model, tag] of [
      ['acme/tiny-GGUF', 'Q2_K'],
      ['acme/none', 'Q8_0'],
      ['acme/tiny-GGUF', 'BF16'],
    ] as const)
      await expect(ollamaPull(url, { model, tag })).rejects.toThrow('file does not exist');
    expect((await manifestOf('BF16')).json()).toEqual({
      errors: [{ code: 'MANIFEST_UNKNOWN', message: expect.stringContaining('split GGUF') }],
    });
    expect((await manifestOf('Q2_K')).json()).toEqual({
      errors: [{ code: 'MANIFEST_UNKNOWN', message: expect.stringContaining('it has Q4_K_M, Q8_0, BF16') }],
    });
    expect((await manifestOf('Q8_0', {}, 'acme/none')).json()).toEqual({ errors: [{ code: 'NAME_UNKNOWN', message: expect.any(String) }] });
  });

  longTest('gets the same bytes after a restart, also without requesting a manifest', async () => {
    const { home } = await makeStore();
    const first = await serveInProcess({ home });
    const before = await ollamaPull(first.url, { model: 'acme/tiny-GGUF', tag: 'Q8_0' });
    await first.stop();
    const second = await serveInProcess({ home });
    for (const [digest, bytes] of before.blobs) expect((await ask(second.url, blobPath(digest))).body.equals(bytes)).toBe(true);
    expect((await ollamaPull(second.url, { model: 'acme/tiny-GGUF', tag: 'q8_0' })).manifest).toEqual(before.manifest);
  });
});

describe('the answers of the registry', () => {
  usualTest('have the media type and name of the registry', async () => {
    const root = await ask(url, '/v2/');
    expect([root.status, root.json(), root.headers['docker-distribution-api-version']]).toEqual([200, {}, 'registry/2.0']);
    expect((await ask(url, '/v2')).status).toBe(200);
    expect((await ask(url, '/v2/', { method: 'HEAD' })).status).toBe(200);
    const manifest = await manifestOf('Q8_0');
    expect(manifest.headers).toMatchObject({
      'content-type': 'application/vnd.docker.distribution.manifest.v2+json',
      'docker-content-digest': digestOf(manifest.body),
      'content-length': String(manifest.body.length),
      'docker-distribution-api-version': 'registry/2.0',
    });
    const head = await ask(url, '/v2/acme/tiny-GGUF/manifests/Q8_0', { method: 'HEAD' });
    expect([head.status, head.headers['docker-content-digest'], head.body.length]).toEqual([200, digestOf(manifest.body), 0]);
  });

  usualTest('have size, digest and range support for HEAD and GET of files and generated blobs', async () => {
    const { config } = (await manifestOf('Q8_0')).json() as { config: { digest: string; size: number } };
    for (const [digest, size] of [
      [eight, weights.Q8_0.length],
      [config.digest, config.size],
    ] as const)
      for (const method of ['HEAD', 'GET']) {
        const { status, headers, body } = await ask(url, blobPath(digest), { method });
        expect(status).toBe(200);
        expect(headers).toMatchObject({
          'content-length': String(size),
          'accept-ranges': 'bytes',
          etag: `"${digest.slice('sha256:'.length)}"`,
          'docker-content-digest': digest,
          'content-type': 'application/octet-stream',
        });
        expect(headers.location).toBe(method === 'GET' ? `${url}${blobPath(digest)}` : undefined);
        expect(headers['content-encoding']).toBeUndefined();
        if (method === 'GET') expect(digestOf(body)).toBe(digest);
      }
  });

  usualTest('support one range, and refuse several ranges or a range outside the file', async () => {
    const { config } = (await manifestOf('Q8_0')).json() as { config: { digest: string } };
    for (const digest of [eight, config.digest]) {
      const whole = (await ask(url, blobPath(digest))).body;
      const ranged = (range: string) => ask(url, blobPath(digest), { headers: { Range: range } });
      const part = await ranged('bytes=3-9');
      expect([part.status, part.headers['content-range'], part.headers.location]).toEqual([206, `bytes 3-9/${whole.length}`, undefined]);
      expect(part.body.equals(whole.subarray(3, 10))).toBe(true);
      expect((await ranged('bytes=-4')).body.equals(whole.subarray(-4))).toBe(true);
      expect((await ranged(`bytes=${whole.length}-`)).headers['content-range']).toBe(`bytes */${whole.length}`);
      expect((await ranged(`bytes=${whole.length}-`)).json()).toEqual({ errors: [{ code: 'RANGE_INVALID', message: expect.any(String) }] });
      const many = `bytes=${Array.from({ length: 1500 }, (_, at) => `${at}-${at}`).join(',')}`;
      expect((await ranged(many)).status).toBe(200);
      expect((await ranged('bytes=0-99999999999999999999999')).status).toBe(206);
    }
  });

  usualTest('never mention Xet, and are never HTML', async () => {
    for (const target of [
      '/v2/',
      '/v2/acme/tiny-GGUF/manifests/Q8_0',
      blobPath(eight),
      '/v2/nothing',
      '/v2/a/b/c/d',
      '/v2/acme/none/manifests/x',
    ]) {
      const { headers, body } = await ask(url, target, { headers: { Accept: 'text/html' } });
      expect(JSON.stringify(headers)).not.toMatch(/xet/i);
      expect(headers['content-type']).not.toContain('html');
      if (!target.includes('blobs')) expect(body.toString()).not.toMatch(/xet/i);
    }
  });
});

describe('llama.cpp and node-llama-cpp with the store as their registry', () => {
  const asLlama = { 'User-Agent': 'llama-cpp', 'Accept-Encoding': 'gzip, deflate' };

  usualTest('get the names of the files', async () => {
    const found = (await manifestOf('Q4_K_M', asLlama)).json();
    expect(found).toMatchObject({
      ggufFile: { rfilename: 'tiny-Q4_K_M.gguf', blobId: digestOf(weights.Q4_K_M), size: weights.Q4_K_M.length },
      mmprojFile: { rfilename: 'mmproj-tiny-F16.gguf' },
    });
    expect((await manifestOf('Q4_K_M', { 'User-Agent': 'ollama/0.1' })).json()).not.toHaveProperty('ggufFile');
  });

  usualTest('get the first shard of a split file', async () => {
    expect((await manifestOf('BF16', asLlama)).json()).toMatchObject({ ggufFile: { rfilename: 'BF16/tiny-BF16-00001-of-00003.gguf' } });
  });

  usualTest('get 404 for an unknown tag and an unknown model', async () => {
    expect((await manifestOf('Q2_K', asLlama)).status).toBe(404);
    expect((await manifestOf('Q4_K_M', asLlama, 'acme/none')).status).toBe(404);
  });
});

describe('a hostile client of the registry', () => {
  const nothingThere = [
    '/v2/acme/tiny-GGUF/manifests/..',
    '/v2/acme/tiny-GGUF/manifests/..%2f..%2fregistry.json',
    '/v2/acme/../../etc/passwd/manifests/latest',
    '/v2/..%2f..%2f/etc/manifests/latest',
    '/v2/acme/tiny-GGUF/manifests/%00',
    `/v2/acme/tiny-GGUF/manifests/${'a'.repeat(4000)}`,
    '/v2/acme/tiny-GGUF/blobs/..',
    '/v2/acme/tiny-GGUF/blobs/sha256:..%2f..%2fregistry.json',
    '/v2/acme/tiny-GGUF/blobs/sha256:',
    `/v2/acme/tiny-GGUF/blobs/sha256:${'A'.repeat(64)}`,
    `/v2/acme/tiny-GGUF/blobs/md5:${'a'.repeat(64)}`,
    `/v2/acme/tiny-GGUF/blobs/sha256:${'a'.repeat(64)}`,
    '/v2/acme%2Ftiny-GGUF/x/blobs/y',
  ];

  usualTest('gets nothing by invalid paths, tags and digests', async () => {
    for (const target of nothingThere) {
      const { status, body } = await ask(url, target);
      expect([target, [400, 404].includes(status)]).toEqual([target, true]);
      expect(body.toString()).not.toContain('root:');
    }
  });

  usualTest('cannot insert text from a Host header into a header', async () => {
    const { port } = new URL(url);
    for (const host of [`kite3:${port}/x`, 'a b', 'x@y', '"><script>', `localhost:${port}#`, 'localhost:999999', '[::1']) {
      const answer = await talk(url, `GET ${blobPath(eight)} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      const location = /^location: (.*)\r$/im.exec(answer)?.[1];
      expect(location === undefined || location === `${url}${blobPath(eight)}`).toBe(true);
      expect(answer.split('\r\n\r\n')[0]).not.toContain('script');
    }
    expect((await ask(url, blobPath(eight), { headers: { Host: 'evil.example.com' } })).status).toBe(403);
    const split = await talk(url, `GET ${blobPath(eight)} HTTP/1.1\r\nHost: localhost\r\n\tX-Evil: 1\r\nConnection: close\r\n\r\n`);
    expect(split.split('\r\n\r\n')[0]).not.toMatch(/x-evil/i);
  });

  usualTest('cannot change anything by pushing', async () => {
    for (const [method, target] of [
      ['POST', '/v2/acme/tiny-GGUF/blobs/uploads/'],
      ['PUT', '/v2/acme/tiny-GGUF/manifests/x'],
      ['DELETE', blobPath(eight)],
    ] as const) {
      const { status, json } = await ask(url, target, { method });
      expect([status, json()]).toEqual([403, { errors: [{ code: 'DENIED', message: expect.stringContaining('read-only') }] }]);
    }
  });

  usualTest('leaves no open file by disconnecting, however often', async () => {
    const { hostname, port } = new URL(url);
    for (let tries = 0; tries < 40; tries += 1) {
      const sent = request({ hostname, port, path: blobPath(eight), agent: false }).end();
      const [answer] = await once(sent, 'response');
      answer.destroy();
    }
    expect((await ollamaPull(url, { model: 'acme/tiny-GGUF', tag: 'Q8_0' }, { partBytes: 10_000 })).blobs.size).toBe(6);
  });
});

longTest('a node stages a model while Ollama pulls it', async () => {
  const { home } = await makeStore();
  const host = await serveInProcess({ home });
  const env = { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: host.url };
  const pull = (tag: string) => ollamaPull(host.url, { model: 'acme/tiny-GGUF', tag }, { partBytes: 10_000 });
  const [staged, ...pulls] = await Promise.all([
    runInProcess(['stage', 'acme/tiny-GGUF:Q8_0', '--json'], { env }),
    ...['Q8_0', 'Q4_K_M', 'Q8_0'].map(pull),
  ]);
  expect(staged).toMatchObject({ status: 0 });
  const [{ path }] = (JSON.parse(staged.stdout) as { staged: [{ path: string }] }).staged;
  expect((await readFile(join(path, 'tiny-Q8_0.gguf'))).equals(weights.Q8_0)).toBe(true);
  for (const { manifest, blobs } of pulls) expect(blobs.size).toBe(manifest.layers.length + 1);
});

usualTest('a client without read access is denied without a challenge for a key', async () => {
  const { home, env } = await makeStore({ 'a-Q8_0.gguf': weights.Q8_0 });
  const host = await serveInProcess({ home });
  expect((await runInProcess(['policy', 'set', 'lan', 'none'], { env })).status).toBe(0);
  await expect.poll(async () => (await ask(host.url, '/models')).status).toBe(401);
  for (const target of ['/v2/', '/v2/acme/tiny-GGUF/manifests/Q8_0', blobPath(eight), '/v2/other']) {
    const { status, headers, json } = await ask(host.url, target);
    expect([status, headers['www-authenticate'], json()]).toEqual([
      403,
      undefined,
      { errors: [{ code: 'DENIED', message: expect.any(String) }] },
    ]);
  }
  // node-llama-cpp sends its token only after a 401.
  const manifest = '/v2/acme/tiny-GGUF/manifests/Q8_0';
  const llama = { 'User-Agent': 'llama-cpp' };
  const asked = await ask(host.url, manifest, { headers: llama });
  expect([asked.status, asked.headers['www-authenticate']]).toEqual([401, 'Bearer']);
  const token = (await runInProcess(['token', 'create', 'reader', '--role', 'read'], { env })).stdout.trim();
  expect((await ask(host.url, manifest, { headers: { ...llama, Authorization: `Bearer ${token}` } })).status).toBe(200);
  expect((await ask(host.url, blobPath(eight), { headers: { Authorization: `Bearer ${token}` } })).status).toBe(200);
});

usualTest('a node forwards registry requests, and uses its own address', async () => {
  const { home } = await makeStore();
  const host = await serveInProcess({ home });
  const node = await serveInProcess({
    home: await temporaryDirectory(),
    args: ['--role', 'node'],
    env: { SKULK_STORE: host.url, SKULK_NODE_ID: 'n1' },
  });
  const { blobs } = await ollamaPull(node.apiUrl, { model: 'acme/tiny-GGUF', tag: 'Q8_0' }, { partBytes: 30_000 });
  expect(blobs.get(eight)?.equals(weights.Q8_0)).toBe(true);
  expect((await ask(node.apiUrl, blobPath(eight))).headers.location).toBe(`${node.apiUrl}${blobPath(eight)}`);
  await host.stop();
  const { status, json } = await ask(node.apiUrl, '/v2/acme/tiny-GGUF/manifests/Q8_0');
  expect([status, json()]).toEqual([503, { errors: [{ code: 'UNAVAILABLE', message: expect.any(String) }] }]);
});
