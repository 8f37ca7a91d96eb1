import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { acquireLock, isHeld, tryLock } from '../../src/core/kernel/process/lock.ts';
import { openDiskStore } from '../../src/core/store/disk-store.ts';
import { storeLayout } from '../../src/core/store/layout.ts';
import type { WhenUnused } from '../../src/core/store/store-context.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { testWorld } from '../helpers/world.ts';

const [first, second] = [parseModelId('org/m'), parseModelId('org/n')];

/** A store as its server holds it, and a function that takes its lock like another container after half a minute of silence. */
async function servedStore(whenUnused?: (lose: () => Promise<void>) => WhenUnused) {
  const root = await temporaryDirectory();
  const layout = storeLayout(root);
  const world = testWorld(root);
  const held = await tryLock(layout.lock, 'skulk serve');
  if (!isHeld(held)) throw new Error('not free');
  const lose = async (): Promise<void> => {
    const elsewhere = { ...held.holder, startTime: 'elsewhere:1', hostname: 'elsewhere', namespace: 'pid:[1]' };
    await writeFile(join(layout.lock, '1', 'holder.json'), JSON.stringify(elsewhere));
    const next = await acquireLock(layout.lock, {
      purpose: 'the next one',
      timeoutMs: 60_000,
      foreignSilenceMs: 100,
      signal: world.signal,
    });
    onTestFinished(next.release);
  };
  const store = openDiskStore({
    root,
    world,
    nodeId: undefined,
    cardsPath: undefined,
    held,
    ...(whenUnused !== undefined && { whenUnused: whenUnused(lose) }),
  });
  onTestFinished(() => store.close());
  await writeFiles(root, { 'org--m/config.json': '{}', 'org--n/config.json': '{"n":2}' });
  await store.adopt({ modelId: first, force: false }, { signal: world.signal });
  const registry = (): Promise<string> => readFile(layout.registry, 'utf8');
  return { root, layout, store, lose, registry, signal: world.signal };
}

test('a store whose lock was taken by another process is not changed', async () => {
  const { root, layout, store, lose, registry, signal } = await servedStore();
  const before = await registry();
  await lose();
  const lost = { code: 'LOCKED', message: expect.stringContaining('the next one') };
  await expect(store.adopt({ modelId: second, force: false }, { signal })).rejects.toMatchObject(lost);
  await expect(store.remove(first)).rejects.toMatchObject(lost);
  await expect(store.remove(first, { force: true })).rejects.toMatchObject(lost);
  expect(await registry()).toBe(before);
  expect(await readFile(join(root, 'org--m', 'config.json'), 'utf8')).toBe('{}');
  expect(await readdir(layout.intents).catch(() => [])).toEqual([]);
  // Its models can still be read.
  expect((await store.listModels()).map(({ model_id }) => model_id)).toEqual([first]);
});

test('a store whose lock is taken during a removal is not changed by the next step', async () => {
  const { root, layout, store, registry } = await servedStore((lose) => async (_, work) => {
    await lose();
    return work();
  });
  const before = await registry();
  await expect(store.remove(first)).rejects.toMatchObject({ code: 'LOCKED' });
  expect(await registry()).toBe(before);
  expect(await readFile(join(root, 'org--m', 'config.json'), 'utf8')).toBe('{}');
  expect(await readdir(layout.intents).catch(() => [])).toEqual([]);
});
