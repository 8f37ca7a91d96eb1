import { access, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { tryLock } from '../../src/core/kernel/process/lock.ts';
import { listStaging } from '../../src/core/operations/nodes/list-staging.ts';
import { purgeStaging } from '../../src/core/operations/nodes/purge-staging.ts';
import { evictCopy } from '../../src/core/staging/evict-copy.ts';
import { stagingLayout } from '../../src/core/staging/layout.ts';
import { serveModels, stagingNode } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
const all = { dryRun: false, force: false };

/** A node with two copies. */
async function nodeWithCopies() {
  const { url } = await serveModels({ 'org/a': { x: 'aaa' }, 'org/b': { x: 'bb' } });
  const node = await stagingNode(url);
  await node.request(['org/a', 'org/b']);
  return node;
}

describe('skulk purge-staging', () => {
  test('removes copies and unfinished ones, and keeps files that skulk did not create', async () => {
    const node = await nodeWithCopies();
    const outside = await temporaryDirectory();
    await writeFile(join(outside, '.skulk.json'), '{}');
    await writeFile(join(outside, '.last_used'), '');
    await writeFile(join(outside, 'precious'), 'x');
    await symlink(outside, join(node.root, 'org--link'));
    for (const name of ['org--mine', 'notes', 'a--b--c']) await mkdir(join(node.root, name));
    await writeFile(join(node.root, 'org--mine', 'file'), 'x');
    await writeFile(join(node.root, 'org--file'), 'x');
    await mkdir(join(node.root, '.skulk/v1/incoming/org--part/files'), { recursive: true });
    await mkdir(join(node.root, '.skulk/v1/trash/org--gone.00'), { recursive: true });
    const staged = await listStaging(node.deps);
    expect(staged.models.map(({ model_id, size_bytes, in_use }) => [model_id, size_bytes, in_use]).toSorted()).toEqual([
      ['org/a', 3, false],
      ['org/b', 2, false],
    ]);
    const before = await readdir(node.root, { recursive: true });
    const plan = await purgeStaging(node.deps, { ...all, dryRun: true });
    expect(await readdir(node.root, { recursive: true })).toEqual(before);
    const report = await purgeStaging(node.deps, all);
    expect({ ...plan, dry_run: false }).toEqual(report);
    expect(report.evicted.map(({ model_id }) => model_id).toSorted()).toEqual(['org/a', 'org/b', 'org/part']);
    expect(report.evicted_bytes).toBe(5);
    expect((await readdir(node.root)).toSorted()).toEqual(['.skulk', 'a--b--c', 'notes', 'org--file', 'org--link', 'org--mine']);
    expect((await readdir(outside)).toSorted()).toEqual(['.last_used', '.skulk.json', 'precious']);
    expect(await readdir(join(node.root, '.skulk/v1/trash'))).toEqual([]);
    expect(await readdir(join(node.root, '.skulk/v1/incoming'))).toEqual([]);
  });

  test('removes one model, and reports a missing one', async () => {
    const node = await nodeWithCopies();
    await purgeStaging(node.deps, { ...all, refs: [{ modelId: parseModelId('org/a') }] });
    expect(await exists(join(node.root, 'org--a'))).toBe(false);
    expect(await exists(join(node.root, 'org--b'))).toBe(true);
    await mkdir(join(node.root, '.skulk/v1/trash/org--a.00'), { recursive: true });
    await expect(purgeStaging(node.deps, { ...all, refs: [{ modelId: parseModelId('org/a') }] })).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
    });
    // A killed purge left this behind; its second try empties it as well.
    expect(await readdir(join(node.root, '.skulk/v1/trash'))).toEqual([]);
  });

  test('keeps and reports a copy that a live process stages, also in a dry run, unless forced', async () => {
    const node = await nodeWithCopies();
    const held = await tryLock(join(node.root, '.skulk/v1/locks/org--a'), 'skulk stage org/a');
    if (!('release' in held)) throw new Error('locked');
    for (const dryRun of [true, false]) {
      const report = await purgeStaging(node.deps, { ...all, dryRun });
      expect(report.kept_in_use).toMatchObject([{ model_id: 'org/a', holders: [{ pid: process.pid, purpose: 'skulk stage org/a' }] }]);
    }
    expect(await exists(join(node.root, 'org--a', 'x'))).toBe(true);
    expect((await listStaging(node.deps)).models).toMatchObject([{ model_id: 'org/a', in_use: true }]);
    expect((await purgeStaging(node.deps, { ...all, force: true })).evicted).toMatchObject([{ model_id: 'org/a' }]);
    expect(await exists(join(node.root, 'org--a'))).toBe(false);
    await held.release();
  });

  test('has nothing to do before the first stage', async () => {
    const node = await stagingNode('http://127.0.0.1:1');
    expect(await purgeStaging(node.deps, all)).toMatchObject({ evicted: [], kept_in_use: [] });
    expect(await readdir(node.home)).toEqual([]);
  });
});

describe('purging and the canonical store', () => {
  /** A store with a model that looks like a staged copy, and a node whose staging root is at various places relative to it. */
  async function around(place: (home: string) => Promise<string> | string, url?: string) {
    const home = await temporaryDirectory();
    const store = join(home, 'data', 'models');
    const model = join(store, 'org--m');
    for (const directory of [model, join(store, 'org--inner', 'org--m')]) {
      await mkdir(directory, { recursive: true });
      for (const name of ['.skulk.json', '.last_used', 'precious']) await writeFile(join(directory, name), '{}');
    }
    await writeFile(join(store, 'registry.json'), '{}');
    const root = await place(home);
    const node = await stagingNode(url, { home, content: { model_store: { store_path: store, staging: { node_cache_path: root } } } });
    return { node, model, store, home };
  }

  const places: Record<string, (home: string) => Promise<string> | string> = {
    'the store itself': (home) => join(home, 'data/models'),
    'another spelling': (home) => `${home}/data/../data/models`,
    'a link to it': async (home) => {
      await symlink(join(home, 'data/models'), join(home, 'link'));
      return join(home, 'link');
    },
    'a link to its parent': async (home) => {
      await symlink(join(home, 'data'), join(home, 'up'));
      return join(home, 'up', 'models');
    },
    'inside it': (home) => join(home, 'data/models/org--inner'),
  };

  test.each(Object.entries(places))('never removes it: %s', async (name, place) => {
    for (const url of [undefined, 'http://127.0.0.1:1']) {
      const { node, store } = await around(place, url);
      const before = await readdir(store, { recursive: true });
      if (name !== 'inside it') {
        expect(await purgeStaging(node.deps, all)).toMatchObject({ evicted: [] });
        expect(node.world.warnings()).toEqual([expect.stringContaining('nothing is removed')]);
        expect((await listStaging(node.deps)).models).toEqual([]);
      }
      for (const options of [all, { ...all, force: true }, { ...all, modelId: parseModelId('org/m') }])
        await purgeStaging(node.deps, options).catch((error) => expect(error.code).toMatch(/CONFLICT/));
      expect((await readdir(store, { recursive: true })).filter((path) => !path.includes('.skulk/v1'))).toEqual(before);
      const layout = stagingLayout(node.root);
      await expect(
        evictCopy(layout, parseModelId('org/m'), { storePath: store, now: () => new Date(), signal: node.world.signal }),
      ).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await readFile(join(store, 'org--m', 'precious'), 'utf8')).toBe('{}');
    }
  });

  test('never removes it as a part of a copy that contains it', async () => {
    const home = await temporaryDirectory();
    const store = join(home, 'staging', 'org--m');
    await mkdir(join(store, 'org--x'), { recursive: true });
    for (const name of ['registry.json', '.last_used', 'org--x/precious']) await writeFile(join(store, name), '{}');
    const node = await stagingNode(undefined, {
      home,
      content: { model_store: { store_path: store, staging: { node_cache_path: join(home, 'staging') } } },
    });
    await expect(purgeStaging(node.deps, all)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await exists(join(store, 'org--x/precious'))).toBe(true);
  });

  test('works for copies beside it', async () => {
    const { node, store } = await around((home) => join(home, 'data'));
    await mkdir(join(node.root, 'org--copy'));
    await writeFile(join(node.root, 'org--copy', '.last_used'), '');
    expect((await purgeStaging(node.deps, all)).evicted).toMatchObject([{ model_id: 'org/copy' }]);
    expect(await exists(join(store, 'org--m/precious'))).toBe(true);
  });

  test('treats store_path as the store only on its host, and another node can stage to the same path', async () => {
    const { url } = await serveModels({ 'org/a': { x: 'aaa' } });
    const home = await temporaryDirectory();
    const path = join(home, 'models');
    const node = await stagingNode(url, { home, content: { model_store: { store_path: path, staging: { node_cache_path: path } } } });
    expect((await node.stage('org/a')).path).toBe(join(path, 'org--a'));
    expect((await purgeStaging(node.deps, all)).evicted).toMatchObject([{ model_id: 'org/a' }]);
  });
});
