import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { readCopyRecord } from '../../src/core/staging/copy-record.ts';
import { sha256 } from '../helpers/directory-store.ts';
import { fakeHub } from '../helpers/fake-hub.ts';
import { type PythonStore, pythonStore } from '../helpers/python-store.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { copyOf, type StagingNode, stagingNode } from '../helpers/staging-node.ts';

const id = 'org/plain';
const weights = (seed: number, size = 5 * 1024 * 1024 + 3): Buffer => {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE((at * 2_654_435_761 + seed) >>> 0, at);
  return bytes;
};
const small = { 'config.json': '{"model_type":"llama"}', 'tokenizer.json': '{}', 'sub dir/a%20#b?.txt': 'odd name', empty: '' };
const safe = { ...small, 'model.safetensors': weights(1) };

const contentOf = async (node: StagingNode, model: string): Promise<Record<string, string>> => {
  const root = copyOf(node, model);
  const items = await readdir(root, { recursive: true, withFileTypes: true });
  const files = items.filter((item) => item.isFile()).map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1));
  const own = files.filter((path) => !['.skulk.json', '.last_used'].includes(path));
  return Object.fromEntries(await Promise.all(own.map(async (path) => [path, sha256(await readFile(join(root, path)))] as const)));
};
const digestsOf = (files: Readonly<Record<string, string | Uint8Array>>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([path, content]) => [path, sha256(content)]));
/** A node of a store, without a Hub unless a test adds one. */
const nodeOf = (store: Pick<PythonStore, 'url'>, { hub, home, signal }: { hub?: string; home?: string; signal?: AbortSignal } = {}) =>
  stagingNode(store.url, {
    env: hub === undefined ? { HF_HUB_OFFLINE: '1' } : { HF_ENDPOINT: hub },
    ...(home !== undefined && { home }),
    ...(signal !== undefined && { signal }),
  });
const notes = (node: StagingNode): string =>
  node.world.events.flatMap((event) => (event.type === 'note' ? [event.message] : [])).join('\n');

usualTest('a model of a Python store host is staged, and its record shows that it was hashed only on arrival', async () => {
  const store = await pythonStore({ [id]: { files: safe } });
  const node = await nodeOf(store);
  const staged = await node.stage(id);
  expect(staged).toMatchObject({ source: 'store', verified: 'arrival', files: 5, revision: null });
  expect(await contentOf(node, id)).toEqual(digestsOf(safe));
  expect(await readCopyRecord(copyOf(node, id))).toMatchObject({ verified: 'arrival', manifest: { source: 'python-store', commit: null } });
  expect(notes(node)).toContain('5 files were only hashed on arrival');
  expect(store.requests.filter((line) => line.startsWith('HEAD'))).toEqual([]);
});

usualTest('a second stage of an unchanged model of a Python store host sends no byte of a file', async () => {
  const store = await pythonStore({ [id]: { files: safe } });
  const node = await nodeOf(store);
  await node.stage(id);
  const before = store.bytes();
  expect(await node.stage(id)).toMatchObject({ source: 'cache', verified: 'arrival', bytes_transferred: 0 });
  expect(store.bytes()).toBe(before);
});

usualTest('a model that was replaced on a Python store host is staged again', async () => {
  const store = await pythonStore({ [id]: { files: safe } });
  const node = await nodeOf(store);
  await node.stage(id);
  const files = { ...safe, 'model.safetensors': weights(2) };
  store.models.set(id, { files, downloaded_at: '2026-02-02T00:00:00Z' });
  expect(await node.stage(id)).toMatchObject({ source: 'store', verified: 'arrival' });
  expect(await contentOf(node, id)).toEqual(digestsOf(files));
});

usualTest('files that match Hugging Face are recorded with its ids and its commit', async () => {
  const hub = await fakeHub();
  const { empty: _, ...files } = safe;
  const commit = hub.push(id, { files });
  const store = await pythonStore({ [id]: { files } });
  const node = await nodeOf(store, { hub: hub.url });
  expect(await node.stage(id)).toMatchObject({ verified: 'hub', revision: 'main' });
  const record = await readCopyRecord(copyOf(node, id));
  expect(record?.manifest).toMatchObject({ commit });
  expect(record?.manifest.files.every(({ hub_id }) => hub_id !== undefined)).toBe(true);
  expect(notes(node)).toContain('all 4 files match Hugging Face');
});

usualTest('older content than on Hugging Face is accepted if it arrives twice the same, and the record shows it', async () => {
  const hub = await fakeHub();
  hub.push(id, { files: { ...safe, 'model.safetensors': weights(7) } });
  const store = await pythonStore({ [id]: { files: safe } });
  const node = await nodeOf(store, { hub: hub.url });
  expect(await node.stage(id)).toMatchObject({ verified: 'arrival', revision: null });
  expect(await contentOf(node, id)).toEqual(digestsOf(safe));
  const files = (await readCopyRecord(copyOf(node, id)))?.manifest.files ?? [];
  expect(files.filter(({ hub_id }) => hub_id === undefined).map(({ path }) => path)).toEqual(['model.safetensors']);
});

usualTest('a pinned model of a later Python release is staged with the companion and the quantization of its card', async () => {
  const commit = 'd'.repeat(40);
  const gguf = (byte: number): Buffer => Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(3000, byte)]);
  const card = {
    model_id: 'org/m-GGUF',
    gguf_file: 'm-Q8_0.gguf',
    supports_tensor: false,
    context_length: 4096,
    vision: { weights_repo: 'org/eyes' },
  };
  const store = await pythonStore({
    'org/m-GGUF': {
      files: { 'm-Q4_K_M.gguf': gguf(1), 'm-Q8_0.gguf': gguf(2), '.skulk/installed-card.json': '{}', '.skulk-source-revision': commit },
      source_revision: commit,
      installed_card: { artifact_model_id: 'org/m-GGUF', artifact_role: 'base', model_card: card },
    },
    'org/eyes': { files: { 'model.safetensors': weights(2, 4000) } },
  });
  store.isLater = true;
  const node = await nodeOf(store);
  const staged = await node.stage('org/m-GGUF');
  expect(staged).toMatchObject({ verified: 'arrival', gguf_file: expect.stringContaining('m-Q8_0.gguf') });
  expect(await contentOf(node, 'org/m-GGUF')).toEqual(digestsOf({ 'm-Q8_0.gguf': gguf(2) }));
  expect(await contentOf(node, 'org/eyes')).toEqual(digestsOf({ 'model.safetensors': weights(2, 4000) }));
  // Every request for its files names the commit; without it that release answers 404.
  const asked = store.requests.filter((line) => line.startsWith('GET /models/org%2Fm-GGUF/') && !line.includes('/manifest'));
  expect(asked.filter((line) => !line.endsWith(`?source_revision=${commit}`))).toEqual([]);
  expect(asked.length).toBeGreaterThan(1);
});

usualTest('bytes that were damaged in transfer are detected if Hugging Face can be reached, and fetched again', async () => {
  const hub = await fakeHub();
  hub.push(id, { files: safe });
  const store = await pythonStore({ [id]: { files: safe } });
  store.fault = ({ path, number, response, body, start, end }) => {
    if (path !== 'model.safetensors' || number !== 1) return false;
    const bytes = Buffer.from(body.subarray(start, end));
    bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
    const headers = { 'Content-Length': bytes.length, 'Content-Range': `bytes ${start}-${end - 1}/${body.length}` };
    response.writeHead(206, headers).end(bytes);
    return true;
  };
  const node = await nodeOf(store, { hub: hub.url });
  expect(await node.stage(id)).toMatchObject({ verified: 'hub' });
  expect(await contentOf(node, id)).toEqual(digestsOf(safe));
});

usualTest('content of another revision than the requested one is refused', async () => {
  const hub = await fakeHub();
  const commit = hub.push(id, { files: { ...safe, 'model.safetensors': weights(7) } });
  const store = await pythonStore({ [id]: { files: safe } });
  const node = await nodeOf(store, { hub: hub.url });
  await expect(node.stage(`${id}@${commit}`)).rejects.toMatchObject({ code: 'INTEGRITY' });
  store.models.set(id, { files: safe, downloaded_at: 'x', source_revision: 'a'.repeat(40) });
  await expect(node.stage(`${id}@${commit}`)).rejects.toMatchObject({ code: 'REVISION_NOT_FOUND' });
  const offline = await nodeOf(store);
  await expect(offline.stage(`${id}@${commit}`)).rejects.toMatchObject({ code: 'REVISION_NOT_FOUND' });
});

usualTest('other files in the list of a Python store host are ignored', async () => {
  const litter = {
    'model.safetensors.partial': 'half',
    '.skulk-source-revision': 'a',
    '.skulk/installed-card.json': '{}',
    '.last_used': '',
  };
  const store = await pythonStore({ [id]: { files: { ...safe, ...litter } } });
  const node = await nodeOf(store);
  await node.stage(id);
  expect(await contentOf(node, id)).toEqual(digestsOf(safe));
});

usualTest.each(['../../escape', '/etc/passwd', 'a/../../b', 'a\\b', 'nul\0'])(
  'a file list with the path %j is refused, and nothing is written',
  async (path) => {
    const store = await pythonStore({ [id]: { files: { ...safe, [path]: 'x' } } });
    const node = await nodeOf(store);
    await expect(node.stage(id)).rejects.toMatchObject({ code: 'INTEGRITY' });
    await expect(readdir(copyOf(node, id))).rejects.toMatchObject({ code: 'ENOENT' });
  },
);

usualTest('one quantization is staged beside another, and an unknown selector exits with 3', async () => {
  const gguf = (seed: number): Buffer => Buffer.concat([Buffer.from('GGUF'), weights(seed, 3 * 1024 * 1024)]);
  const files = { 'config.json': '{}', 'm-Q4_K_M.gguf': gguf(1), 'm-Q8_0.gguf': gguf(2) };
  const store = await pythonStore({ 'org/m-GGUF': { files } });
  const node = await nodeOf(store);
  expect(await node.stage('org/m-GGUF')).toMatchObject({ gguf_file: 'm-Q4_K_M.gguf' });
  expect(await node.stage('org/m-GGUF:Q8_0')).toMatchObject({ gguf_file: 'm-Q8_0.gguf', verified: 'arrival' });
  expect(await contentOf(node, 'org/m-GGUF')).toEqual(digestsOf(files));
  expect(await node.stage('org/m-GGUF:Q4_K_M')).toMatchObject({ source: 'cache', gguf_file: 'm-Q4_K_M.gguf' });
  expect(await node.stage('org/m-GGUF:Q8_0')).toMatchObject({ source: 'cache' });
  store.hub.set('org/m-GGUF', files);
  await expect(node.stage('org/m-GGUF:Q2_K')).rejects.toMatchObject({ code: expect.stringMatching(/MODEL_NOT_FOUND|FILE_NOT_FOUND/) });
});

usualTest('a Python store host that sends whole files instead of ranges works as well', async () => {
  const store = await pythonStore({ [id]: { files: safe } });
  store.fault = ({ response, body }) => {
    response.writeHead(200, { 'Content-Length': body.length }).end(body);
    return true;
  };
  const node = await nodeOf(store);
  await node.stage(id);
  expect(await contentOf(node, id)).toEqual(digestsOf(safe));
});

usualTest('a broken connection to a Python store host resumes where it ended', async () => {
  const store = await pythonStore({ [id]: { files: safe } });
  let cuts = 0;
  store.fault = ({ path, response, body, start, end }) => {
    if (path !== 'model.safetensors' || cuts === 4) return false;
    cuts += 1;
    response.writeHead(206, { 'Content-Length': end - start, 'Content-Range': `bytes ${start}-${end - 1}/${body.length}` });
    response.write(body.subarray(start, Math.min(end, start + 1_200_000)), () => response.destroy());
    return true;
  };
  const node = await nodeOf(store);
  expect((await node.stage(id)).bytes_transferred).toBeLessThan(6.5 * 1024 * 1024);
  expect(cuts).toBe(4);
  expect(await contentOf(node, id)).toEqual(digestsOf(safe));
});

usualTest('a file that was replaced between two tries does not become a mixture', async () => {
  const store = await pythonStore({ [id]: { files: safe } });
  const interrupted = new AbortController();
  const node = await nodeOf(store, { signal: interrupted.signal });
  store.fault = ({ path, response, body, start, end }) => {
    if (path !== 'model.safetensors') return false;
    response.writeHead(206, { 'Content-Length': end - start, 'Content-Range': `bytes ${start}-${end - 1}/${body.length}` });
    response.write(body.subarray(start, start + 3_500_000));
    return true;
  };
  const progress = node.world.emit;
  Object.assign(node.world, {
    emit: (event: Parameters<typeof progress>[0]) => {
      progress(event);
      if (event.type === 'progress' && event.bytesDone > 3_300_000) interrupted.abort(new Error('stopped'));
    },
  });
  await expect(node.stage(id)).rejects.toThrow('stopped');
  store.fault = undefined;
  const files = { ...safe, 'model.safetensors': weights(9) };
  // The registry does not contain it.
  store.models.set(id, { files, downloaded_at: store.models.get(id)?.downloaded_at ?? '' });
  const again = await nodeOf(store, { home: node.home });
  await again.stage(id);
  expect(await contentOf(again, id)).toEqual(digestsOf(files));
});

longTest('a model that changes in the store during a stage is staged in its new version', async () => {
  const store = await pythonStore({ [id]: { files: safe } });
  const files = { ...safe, 'model.safetensors': weights(4, 2 * 1024 * 1024) };
  store.fault = ({ path, number }) => {
    if (path === 'model.safetensors' && number === 1) store.models.set(id, { files, downloaded_at: '2026-03-03T00:00:00Z' });
    return false;
  };
  const node = await nodeOf(store);
  await node.stage(id);
  expect(await contentOf(node, id)).toEqual(digestsOf(files));
});

usualTest('--dry-run with a Python store host lists the files and transfers none of them', async () => {
  const store = await pythonStore({ [id]: { files: safe } });
  const node = await nodeOf(store);
  const report = (await node.request([id], { dryRun: true })) as unknown as { planned: { bytes_to_transfer: number; files: unknown[] }[] };
  expect(report.planned[0]?.bytes_to_transfer).toBe(Object.values(safe).reduce((sum, content) => sum + content.length, 0));
  expect(report.planned[0]?.files).toHaveLength(5);
  await expect(readdir(node.root)).rejects.toMatchObject({ code: 'ENOENT' });
});

usualTest('a model that a Python store host does not have is downloaded there, then staged', async () => {
  const store = await pythonStore();
  store.hub.set(id, safe);
  const hub = await fakeHub();
  hub.push(id, { files: safe });
  const node = await nodeOf(store, { hub: hub.url });
  expect(await node.stage(id)).toMatchObject({ source: 'store' });
  expect(await contentOf(node, id)).toEqual(digestsOf(safe));
});
