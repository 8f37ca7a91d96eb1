import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { gitBlobId } from '../../src/core/endpoint/view/file-identity.ts';
import type { RelativePath } from '../../src/core/kernel/files/relative-path.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import type { Manifest } from '../../src/core/protocol/manifest.ts';
import { openDiskStore } from '../../src/core/store/disk-store.ts';
import { storeLayout } from '../../src/core/store/layout.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';
import { testWorld } from '../helpers/world.ts';

const modelId = parseModelId('org/m');
const large = Buffer.alloc(17 * 1024 * 1024, 1);
const commit = 'c'.repeat(40);
const upstream = { repo: modelId, commit, files: [{ path: 'config.json' as RelativePath, size: 2, oid: gitBlobId('{}') }] };

/** A store with a model whose manifest was written by an earlier skulk, without the git ids of small files. */
async function oldStore() {
  const home = await temporaryDirectory();
  const root = join(home, 'store');
  const world = testWorld(home);
  const open = () => {
    const store = openDiskStore({ root, world, nodeId: undefined, cardsPath: undefined });
    onTestFinished(() => store.close());
    return store;
  };
  const from = join(home, 'from');
  await mkdir(root);
  await writeFiles(from, { 'config.json': '{}', 'sub/README.md': '# M\n', 'large.bin': large });
  const store = open();
  const { files } = await hashAll(from, ['config.json', 'sub/README.md', 'large.bin']);
  await store.publish({ modelId, from, files, revision: 'main', origin: { source: 'hub', commit, upstream } }, { signal: world.signal });
  const manifestPath = join(storeLayout(root).manifests, 'org--m.json');
  const written = JSON.parse(await readFile(manifestPath, 'utf8')) as Manifest & { upstream?: object };
  const stripped = { ...written, files: written.files.map(({ hub_id: _, ...file }) => file) };
  await writeFile(manifestPath, JSON.stringify(stripped));
  const read = async () => JSON.parse(await readFile(manifestPath, 'utf8')) as typeof written;
  return { root, open, read, digest: written.digest };
}

async function hashAll(directory: string, paths: readonly string[]) {
  const { hashModel } = await import('../../src/core/store/ingest/hash-model.ts');
  const list = await Promise.all(
    paths.map(async (path) => ({
      path: path as RelativePath,
      absolute: join(directory, path),
      size: (await readFile(join(directory, path))).length,
    })),
  );
  return hashModel(list, { signal: new AbortController().signal });
}

const idsOf = ({ files }: Pick<Manifest, 'files'>) => Object.fromEntries(files.map(({ path, hub_id }) => [path, hub_id]));
const expected = { 'config.json': gitBlobId('{}'), 'sub/README.md': gitBlobId('# M\n'), 'large.bin': undefined };

test('git ids of small files that a manifest lacks are computed on request, and recorded', async () => {
  const { open, read, digest } = await oldStore();
  const store = open();
  const manifests = await Promise.all([store.identify(modelId), store.identify(modelId)]);
  for (const manifest of manifests) expect(idsOf(manifest)).toEqual(expected);
  const written = await read();
  expect(idsOf(written)).toEqual(expected);
  // Names of a file elsewhere are not part of the model's digest.
  expect([written.digest, manifests[0]?.digest]).toEqual([digest, digest]);
  expect(await store.upstream(modelId)).toEqual(upstream);
  // The store still trusts the files, and returns the same object until something changes.
  await (await store.openFile(modelId, 'config.json'))[Symbol.asyncDispose]();
  expect(await store.identify(modelId)).toBe(await store.identify(modelId));
});

test('git ids that manifests lack are computed in the background', async () => {
  const { open, read } = await oldStore();
  open().hashInBackground();
  await until('the ids', async () => idsOf(await read())['sub/README.md']);
  expect(idsOf(await read())).toEqual(expected);
});

test('a file that changed after its manifest gets no git id', async () => {
  const { root, open, read } = await oldStore();
  await writeFile(join(root, 'org--m', 'config.json'), '[]');
  await expect(open().identify(modelId)).rejects.toMatchObject({
    code: 'INTEGRITY',
    message: expect.stringContaining('"config.json" of org/m'),
  });
  expect(idsOf(await read())['sub/README.md']).toBeUndefined();
});

test('a model that is not in the store has no git ids', async () => {
  const { open, root } = await oldStore();
  await expect(open().identify(parseModelId('org/none'))).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  await rm(join(root, 'org--m'), { recursive: true });
  await expect(open().identify(modelId)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
});
