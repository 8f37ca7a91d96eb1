import { chmod, chown, mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished } from 'vitest';
import { otherPlaces } from '../../src/core/connect/sweep-downloads.ts';
import { removeOnDemand } from '../../src/core/endpoint/cold/files/sweep.ts';
import { openFleet } from '../../src/core/fleet/fleet.ts';
import { openFleetState } from '../../src/core/fleet/fleet-state.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { takeLeftovers } from '../../src/core/sources/take-leftovers.ts';
import { openDiskStore } from '../../src/core/store/disk-store.ts';
import { restoreMoved } from '../../src/core/store/ingest/restore-moved.ts';
import { storeLayout } from '../../src/core/store/layout.ts';
import type { LocalStore } from '../../src/core/store/local-store.ts';
import { createModelRecords } from '../../src/core/store/records/model-records.ts';
import { readRegistry } from '../../src/core/store/records/registry.ts';
import { bringIn } from '../contract/store-contract.ts';
import { failDirectory } from '../helpers/failed-directory.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';
import { testWorld } from '../helpers/world.ts';

const [one, two] = [parseModelId('org/one'), parseModelId('org/two')];
const { signal } = new AbortController();
const notConnected = { code: 'ENOTCONN' };

async function storeWithTwo(): Promise<{ readonly root: string; readonly open: () => LocalStore }> {
  const root = await temporaryDirectory();
  const open = (): LocalStore => {
    const store = openDiskStore({ root, world: testWorld(root), nodeId: undefined, cardsPath: undefined });
    onTestFinished(() => store.close());
    return store;
  };
  const store = open();
  for (const modelId of [one, two]) await bringIn(store, root, { 'config.json': '{}', 'a.bin': modelId }, { modelId });
  return { root, open };
}

describe('a model whose directory the disk cannot read', wants('a disk of their own'), () => {
  usualTest('stays in the store, and is neither absent nor missing', async () => {
    const { root, open } = await storeWithTwo();
    const { restore } = await failDirectory(join(root, 'org--one'));
    const store = open();
    expect((await store.listModels()).map(({ model_id }) => model_id)).toEqual([one, two]);
    await expect(store.has(one)).rejects.toMatchObject(notConnected);
    const { ok, models } = await store.verify({ refs: [], repair: true }, { signal });
    expect([ok, models.map(({ status }) => status)]).toEqual([false, ['damaged', 'ok']]);
    expect(models[0]?.note).toMatch(/org--one: the program behind this file system has ended; nothing was changed/);
    expect(await store.has(two)).toBe(true);
    restore();
    expect(await store.has(one)).toBe(true);
  });

  usualTest('keeps its copies on the nodes when a removal that was interrupted is decided', async () => {
    const directory = await temporaryDirectory();
    let answer: () => Promise<boolean> = async () => true;
    const store = {
      has: () => answer(),
      remove: async (): Promise<{ readonly freedBytes: number }> => ({ freedBytes: 1 }),
      planRemoval: async (_: unknown, selector: string) => ({ selector, isLast: false }),
      removeQuantization: async () => ({ freedBytes: 1 }),
    };
    const options = { directory, store, now: () => new Date(), emit: () => undefined };
    const node = {
      ...{ node_id: 'laptop' as never, hostname: 'laptop', version: '1', agent: true, staged_models: 1, staged_bytes: 1, free_bytes: 1 },
      ...{
        budget_bytes: 0,
        copies: [{ model_id: one, size_bytes: 1, last_used: new Date(0).toISOString(), in_use: false, over_budget: false }],
      },
    };
    const fleet = openFleet(options);
    await fleet.report(node, { address: '10.0.0.2' });
    let hasBegun: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      hasBegun = resolve;
    });
    // The process ends here.
    store.remove = () => {
      hasBegun();
      return new Promise<never>(() => undefined);
    };
    void fleet.remove(one, { force: false });
    await begun;
    const orders = async () => {
      const state = openFleetState(options);
      await state.ready();
      return state.book.openFor(node.node_id).map(({ model_id }) => model_id);
    };
    answer = () => Promise.reject(Object.assign(new Error('ENOTCONN'), notConnected));
    expect(await orders()).toEqual([]);
    answer = async () => false;
    expect(await orders()).toEqual([one]);
  });
});

describe('a directory of manifests that the disk cannot read', wants('a disk of their own'), () => {
  usualTest('does not mean that models were never hashed, and a missing registry does not become an empty one', async () => {
    const { root, open } = await storeWithTwo();
    const layout = storeLayout(root);
    const { restore } = await failDirectory(layout.manifests);
    await expect(createModelRecords(layout).read(one)).rejects.toMatchObject(notConnected);
    const { models } = await open().verify({ refs: [{ modelId: one }], repair: true }, { signal });
    expect(models).toMatchObject([{ status: 'damaged', note: expect.stringContaining('nothing was changed') }]);
    await rm(layout.registry);
    await expect(readRegistry(layout)).rejects.toMatchObject(notConnected);
    restore();
    expect(await readRegistry(layout)).toMatchObject({ isMissing: true });
  });
});

usualTest('a directory in place of a manifest is named, and the other models are verified', async () => {
  const { root, open } = await storeWithTwo();
  const manifest = join(storeLayout(root).manifests, 'org--one.json');
  await rm(manifest);
  await mkdir(manifest);
  const { ok, models } = await open().verify({ refs: [], repair: false }, { signal });
  expect([ok, models.map(({ status }) => status)]).toEqual([false, ['damaged', 'ok']]);
  expect(models[0]?.note).toContain(`${manifest} is a directory, and should be a file`);
  await expect(open().manifest(one)).rejects.toMatchObject({ code: 'INTEGRITY' });
});

usualTest('an unreadable directory of another download is not emptied, and an unreadable list of downloads is an error', async () => {
  const home = await temporaryDirectory();
  const place = (name: string) => ({ path: join(home, name), files: join(home, name, 'files'), journal: join(home, name, 'journal') });
  const [to, other] = [place('org--m~0123456789abcdef'), place('org--m')];
  await writeFiles(other.path, { 'names.json': '["a.bin"]', journal: '' });
  await symlink('files', other.files);
  await takeLeftovers([], { to, others: [other] });
  expect((await readdir(other.path)).toSorted()).toEqual(['files', 'journal', 'names.json']);
  await symlink('loop', join(home, 'loop'));
  await expect(otherPlaces(join(home, 'loop', 'org--m'), 'org--m')).rejects.toMatchObject({ code: 'ELOOP' });
});

usualTest('the journal of fetched files stays while their directory cannot be listed', wants('root'), async () => {
  const home = await temporaryDirectory();
  await chmod(home, 0o755);
  const place = join(home, 'org--one');
  await mkdir(place);
  await writeFiles(place, { journal: '{}', ['a'.repeat(64)]: 'bytes' });
  await chown(place, 65_534, 65_534);
  await chmod(place, 0o333);
  const setUser = process.seteuid;
  setUser?.(65_534);
  try {
    await removeOnDemand(home, one, () => true);
  } finally {
    setUser?.(0);
  }
  expect((await readdir(place)).toSorted()).toEqual(['a'.repeat(64), 'journal']);
});

usualTest('a user who cannot read where files are moved to can still add to the server of another user', wants('root'), async () => {
  const root = await temporaryDirectory();
  await chmod(root, 0o755);
  const layout = storeLayout(root);
  await mkdir(layout.incoming, { recursive: true });
  await chmod(layout.incoming, 0o700);
  const setUser = process.seteuid;
  setUser?.(65_534);
  try {
    await expect(restoreMoved(layout, '/models/x', () => undefined)).resolves.toBeUndefined();
  } finally {
    setUser?.(0);
  }
});
