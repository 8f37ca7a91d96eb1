import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { openDiskStore } from '../../src/core/store/disk-store.ts';
import type { LocalStore } from '../../src/core/store/local-store.ts';
import { bringIn, codeOf, hashedManifest, readAll } from '../contract/store-contract.ts';
import { digestsBelow, sha256, writeFiles } from '../helpers/model-files.ts';
import { sized } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { type TestWorld, testWorld } from '../helpers/world.ts';

const [one, two, three] = ['org/one', 'org/two', 'three'].map(parseModelId) as [
  ReturnType<typeof parseModelId>,
  ReturnType<typeof parseModelId>,
  ReturnType<typeof parseModelId>,
];
const { signal } = new AbortController();

function open(root: string): { store: LocalStore; world: TestWorld } {
  const world = testWorld(root);
  const store = openDiskStore({ root, world, nodeId: undefined, cardsPath: undefined });
  onTestFinished(() => store.close());
  return { store, world };
}

const entryOf = (model_id: string, changes: object = {}): object => ({
  model_id,
  store_path: model_id.replace('/', '--'),
  files: ['a.txt'],
  downloaded_at: '2026-01-01T00:00:00',
  total_bytes: 3,
  repo_has_projector: null,
  ...changes,
});

const readEntries = async (root: string): Promise<Record<string, Record<string, unknown>>> =>
  JSON.parse(await readFile(join(root, 'registry.json'), 'utf8'));

/** A store with two models, one of which the registry alone describes. */
async function storeWithTwo(): Promise<string> {
  const root = await temporaryDirectory();
  const { store } = open(root);
  await bringIn(store, root, { 'a.txt': 'one' }, { modelId: one });
  await bringIn(store, root, { 'a.txt': 'two' }, { modelId: two });
  return root;
}

describe('a registry that is not readable', () => {
  test.each([
    ['truncated', '{"org/one": {"model_id": "or'],
    ['empty', ''],
    ['not JSON', '\0\0\0\0'],
    ['a list', '[]'],
    ['null', 'null'],
  ])('%s keeps the models, renames the file, and reports both', async (_, content) => {
    const root = await storeWithTwo();
    await writeFile(join(root, 'registry.json'), content);
    const { store, world } = open(root);
    expect((await store.listModels()).map(({ model_id }) => model_id).toSorted()).toEqual([one, two]);
    expect(await readFile(join(root, 'registry.json'), 'utf8')).toBe(content);
    await bringIn(store, root, { 'a.txt': 'three' }, { modelId: three });
    expect(Object.keys(await readEntries(root)).toSorted()).toEqual([one, two, three]);
    const aside = (await readdir(root)).filter((name) => name.startsWith('registry.json.damaged-'));
    expect(aside).toHaveLength(1);
    expect(await readFile(join(root, aside[0] ?? ''), 'utf8')).toBe(content);
    expect(world.warnings().join('\n')).toContain(join(root, aside[0] ?? ''));
  });

  test('is created again from the manifests if it is missing, and does not count as empty', async () => {
    const root = await storeWithTwo();
    await rm(join(root, 'registry.json'));
    const { store, world } = open(root);
    expect((await store.listModels()).map(({ model_id }) => model_id).toSorted()).toEqual([one, two]);
    await bringIn(store, root, { 'a.txt': 'three' }, { modelId: three });
    expect(Object.keys(await readEntries(root)).toSorted()).toEqual([one, two, three]);
    expect(world.warnings().join('\n')).toContain('it is missing');
  });

  test('is moved aside if a directory is in its place', async () => {
    const root = await storeWithTwo();
    await rm(join(root, 'registry.json'));
    await writeFiles(join(root, 'registry.json'), { x: 'x' });
    const { store } = open(root);
    expect(await store.verify({ refs: [], repair: true }, { signal })).toMatchObject({ ok: true });
    expect(Object.keys(await readEntries(root)).toSorted()).toEqual([one, two]);
  });

  const megabytes = sized({ small: 1, large: 50 });
  test(`with ${megabytes} MB of entries can be read and extended`, async () => {
    const root = await storeWithTwo();
    const entries = await readEntries(root);
    const many = Object.fromEntries(
      Array.from({ length: megabytes * 20 }, (_, n) => [
        `bulk/m${n}`,
        entryOf(`bulk/m${n}`, { files: Array.from({ length: 230 }, (__, f) => `${f}-${'x'.repeat(210)}`) }),
      ]),
    );
    await writeFile(join(root, 'registry.json'), JSON.stringify({ ...many, ...entries }));
    const { store } = open(root);
    expect((await store.listModels()).map(({ model_id }) => model_id)).toEqual([one, two]);
    await bringIn(store, root, { 'a.txt': 'three' }, { modelId: three });
    expect(Object.keys(await readEntries(root))).toHaveLength(megabytes * 20 + 3);
  });
});

describe('an invalid entry of the registry hides only itself, and is kept when the file is written', () => {
  test.each([
    ['an absolute store_path', entryOf('org/bad', { store_path: '/etc' })],
    ['a store_path with ..', entryOf('org/bad', { store_path: '../victim' })],
    ['a store_path into skulk', entryOf('org/bad', { store_path: '.skulk/v1' })],
    ['the registry as store_path', entryOf('org/bad', { store_path: 'REGISTRY.json' })],
    ['files of a wrong type', entryOf('org/bad', { files: 'a.txt' })],
    ['a number', 7],
    ['null', null],
    ['another id', entryOf('org/other')],
  ])('%s', async (_, bad) => {
    const root = await storeWithTwo();
    await writeFile(join(root, 'registry.json'), JSON.stringify({ 'org/bad': bad, ...(await readEntries(root)) }));
    const { store, world } = open(root);
    expect((await store.listModels()).map(({ model_id }) => model_id)).toEqual([one, two]);
    await bringIn(store, root, { 'a.txt': 'three' }, { modelId: three });
    expect((await readEntries(root))['org/bad']).toEqual(bad);
    expect(world.warnings().join('\n')).toContain('org/bad');
    const report = await store.verify({ refs: [], repair: false }, { signal });
    expect(report.ok).toBe(false);
    expect(report.models.find(({ model_id }) => model_id === 'org/bad')?.status).toBe('damaged');
    expect(await codeOf(store.remove(parseModelId('org/bad')))).toBe('MODEL_NOT_FOUND');
  });

  test('an unknown key of a valid entry is kept, and skulk writes exactly six keys', async () => {
    const root = await storeWithTwo();
    const entries = await readEntries(root);
    await writeFile(join(root, 'registry.json'), JSON.stringify({ ...entries, [two]: { ...entries[two], note: 'mine' } }));
    const { store } = open(root);
    await bringIn(store, root, { 'a.txt': 'three' }, { modelId: three });
    const now = await readEntries(root);
    expect(now[two]).toHaveProperty('note', 'mine');
    expect(Object.keys(now[three] ?? {}).toSorted()).toEqual([
      'downloaded_at',
      'files',
      'model_id',
      'repo_has_projector',
      'store_path',
      'total_bytes',
    ]);
  });

  test('a model called __proto__ works like any other', async () => {
    const root = await storeWithTwo();
    const { store } = open(root);
    const odd = parseModelId('__proto__');
    await bringIn(store, root, { 'a.txt': 'odd' }, { modelId: odd });
    expect((await store.listModels()).map(({ model_id }) => model_id)).toEqual([one, two, odd]);
    expect(await store.remove(odd)).toEqual({ freedBytes: 3 });
    expect((await store.listModels()).map(({ model_id }) => model_id)).toEqual([one, two]);
  });
});

describe('registry entries and directories that do not match', () => {
  test('prevent the removal and replacement of two ids with the same directory', async () => {
    const root = await storeWithTwo();
    await writeFile(
      join(root, 'registry.json'),
      JSON.stringify({ ...(await readEntries(root)), [three]: entryOf(three, { store_path: 'org--one' }) }),
    );
    const { store } = open(root);
    expect(await codeOf(store.remove(one))).toBe('CONFLICT');
    expect(await codeOf(store.remove(three))).toBe('CONFLICT');
    expect(await codeOf(bringIn(store, root, { 'a.txt': 'new' }, { modelId: one, force: true }))).toBe('CONFLICT');
    expect((await bringIn(store, root, { 'a.txt': 'new' }, { modelId: three, force: true })).entry.store_path).toBe('three');
    expect(await digestsBelow(join(root, 'org--one'))).toEqual({ 'a.txt': sha256('one') });
  });

  test('prevent the use of a directory that another entry names, also with --force', async () => {
    const root = await storeWithTwo();
    await rename(join(root, 'org--one'), join(root, 'three'));
    const entries = await readEntries(root);
    await writeFile(join(root, 'registry.json'), JSON.stringify({ ...entries, [one]: { ...entries[one], store_path: 'three' } }));
    const { store } = open(root);
    expect(await codeOf(bringIn(store, root, { 'a.txt': 'new' }, { modelId: three, force: true }))).toBe('CONFLICT');
    expect(await codeOf(store.adopt({ modelId: three, force: true }, { signal }))).toBe('CONFLICT');
    expect(await digestsBelow(join(root, 'three'))).toEqual({ 'a.txt': sha256('one') });
  });

  test('prevent serving, replacing and removing a store_path that leaves the store through a link', async () => {
    const root = await storeWithTwo();
    const outside = await temporaryDirectory();
    await writeFiles(outside, { 'victim/a.txt': 'mine' });
    await symlink(outside, join(root, 'link'));
    await writeFile(
      join(root, 'registry.json'),
      JSON.stringify({ ...(await readEntries(root)), [three]: entryOf(three, { store_path: 'link/victim' }) }),
    );
    const { store, world } = open(root);
    expect((await store.listModels()).map(({ model_id }) => model_id)).toEqual([one, two]);
    expect(await codeOf(store.openFile(three, 'a.txt'))).toBe('MODEL_NOT_FOUND');
    expect((await bringIn(store, root, { 'a.txt': 'new' }, { modelId: three, force: true })).entry.store_path).toBe('three');
    await writeFile(
      join(root, 'registry.json'),
      JSON.stringify({ ...(await readEntries(root)), [three]: entryOf(three, { store_path: 'link/victim' }) }),
    );
    await store.remove(three);
    expect(world.warnings().join('\n')).toContain('outside the store');
    expect(await digestsBelow(outside)).toEqual({ 'victim/a.txt': sha256('mine') });
  });

  test('are reported for an entry without a directory, which can be restored and removed', async () => {
    const root = await storeWithTwo();
    await rm(join(root, 'org--one'), { recursive: true });
    const { store } = open(root);
    expect((await store.listModels()).map(({ model_id }) => model_id)).toEqual([two]);
    expect(await codeOf(store.manifest(one))).toBe('MODEL_NOT_FOUND');
    expect((await bringIn(store, root, { 'a.txt': 'one' }, { modelId: one })).outcome).toBe('replaced');
    await rm(join(root, 'org--one'), { recursive: true });
    await store.remove(one);
    expect(Object.keys(await readEntries(root))).toEqual([two]);
  });

  test('are repaired for a directory without an entry by its manifest, if its content matches', async () => {
    const root = await storeWithTwo();
    await writeFile(join(root, 'registry.json'), '{}');
    await writeFile(join(root, 'org--two', 'a.txt'), 'bad');
    const { store } = open(root);
    const report = await store.verify({ refs: [], repair: true }, { signal });
    expect(report.models.map(({ model_id, status }) => [model_id, status])).toEqual(
      expect.arrayContaining([
        [one, 'repaired'],
        [two, 'unregistered'],
      ]),
    );
    expect((await store.listModels()).map(({ model_id }) => model_id)).toEqual([one]);
    expect(await digestsBelow(join(root, 'org--two'))).toEqual({ 'a.txt': sha256('bad') });
  });

  test('make a model damaged if a file in the registry is missing on the disk', async () => {
    const root = await temporaryDirectory();
    await writeFiles(join(root, 'three'), { 'a.txt': 'abc' });
    await writeFile(join(root, 'registry.json'), JSON.stringify({ three: entryOf(three, { files: ['a.txt', 'b.txt'] }) }));
    const { store } = open(root);
    expect(await codeOf(hashedManifest(store, three))).toBe('INTEGRITY');
    expect(await store.verify({ refs: [], repair: true }, { signal })).toMatchObject({
      ok: false,
      models: [{ status: 'damaged', bad_files: [{ path: 'b.txt', problem: 'missing' }] }],
    });
  });
});

describe('an invalid manifest', () => {
  const file = { path: 'a.txt', size: 3, sha256: sha256('one') };
  test.each([
    ['leaves by ..', { files: [{ ...file, path: '../org--two/a.txt' }] }],
    ['is absolute', { files: [{ ...file, path: '/etc/passwd' }] }],
    ['has a NUL', { files: [{ ...file, path: 'a\0b' }] }],
    ['has a negative size', { files: [{ ...file, size: -1 }] }],
    ['has a size of 2^63', { files: [{ ...file, size: 2 ** 63 }] }],
    ['has another digest', { digest: sha256('x') }],
    ['is of another model', { model_id: two }],
  ])('that %s is refused, reported and repaired', async (_, changes) => {
    const root = await storeWithTwo();
    const path = join(root, '.skulk/v1/manifests/org--one.json');
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...changes }));
    const { store } = open(root);
    expect(await codeOf(store.manifest(one))).toBe('INTEGRITY');
    expect(await codeOf(store.openFile(one, 'a.txt'))).toBe('INTEGRITY');
    expect((await store.listModels()).map(({ model_id }) => model_id)).toEqual([one, two]);
    expect(await codeOf(bringIn(store, root, { 'a.txt': 'new' }, { modelId: one }))).toBe('CONFLICT');
    expect(await store.verify({ refs: [{ modelId: one }], repair: false }, { signal })).toMatchObject({ ok: false });
    expect(await store.verify({ refs: [{ modelId: one }], repair: true }, { signal })).toMatchObject({ ok: true });
    expect((await store.manifest(one)).state).toBe('ready');
  });

  test('fingerprints of other files do not confirm a file', async () => {
    const root = await storeWithTwo();
    const { store } = open(root);
    const seen = join(root, '.skulk/v1/seen/org--one.json');
    await store.manifest(one);
    await writeFile(join(root, 'org--one', 'a.txt'), 'bad');
    await mkdir(join(root, 'org--x'));
    await writeFile(join(root, 'org--x', 'a.txt'), 'bad');
    // The fingerprint of the bad file, as an interrupted replacement would have left it.
    const { readFingerprintSync } = await import('../../src/core/transfer/fingerprint.ts');
    await writeFile(
      seen,
      JSON.stringify({ digest: sha256('of the new manifest'), files: { 'a.txt': readFingerprintSync(join(root, 'org--one', 'a.txt')) } }),
    );
    expect(await codeOf(store.openFile(one, 'a.txt'))).toBe('INTEGRITY');
    expect(await codeOf(readAll(store, 'a.txt', { end: 3, of: sha256('one') }))).toBe('MODEL_NOT_FOUND');
  });
});
