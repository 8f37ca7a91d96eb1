import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ModelId, parseModelId } from '../../src/core/kernel/model-id.ts';
import { openDiskStore } from '../../src/core/store/disk-store.ts';
import type { LocalStore } from '../../src/core/store/local-store.ts';
import { bringIn, codeOf } from '../contract/store-contract.ts';
import { digestsBelow, sha256 } from '../helpers/model-files.ts';
import { type PythonRelease, pythonRegistry } from '../helpers/python-registry.ts';
import { seededRandom, testSeed } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { testWorld } from '../helpers/world.ts';

/** What one process of skulk does with a store. */
async function withStore<T>(root: string, work: (store: LocalStore, warnings: () => readonly string[]) => Promise<T>): Promise<T> {
  const world = testWorld(root);
  const store = openDiskStore({ root, world, nodeId: undefined, cardsPath: undefined });
  try {
    return await work(store, () => world.warnings());
  } finally {
    await store.close();
  }
}

const ids = ['a/one', 'a/two', 'b/three', 'four', 'b/entries'].map(parseModelId);
const commit = 'c'.repeat(40);

describe.each<PythonRelease>(['first', 'later'])('a registry that the Python program (%s releases) and skulk write in turns', (release) => {
  test(`keeps every model and every key of both (seed ${testSeed})`, async () => {
    const random = seededRandom(testSeed);
    const root = await temporaryDirectory();
    const python = pythonRegistry(root, release);
    const contents = new Map<ModelId, string>();
    const written = new Map<ModelId, object>();
    for (let step = 0; step < 40; step += 1) {
      const id = ids[Math.floor(random() * ids.length)] as ModelId;
      const isPython = random() < 0.5;
      const content = `${step} of ${id}`;
      if (contents.has(id)) {
        await (isPython ? python.remove(id) : withStore(root, (store) => store.remove(id)));
        contents.delete(id);
        written.delete(id);
      } else if (isPython) {
        written.set(id, await python.register(id, { 'a.txt': content }));
        contents.set(id, content);
      } else {
        await withStore(root, (store) => bringIn(store, root, { 'a.txt': content }, { modelId: id }));
        contents.set(id, content);
      }
      const entries = await python.read();
      expect(Object.keys(entries).toSorted()).toEqual([...contents.keys()].toSorted());
      for (const [of, entry] of written) expect(entries[of]).toEqual(entry);
      await withStore(root, async (store, warnings) => {
        const listed = await store.listModels();
        expect(listed.map(({ model_id }) => model_id).toSorted()).toEqual([...contents.keys()].toSorted());
        for (const { model_id, files, store_path } of listed) {
          expect(files).toEqual(['a.txt']);
          expect(await readFile(join(root, store_path, 'a.txt'), 'utf8')).toBe(contents.get(model_id));
        }
        expect(warnings()).toEqual([]);
      });
    }
    // Nothing of a deleted model is left, regardless of which program added and deleted it.
    const left = (await readdir(root)).filter((name) => !['registry.json', '.skulk'].includes(name));
    expect(left.toSorted()).toEqual(
      Object.values(await python.read())
        .map(({ store_path }) => store_path)
        .toSorted(),
    );
  });

  test('keeps its form, and an added or removed quantization keeps the keys of others', async () => {
    const root = await temporaryDirectory();
    const python = pythonRegistry(root, release);
    const id = parseModelId('a/m-GGUF');
    await python.register(id, { 'm-Q4_K_M.gguf': 'four', 'm-Q8_0.gguf': 'eight' }, { commit });
    await withStore(root, async (store) => {
      await store.verify({ refs: [], repair: true }, { signal: new AbortController().signal });
      const removal = await store.planRemoval(id, 'Q8_0');
      await store.removeQuantization(id, { ...removal, force: false });
    });
    const entry = (await python.read())[id];
    expect(entry?.['files']).toEqual(['m-Q4_K_M.gguf']);
    expect(entry?.['source_revision']).toBe(release === 'later' ? commit : undefined);
    // It lists the file that is gone, so that the program would take the model for damaged.
    expect(entry).not.toHaveProperty('installed_card');
  });
});

describe('a store of later releases of the Python program', () => {
  const id = parseModelId('a/one');

  test('is read with the directory and the commit in the registry, without files that do not belong to the model', async () => {
    const root = await temporaryDirectory();
    await pythonRegistry(root, 'later').register(id, { 'a.txt': 'abc' }, { commit });
    await withStore(root, async (store) => {
      await store.verify({ refs: [], repair: true }, { signal: new AbortController().signal });
      const answer = await store.manifest(id);
      expect(answer).toMatchObject({ state: 'ready', manifest: { commit, files: [{ path: 'a.txt', sha256: sha256('abc') }] } });
      expect(await store.listFiles(id)).toEqual(['a.txt']);
    });
  });

  test('has no commit for a model whose files are of another repo', async () => {
    const root = await temporaryDirectory();
    await pythonRegistry(root, 'later').register(id, { 'a.txt': 'abc' }, { commit });
    const path = join(root, 'registry.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"source_repository": null', '"source_repository": "b/other"'));
    await withStore(root, async (store) => {
      await store.verify({ refs: [], repair: true }, { signal: new AbortController().signal });
      expect(await store.manifest(id)).toMatchObject({ state: 'ready', manifest: { commit: null } });
    });
  });

  test('loses the files that the program kept beside a model when the model is replaced or deleted', async () => {
    const root = await temporaryDirectory();
    const python = pythonRegistry(root, 'later');
    await python.register(id, { 'a.txt': 'abc' }, { commit });
    await withStore(root, async (store) => {
      await bringIn(store, root, { 'a.txt': 'new' }, { modelId: id, force: true });
      const [entry] = await store.listModels();
      // Another content has neither the commit nor the card of the former one.
      expect(Object.keys((await python.read())[id] ?? {})).not.toEqual(expect.arrayContaining(['source_revision']));
      expect(await digestsBelow(join(root, entry?.store_path ?? ''))).toEqual({ 'a.txt': sha256('new') });
      await store.remove(id);
    });
    expect(await python.read()).toEqual({});
    expect((await readdir(root)).toSorted()).toEqual(['.skulk', 'registry.json']);
  });

  test.each([
    ['cut off', (text: string) => text.slice(0, -2)],
    ['gone', () => undefined],
  ])('has its models again when its index is %s, each with the commit that it had', async (_, spoil) => {
    const root = await temporaryDirectory();
    const python = pythonRegistry(root, 'later');
    // An older commit, which the program keeps until nobody uses it.
    const old = await python.register(id, { 'a.txt': 'old' }, { commit: 'b'.repeat(40) });
    await python.register(id, { 'a.txt': 'older' }, { commit: 'd'.repeat(40) });
    const { store_path } = await python.register(id, { 'a.txt': 'abc' }, { commit });
    expect(await readdir(root)).toEqual(expect.arrayContaining([old.store_path, store_path]));
    await withStore(root, (store) => store.verify({ refs: [], repair: true }, { signal: new AbortController().signal }));
    const path = join(root, 'registry.json');
    const text = spoil(await readFile(path, 'utf8'));
    await (text === undefined ? rm(path) : writeFile(path, text));
    await withStore(root, async (store) => {
      expect(await store.listModels()).toMatchObject([{ model_id: id, store_path, files: ['a.txt'] }]);
      expect(await store.manifest(id)).toMatchObject({ state: 'ready', manifest: { commit } });
    });
  });

  test.each([
    ['of a later version is read, and its version stays', { schema_version: 2, entries: {}, more: [1] }, undefined],
    ['whose entries are a list is damaged', { schema_version: 1, entries: [] }, 'it has no entries'],
  ])('has an index that %s', async (_, frame, damage) => {
    const root = await temporaryDirectory();
    await writeFile(join(root, 'registry.json'), JSON.stringify(frame));
    await withStore(root, async (store, warnings) => {
      await bringIn(store, root, { 'a.txt': 'abc' }, { modelId: id });
      const now = JSON.parse(await readFile(join(root, 'registry.json'), 'utf8'));
      if (damage === undefined) expect(now).toEqual({ ...frame, entries: { [id]: expect.objectContaining({ store_path: 'a--one' }) } });
      else expect(warnings().join('\n')).toContain(damage);
    });
  });

  test('does not confuse a model called entries with its own key', async () => {
    const root = await temporaryDirectory();
    const python = pythonRegistry(root, 'first');
    const odd = parseModelId('entries');
    await python.register(odd, { 'a.txt': 'abc' });
    await withStore(root, async (store) => {
      expect((await store.listModels()).map(({ model_id }) => model_id)).toEqual([odd]);
      await bringIn(store, root, { 'a.txt': 'abc' }, { modelId: id });
    });
    expect(Object.keys(await python.read())).toEqual([odd, id]);
    const version = parseModelId('schema_version');
    expect(await codeOf(withStore(root, (store) => store.remove(version)))).toBe('MODEL_NOT_FOUND');
    await python.register(version, { 'a.txt': 'abc' });
    expect(await withStore(root, async (store) => (await store.listModels()).map(({ model_id }) => model_id))).toEqual([odd, id, version]);
  });
});
