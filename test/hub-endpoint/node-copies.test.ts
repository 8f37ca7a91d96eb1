import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { forWholeFile } from '../helpers/at-end.ts';
import { countedDoor } from '../helpers/counted-door.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, sha256, writeFiles } from '../helpers/model-files.ts';
import { ask, type RawAnswer } from '../helpers/raw-http.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { writeTinyLlama } from '../helpers/tiny-llama.ts';

const weights = noise(3_000_075, 1);
const ofHub = { 'README.md': '---\nlicense: mit\n---\n', 'config.json': '{"a":1}', 'empty.txt': '', 'model.safetensors': weights };

/** A store host, and a node that reaches it through a counted door. Both models are staged. */
const lan = forWholeFile(async () => {
  const world = await hubWorld();
  const commit = world.hub.push('org/hub', { files: ofHub });
  await writeFiles(join(world.home, 'model'), { ...ofHub, 'sub/x y+é.json': '{"x":1}' });
  expect(await world.host('add', join(world.home, 'model'), '--as', 'acme/Own')).toMatchObject({ status: 0 });
  await mkdir(join(world.home, 'gguf'));
  await writeTinyLlama(join(world.home, 'gguf', 'tiny-Q4_K_M.gguf'));
  await writeFile(join(world.home, 'gguf', 'config.json'), '{}');
  expect(await world.host('add', join(world.home, 'gguf'), '--as', 'acme/tiny-GGUF')).toMatchObject({ status: 0 });
  const host = await world.serveInProcess();
  expect(await world.host('download', 'org/hub')).toMatchObject({ status: 0 });
  const door = await countedDoor(host.url);
  for (const model of ['org/hub', 'acme/Own', 'acme/tiny-GGUF'])
    expect(await world.nodeInProcess(door, 'n1', 'stage', model)).toMatchObject({ status: 0 });
  const node = await serveInProcess({ home: join(world.home, 'n1'), args: ['--role', 'node'], env: { SKULK_STORE: door.url } });
  return { world, commit, host, node, door };
});

/** Headers of a connection, and of the moment. */
const ofTransport = new Set(['date', 'connection', 'keep-alive']);

/** The content of an answer, regardless of its server. */
function toCompare({ status, headers, body }: RawAnswer): object {
  const kept = Object.entries(headers).filter(([name]) => !ofTransport.has(name));
  const plain = kept.map(([name, value]) => [name, String(value).replace(/127\.0\.0\.1:\d+/, 'HERE')]);
  return { status, headers: Object.fromEntries(plain.toSorted()), body: sha256(body), length: body.length };
}

const blobOf = (bytes: Uint8Array): string => `/v2/acme/tiny-GGUF/blobs/sha256:${sha256(bytes)}`;

describe('a node with a staged copy', () => {
  test.each([
    ['GET', '/org/hub/resolve/main/model.safetensors', {}],
    ['GET', '/org/hub/resolve/main/model.safetensors', { Range: 'bytes=1000000-' }],
    ['GET', '/org/hub/resolve/HEAD/model.safetensors', { Range: 'bytes=-75' }],
    ['GET', '/org/hub/resolve/main/model.safetensors', { Range: 'bytes=0-1,3-4' }],
    ['GET', '/org/hub/resolve/main/model.safetensors', { Range: 'bytes=3000075-' }],
    ['GET', '/org/hub/resolve/COMMIT/model.safetensors', { Range: 'bytes=5-9', 'If-Range': `"${sha256(weights)}"` }],
    ['GET', '/org/hub/resolve/COMMIT/model.safetensors', { Range: 'bytes=5-9', 'If-Range': '"other"' }],
    ['GET', '/org/hub/resolve/COMMIT/model.safetensors', { 'If-None-Match': `"${sha256(weights)}"` }],
    ['GET', '/org/hub/resolve/main/model.safetensors', { 'If-Match': '"other"' }],
    ['HEAD', '/org/hub/resolve/main/model.safetensors', {}],
    ['HEAD', '/org/hub/resolve/COMMIT/config.json', {}],
    ['GET', '/org/hub/resolve/COMMIT/config.json', {}],
    ['GET', '/org/hub/resolve/main/empty.txt', { Range: 'bytes=0-0' }],
    ['GET', '/org/hub/raw/main/config.json', {}],
    ['GET', '/org/hub/raw/main/model.safetensors', {}],
    ['GET', '/org/hub/resolve/main/none.json', {}],
    ['GET', '/org/hub/resolve/v9/config.json', {}],
    ['GET', '/ORG%2Fhub/resolve/main/config.json?download=true', {}],
    ['GET', '/acme/Own/resolve/main/sub/x%20y+%C3%A9.json', {}],
    ['GET', '/acme/own/resolve/main/model.safetensors', { Range: 'bytes=1-2', Origin: 'http://localhost:3000' }],
    ['GET', '/acme/Own/resolve/main/config.json', { Origin: 'https://evil.example' }],
    ['GET', '/api/models/org/hub?blobs=true', {}],
    ['GET', '/api/models/org/hub/tree/main?recursive=true&expand=true', {}],
    ['GET', '/api/models/acme/tiny-GGUF', {}],
    ['GET', '/v2/acme/tiny-GGUF/manifests/latest', {}],
  ] as const)('answers %s %s %j with the same headers as its store host', async (method, target, headers) => {
    const { host, node, commit } = lan();
    const path = target.replace('COMMIT', commit);
    const [expected, answer] = [await ask(host.apiUrl, path, { method, headers }), await ask(node.apiUrl, path, { method, headers })];
    expect(toCompare(answer)).toEqual(toCompare(expected));
  });

  test('answers registry requests for blobs like its store host', async () => {
    const { world, host, node } = lan();
    const file = await readFile(join(world.home, 'gguf', 'tiny-Q4_K_M.gguf'));
    for (const headers of [{}, { Range: 'bytes=10-19' }, { Range: `bytes=${file.length}-` }, { 'If-None-Match': `"${sha256(file)}"` }]) {
      const [expected, answer] = [await ask(host.apiUrl, blobOf(file), { headers }), await ask(node.apiUrl, blobOf(file), { headers })];
      expect(toCompare(answer)).toEqual(toCompare(expected));
      expect(answer.headers['location']).toBe(answer.status === 200 ? `${node.apiUrl}${blobOf(file)}` : undefined);
    }
  });

  test('sends the bytes from its own disk, and almost none from the store', async () => {
    const { node, door, commit } = lan();
    const before = door.bytes();
    for (const revision of ['main', commit])
      expect((await ask(node.apiUrl, `/org/hub/resolve/${revision}/model.safetensors`)).body.equals(weights)).toBe(true);
    const cwd = await temporaryDirectory();
    await writeFile(join(cwd, 'model.safetensors'), weights.subarray(0, 1_000_000));
    const url = `${node.apiUrl}/org/hub/resolve/main/model.safetensors`;
    await promisify(execFile)('curl', ['-sSfL', '--noproxy', '*', '-C', '-', '-O', url], { cwd });
    expect((await readFile(join(cwd, 'model.safetensors'))).equals(weights)).toBe(true);
    // Three heads, and data that the agent of the node receives meanwhile.
    expect(door.bytes() - before).toBeLessThan(100_000);
  });
});
