import { expect, test } from 'vitest';
import { fakeHub } from '../helpers/fake-hub.ts';
import { digestsBelow, sha256 } from '../helpers/model-files.ts';
import { type PythonStore, pythonStore } from '../helpers/python-store.ts';
import { copyOf, type StagingNode, stagingNode } from '../helpers/staging-node.ts';

const id = 'org/plain';
const safe = { 'config.json': '{"model_type":"llama"}', 'model.safetensors': Buffer.alloc(5 * 1024 * 1024 + 3, 1) };

const contentOf = async (node: StagingNode, model: string): Promise<object> => {
  const { '.skulk.json': _record, '.last_used': _used, ...files } = await digestsBelow(copyOf(node, model));
  return files;
};
const digestsOf = (files: Readonly<Record<string, string | Uint8Array>>): object =>
  Object.fromEntries(Object.entries(files).map(([path, content]) => [path, sha256(content)]));
/** A node of a store, without a Hub unless a test adds one. */
const nodeOf = (store: Pick<PythonStore, 'url'>, { hub }: { hub?: string } = {}) =>
  stagingNode(store.url, { env: hub === undefined ? { HF_HUB_OFFLINE: '1' } : { HF_ENDPOINT: hub } });

test.each([
  ['has another commit', 'b'.repeat(40)],
  ['has no commit', undefined],
])('a pinned model that is replaced during a stage, and then %s, is staged in its new version', async (_, next) => {
  const commit = 'a'.repeat(40);
  const store = await pythonStore({ [id]: { files: safe, source_revision: commit } });
  store.isLater = true;
  const files = { 'config.json': '{"model_type":"qwen3"}', 'model.safetensors': Buffer.alloc(2 * 1024 * 1024, 4) };
  // The first bytes are still of the former version; later requests for its commit are answered with 404.
  store.fault = ({ path, number, response, body, start, end }) => {
    if (path !== 'model.safetensors' || number !== 1) return false;
    store.models.set(id, { files, downloaded_at: '2026-03-03T00:00:00Z', ...(next !== undefined && { source_revision: next }) });
    response.writeHead(206, { 'Content-Length': end - start, 'Content-Range': `bytes ${start}-${end - 1}/${body.length}` });
    response.write(body.subarray(start, start + 1_200_000), () => response.destroy());
    return true;
  };
  const node = await nodeOf(store);
  expect(await node.stage(id)).toMatchObject({ source: 'store', verified: 'arrival' });
  expect(await contentOf(node, id)).toEqual(digestsOf(files));
});

test('a model that is deleted from a Python store host during a stage is reported as missing', async () => {
  const store = await pythonStore({ [id]: { files: safe } });
  store.fault = ({ path, response, body, start, end }) => {
    if (path !== 'model.safetensors') return false;
    store.models.delete(id);
    response.writeHead(206, { 'Content-Length': end - start, 'Content-Range': `bytes ${start}-${end - 1}/${body.length}` });
    response.write(body.subarray(start, start + 1_200_000), () => response.destroy());
    return true;
  };
  const node = await nodeOf(store);
  await expect(node.stage(id)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND', message: expect.stringContaining('not in the store') });
});

test('a vision model of a Python store host without its projector gets it by a download there, as that program does', async () => {
  const gguf = (byte: number): Buffer => Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(3000, byte)]);
  const files = { 'config.json': '{}', 'm-Q4_K_M.gguf': gguf(1) };
  const all = { ...files, 'mmproj-F16.gguf': gguf(3) };
  // Its list of files is 404 until it has the projector.
  const store = await pythonStore({ 'org/v-GGUF': { files, repo_has_projector: true } });
  store.hub.set('org/v-GGUF', all);
  const hub = await fakeHub();
  hub.push('org/v-GGUF', { files: all });
  const node = await nodeOf(store, { hub: hub.url });
  expect(await node.stage('org/v-GGUF')).toMatchObject({ source: 'store', verified: 'hub' });
  expect(await contentOf(node, 'org/v-GGUF')).toEqual(digestsOf(all));
  // Without that download the reason is that the store lacks a file.
  const lacking = await pythonStore({ 'org/v-GGUF': { files, repo_has_projector: true } });
  await expect((await nodeOf(lacking)).stage('org/v-GGUF')).rejects.toMatchObject({
    code: 'MODEL_NOT_FOUND',
    message: expect.stringContaining('does not serve the files of org/v-GGUF'),
  });
});
