import { describe, expect, test } from 'vitest';
import { parseModelRef } from '../../src/core/kernel/model-id.ts';
import { listStaging } from '../../src/core/operations/nodes/list-staging.ts';
import { purgeStaging } from '../../src/core/operations/nodes/purge-staging.ts';
import { activate, deactivate } from '../../src/core/operations/stage/leases.ts';
import { noise } from '../helpers/model-files.ts';
import { type StagingNode, serveModels, serveThroughProxy, stagingNode } from '../helpers/staging-node.ts';

const files = { 'Foo-Q4_K_M.gguf': noise(30_000, 1), 'Foo-Q8_0.gguf': noise(40_000, 2), 'config.json': '{}' };

/** The quantizations of org/g on this node, and whether they are in use. */
async function quantizations(node: StagingNode): Promise<Record<string, boolean>> {
  const { models } = await listStaging(node.deps);
  return Object.fromEntries(models.flatMap((model) => model.quantizations ?? []).map((one) => [String(one.selector), one.in_use]));
}

const take = (node: StagingNode, ref: string) => activate(node.deps, { ref: parseModelRef(ref), pid: process.pid });
const release = (node: StagingNode, ref: string, pid?: number) => deactivate(node.deps, { ref: parseModelRef(ref), pid });

/** A node with both quantizations, which keeps idle ones. */
async function nodeWithBoth(): Promise<StagingNode> {
  const { url } = await serveModels({ 'org/g': files });
  const node = await stagingNode(url, { content: { model_store: { staging: { staging_keep_recent_gb: 1 } } } });
  await node.request(['org/g:Q4_K_M', 'org/g:Q8_0']);
  return node;
}

describe('a process that uses two quantizations of a model', () => {
  test('can release one by its selector and keep the other', async () => {
    const node = await nodeWithBoth();
    expect(await take(node, 'org/g:q4_k_m')).toMatchObject({ model_id: 'org/g', selector: 'Q4_K_M' });
    expect(await take(node, 'org/g:Foo-Q8_0.gguf')).toMatchObject({ selector: 'Q8_0' });
    expect(await quantizations(node)).toEqual({ Q4_K_M: true, Q8_0: true });
    expect(await release(node, 'org/g:Q8_0', process.pid)).toMatchObject({ selector: 'Q8_0', released: [{ selector: 'Q8_0' }] });
    expect(await quantizations(node)).toEqual({ Q4_K_M: true, Q8_0: false });
    expect(await release(node, 'org/g:Q8_0')).toMatchObject({ released: [] });
    expect(await release(node, 'org/g:Foo-Q4_K_M.gguf')).toMatchObject({ released: [{ selector: 'Q4_K_M' }] });
    expect(await quantizations(node)).toEqual({ Q4_K_M: false, Q8_0: false });
  });

  test('releases both without a selector', async () => {
    const node = await nodeWithBoth();
    await take(node, 'org/g:Q4_K_M');
    await take(node, 'org/g:Q8_0');
    expect((await release(node, 'org/g')).released).toHaveLength(2);
    expect(await quantizations(node)).toEqual({ Q4_K_M: false, Q8_0: false });
  });

  test('has one lease on each, regardless of the number of requests', async () => {
    const node = await nodeWithBoth();
    // Without a selector it is the better one.
    for (const ref of ['org/g', 'org/g:Q4_K_M', 'org/g:foo-q4_k_m', 'org/g:Q8_0', 'org/g:Q8_0']) await take(node, ref);
    const { released } = await release(node, 'org/g');
    expect(released.map(({ selector }) => selector).toSorted()).toEqual(['Q4_K_M', 'Q8_0']);
  });
});

test.each(['org/g', 'org/g:Q4_K_M'])(
  'a second program gets %s that another uses, as long as its files are the same in the store',
  async (ref) => {
    const { proxy, replace } = await serveThroughProxy({ 'org/g': files });
    const node = await stagingNode(proxy.url, { content: { model_store: { staging: { staging_keep_recent_gb: 1 } } } });
    await node.stage(ref);
    // Another process that lives.
    await activate(node.deps, { ref: parseModelRef(ref), pid: process.ppid });
    const sent = proxy.bytes();
    expect(await node.stage(ref)).toMatchObject({ source: 'cache', selector: 'Q4_K_M', checked: true });
    await replace({ 'org/g': { ...files, 'Foo-Q2_K.gguf': noise(20_000, 3) } });
    expect(await node.stage(ref)).toMatchObject({ source: 'cache', selector: 'Q4_K_M', checked: true });
    expect(proxy.bytes() - sent).toBeLessThan(20_000);
    await replace({ 'org/g': { ...files, 'Foo-Q4_K_M.gguf': noise(30_000, 4) } });
    const before = proxy.bytes();
    await expect(node.stage(ref)).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('has changed') });
    // It is refused before the weights are sent.
    expect(proxy.bytes() - before).toBeLessThan(30_000);
  },
);

test('a released quantization is evicted if it does not fit the budget, and one in use stays', async () => {
  const { url } = await serveModels({ 'org/g': files });
  const node = await stagingNode(url, { content: { model_store: { staging: { staging_keep_recent_gb: 0 } } } });
  await node.request(['org/g:Q4_K_M', 'org/g:Q8_0'], { keepMs: 3_600_000 });
  await take(node, 'org/g:Q4_K_M');
  const { released, evicted } = await release(node, 'org/g:Q8_0');
  expect(released).toMatchObject([{ selector: 'Q8_0', purpose: 'skulk stage --keep' }]);
  expect(evicted.map(({ reference }) => reference)).toEqual(['org/g:Q8_0']);
  expect(await quantizations(node)).toEqual({ Q4_K_M: true });
});

test('a forced purge ends the time of what it removes, and not that of another quantization or the use by a process', async () => {
  const node = await nodeWithBoth();
  const purge = (ref: string) => purgeStaging(node.deps, { refs: [parseModelRef(ref)], dryRun: false, force: true });
  const keep = (ref: string) => node.request([ref], { keepMs: 3_600_000 });
  for (const ref of ['org/g:Q4_K_M', 'org/g:Q8_0']) await keep(ref);
  expect(await quantizations(node)).toEqual({ Q4_K_M: true, Q8_0: true });
  await purge('org/g:Q8_0');
  await node.request(['org/g:Q8_0']);
  expect(await quantizations(node)).toEqual({ Q4_K_M: true, Q8_0: false });

  await keep('org/g:Q8_0');
  await take(node, 'org/g:Q4_K_M');
  await purge('org/g');
  await node.request(['org/g:Q4_K_M', 'org/g:Q8_0']);
  expect(await quantizations(node)).toEqual({ Q4_K_M: true, Q8_0: false });
  await release(node, 'org/g:Q4_K_M', process.pid);
  expect(await quantizations(node)).toEqual({ Q4_K_M: false, Q8_0: false });
});
