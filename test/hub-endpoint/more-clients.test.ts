import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { atEnd, forWholeFile } from '../helpers/at-end.ts';
import { hubAsker } from '../helpers/hub-answers.ts';
import { noise, sha256, writeFiles } from '../helpers/model-files.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { startServe } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

/*
 * The requests of clients that are not written in Python or JavaScript: hf-hub (Rust) 0.4 and 1.0, aria2, and hfd.sh, which uses grep and
 * aria2 or wget. Each handles the answers like its source code.
 */

const files: Readonly<Record<string, Buffer>> = {
  'config.json': Buffer.from('{"model_type":"llama"}'),
  'model.safetensors': noise(12_000_075, 4),
  'sub/x y+é.json': Buffer.from('{}'),
};

const shared = forWholeFile(async () => {
  const home = await temporaryDirectory();
  await writeFiles(join(home, 'model'), files);
  const added = await runInProcess(['add', join(home, 'model'), '--as', 'acme/tiny-llama'], { env: { SKULK_HOME: home } });
  expect(added.status).toBe(0);
  const host = await startServe({ home });
  atEnd(() => host.stop());
  return { host };
});
let ask: ReturnType<typeof hubAsker>;
beforeAll(() => {
  ask = hubAsker(shared().host.url);
});

const textOf = (value: string | string[] | undefined): string => [value ?? []].flat().join(', ');

describe('the Rust client hf-hub', () => {
  const agent = { 'User-Agent': 'unkown/None; hf-hub/0.4.1; rust/unknown' };

  test.each(Object.keys(files))('gets the metadata of %s from its first byte, and resumes from there', async (path) => {
    const content = files[path] as Buffer;
    const url = `/acme/tiny-llama/resolve/main/${path.split('/').map(encodeURIComponent).join('/')}`;
    // `metadata`: a GET of the first byte that follows no redirect.
    const { status, headers } = await ask(url, { headers: { ...agent, Range: 'bytes=0-0' } });
    expect(status).toBe(206);
    const commit = textOf(headers['x-repo-commit']);
    expect(commit).toMatch(/^[0-9a-f]{40}$/);
    const etag = textOf(headers['x-linked-etag'] ?? headers.etag).replaceAll('"', '');
    expect(etag).toMatch(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/);
    expect(Number(textOf(headers['content-range']).split('/').at(-1))).toBe(content.length);
    const half = Math.floor(content.length / 2);
    const parts = await Promise.all(
      [`bytes=0-${half - 1}`, `bytes=${half}-`].map(async (Range) => (await ask(url, { headers: { ...agent, Range } })).body),
    );
    expect(Buffer.concat(parts).equals(content)).toBe(true);
    // 1.0 asks again with the ETag that it has.
    expect((await ask(url, { method: 'HEAD', headers: { ...agent, 'If-None-Match': `"${etag}"` } })).status).toBe(304);
    expect((await ask(`/acme/tiny-llama/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`)).status).toBe(200);
  });

  test('can list the files of a repo', async () => {
    const { sha, siblings } = (await ask('/api/models/acme/tiny-llama/revision/main', { headers: agent })).json() as {
      sha: string;
      siblings: { rfilename: string }[];
    };
    expect(sha).toMatch(/^[0-9a-f]{40}$/);
    expect(siblings.map(({ rfilename }) => rfilename)).toEqual(Object.keys(files).toSorted());
  });
});

describe('the download program aria2', () => {
  const agent = { 'User-Agent': 'aria2/1.37.0', Accept: '*/*', 'Want-Digest': 'SHA-512;q=1, SHA-256;q=1, SHA;q=0.1' };

  test('can fetch a file in eight parts at once', async () => {
    const content = files['model.safetensors'] as Buffer;
    const url = '/acme/tiny-llama/resolve/main/model.safetensors';
    const step = 1024 * 1024;
    const ranges = Array.from({ length: Math.ceil(content.length / step) }, (_, index) => [
      index * step,
      Math.min(content.length, (index + 1) * step) - 1,
    ]);
    const parts = await Promise.all(
      ranges.map(async ([start, end]) => {
        const { status, headers, body } = await ask(url, { headers: { ...agent, Range: `bytes=${start}-${end}` } });
        expect([status, headers['content-range']]).toEqual([206, `bytes ${start}-${end}/${content.length}`]);
        return body;
      }),
    );
    expect(sha256(Buffer.concat(parts))).toBe(sha256(content));
  });

  test('sends a plus sign unchanged', async () => {
    expect((await ask('/acme/tiny-llama/resolve/main/sub/x%20y+%C3%A9.json', { headers: agent })).body.toString()).toBe('{}');
    expect((await ask('/acme/tiny-llama/resolve/main/sub/x%20y%2B%C3%A9.json', { headers: agent })).body.toString()).toBe('{}');
  });
});

test('hfd.sh finds the files with grep, and can download them without a token', async () => {
  const { body } = await ask('/api/models/acme/tiny-llama', { headers: { 'User-Agent': 'curl/8.5.0', Accept: '*/*' } });
  const text = body.toString();
  expect(/"gated":[^f]/.test(text)).toBe(false);
  const names = [...text.matchAll(/"rfilename":"([^"]*)"/g)].map(([, name = '']) => name);
  expect(names).toEqual(Object.keys(files).toSorted());
  for (const name of names)
    expect((await ask(`/acme/tiny-llama/resolve/main/${encodeURI(name)}`, { headers: { 'User-Agent': 'Wget/1.21.4' } })).status).toBe(200);
});
