import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { chunkSize } from '../../src/core/kernel/chunk-size.ts';
import { readCopyRecord } from '../../src/core/staging/copy-record.ts';
import { fakeHub } from '../helpers/fake-hub.ts';
import { pythonStore } from '../helpers/python-store.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { copyOf, serveModels, stagingNode } from '../helpers/staging-node.ts';

const id = 'org/plain';
const large = Buffer.alloc(chunkSize + 5_000_000, 5);
const files = { 'config.json': '{"a":1}', 'sub/same.bin': Buffer.alloc(300_000, 1), 'model.safetensors': large };

/** A copy as the Python program leaves it: files and a mark, but no record. */
async function stageAsPython(directory: string, contents: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [path, content] of Object.entries(contents)) {
    await mkdir(join(directory, path, '..'), { recursive: true });
    await writeFile(join(directory, path), content);
  }
  await writeFile(join(directory, '.last_used'), '');
}

usualTest('a copy that the Python program staged is hashed, and none of it is sent again', async () => {
  const { url } = await serveModels({ [id]: files });
  const node = await stagingNode(url);
  await stageAsPython(copyOf(node, id), files);
  expect(await node.stage(id)).toMatchObject({ source: 'store', bytes_transferred: 0 });
  expect(await readCopyRecord(copyOf(node, id))).toMatchObject({ manifest: { model_id: id } });
});

longTest('for a copy of the Python program with a damaged chunk, only that chunk and missing files are sent', async () => {
  const { url } = await serveModels({ [id]: files });
  const node = await stagingNode(url);
  const damaged = Buffer.from(large);
  damaged.writeUInt8(9, chunkSize + 7);
  const { 'config.json': _, ...rest } = files;
  await stageAsPython(copyOf(node, id), { ...rest, 'model.safetensors': damaged });
  const staged = await node.stage(id);
  expect(staged.bytes_transferred).toBe(5_000_000 + files['config.json'].length);
  expect((await readFile(join(copyOf(node, id), 'model.safetensors'))).equals(large)).toBe(true);
});

usualTest('a copy of the Python program is used with a Python store host if Hugging Face confirms its content', async () => {
  const hub = await fakeHub();
  hub.push(id, { files });
  const store = await pythonStore({ [id]: { files } });
  const node = await stagingNode(store.url, { env: { HF_ENDPOINT: hub.url } });
  await stageAsPython(copyOf(node, id), files);
  expect(await node.stage(id)).toMatchObject({ verified: 'hub', bytes_transferred: 0 });
});

longTest('a copy of the Python program is sent again if Hugging Face cannot confirm its content', async () => {
  const store = await pythonStore({ [id]: { files } });
  const node = await stagingNode(store.url, { env: { HF_HUB_OFFLINE: '1' } });
  await stageAsPython(copyOf(node, id), { ...files, 'model.safetensors': Buffer.alloc(large.length, 6) });
  expect(await node.stage(id)).toMatchObject({ verified: 'arrival' });
  expect((await readFile(join(copyOf(node, id), 'model.safetensors'))).equals(large)).toBe(true);
});
