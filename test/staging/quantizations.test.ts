import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { digestFiles } from '../../src/core/catalog/manifest.ts';
import { parseModelRef } from '../../src/core/kernel/model-id.ts';
import { applyBudget } from '../../src/core/node/apply-budget.ts';
import { carryOutOrder } from '../../src/core/node/carry-out-order.ts';
import { listStaging } from '../../src/core/operations/nodes/list-staging.ts';
import { purgeStaging } from '../../src/core/operations/nodes/purge-staging.ts';
import { activate } from '../../src/core/operations/stage/leases.ts';
import type { StageReport } from '../../src/core/operations/stage/stage-report.ts';
import type { Order } from '../../src/core/protocol/fleet.ts';
import type { ManifestFile } from '../../src/core/protocol/manifest.ts';
import { settleChanges, writeChanges } from '../../src/core/staging/groups/change-journal.ts';
import { incomingCopy, stagingLayout } from '../../src/core/staging/layout.ts';
import { type Fingerprint, readFingerprintSync } from '../../src/core/transfer/fingerprint.ts';
import { noise, sha256 } from '../helpers/model-files.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { copyOf, type StagingNode, serveThroughProxy, stagingNode } from '../helpers/staging-node.ts';

const four = { 'Foo-Q4_K_M.gguf': noise(300_000, 1) };
const five = { 'Foo-Q5_K_M-00001-of-00002.gguf': noise(200_000, 2), 'Foo-Q5_K_M-00002-of-00002.gguf': noise(150_000, 3) };
const eight = { 'Foo-Q8_0.gguf': noise(400_000, 4) };
const shared = { 'config.json': '{"model_type":"llama"}', 'mmproj-Foo-F16.gguf': noise(50_000, 5) };
const models = { 'org/g': { ...four, ...five, ...eight, ...shared } };
const filesOf = async (node: StagingNode): Promise<string[]> =>
  (await readdir(copyOf(node, 'org/g'))).filter((name) => !name.startsWith('.')).sort();
const names = (...sets: object[]): string[] => sets.flatMap((set) => Object.keys(set)).sort();
const quantizationsOf = async (node: StagingNode) =>
  (await listStaging(node.deps)).models.find(({ model_id }) => model_id === 'org/g')?.quantizations ?? [];
const evictionOf = (digit: string, selector: string): Order => ({
  order_id: digit.repeat(24),
  seq: 1,
  kind: 'evict',
  model_id: parseModelRef('org/g').modelId,
  selector,
  force: false,
  given_at: '',
});
const recordOf = async (node: StagingNode) => JSON.parse(await readFile(join(copyOf(node, 'org/g'), '.skulk.json'), 'utf8'));

describe('a copy with several quantizations', () => {
  usualTest('has the new version of a shared file in its record, if a process was killed after it replaced the file', async () => {
    const { url } = (await serveThroughProxy(models)).proxy;
    const node = await stagingNode(url);
    await node.stage('org/g:Q4_K_M');
    const layout = stagingLayout(node.root);
    const { modelId } = parseModelRef('org/g');
    const path = join(copyOf(node, 'org/g'), 'config.json');
    await writeFile(path, 'the new one');
    const file = { path: 'config.json', size: 11, sha256: sha256('the new one') } as ManifestFile;
    await mkdir(incomingCopy(layout, modelId).path, { recursive: true });
    await writeChanges(layout, modelId, {
      op: 'add',
      files: [{ path: file.path, fingerprint: readFingerprintSync(path) as Fingerprint, file }],
    });
    await settleChanges(layout, modelId);
    expect((await recordOf(node)).files).toContainEqual(file);
    expect(await readFile(path, 'utf8')).toBe('the new one');
    expect(await node.stage('org/g:Q4_K_M', { offline: true })).toMatchObject({ source: 'cache' });
    expect(await readdir(layout.incoming)).toEqual([]);
  });

  usualTest('gets one beside another, and sends no existing file again', async () => {
    const { proxy } = await serveThroughProxy(models);
    const node = await stagingNode(proxy.url);
    await node.stage('org/g:Q4_K_M');
    const before = await stat(join(copyOf(node, 'org/g'), 'Foo-Q4_K_M.gguf'), { bigint: true });
    const sent = proxy.bytes();
    const second = await node.stage('org/g:q5_k_m');
    expect(second).toMatchObject({ bytes_transferred: 350_000, gguf_file: 'Foo-Q5_K_M-00001-of-00002.gguf', selector: 'Q5_K_M' });
    expect(proxy.bytes() - sent).toBeLessThan(350_000 + 20_000);
    expect(await filesOf(node)).toEqual(names(four, five, shared));
    const after = await stat(join(copyOf(node, 'org/g'), 'Foo-Q4_K_M.gguf'), { bigint: true });
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
    expect(await node.stage('org/g:Q4_K_M')).toMatchObject({ source: 'cache' });
    expect(await node.stage('org/g:Q5_K_M', { offline: true })).toMatchObject({ source: 'cache', files: 4 });
    const { staged, files } = await recordOf(node);
    expect(staged.groups.map(({ selector }: { selector: string }) => selector)).toEqual(['Q4_K_M', 'Q5_K_M']);
    expect(staged.groups[1].files).toEqual(names(five));
    const own = files.filter(({ path }: { path: string }) => path in five);
    expect(staged.groups[1].digest).toBe(digestFiles(own));
    expect(await readdir(join(node.root, '.skulk/v1/incoming'))).toEqual([]);
  });

  usualTest('is made with two selectors in one command', async () => {
    const { proxy } = await serveThroughProxy(models);
    const node = await stagingNode(proxy.url);
    const { staged } = (await node.request(['org/g:Q4_K_M', 'org/g:Q8_0'])) as StageReport;
    expect(staged.map(({ gguf_file }) => gguf_file)).toEqual(['Foo-Q4_K_M.gguf', 'Foo-Q8_0.gguf']);
    expect(await filesOf(node)).toEqual(names(four, eight, shared));
  });

  usualTest('has only the best quantization in the store if none is selected', async () => {
    const { proxy } = await serveThroughProxy(models);
    const node = await stagingNode(proxy.url);
    expect(await node.stage('org/g')).toMatchObject({ gguf_file: 'Foo-Q4_K_M.gguf', bytes_transferred: 350_022 });
    expect(await filesOf(node)).toEqual(names(four, shared));
    expect(await node.stage('org/g')).toMatchObject({ source: 'cache' });
    expect(await node.stage('org/g', { offline: true })).toMatchObject({ source: 'cache' });
  });

  usualTest('is refused if the default quantization lacks a shard', async () => {
    const holed = { 'Foo-Q4_K_M-00001-of-00003.gguf': noise(1000, 1), 'Foo-Q4_K_M-00003-of-00003.gguf': noise(1000, 2) };
    const { proxy } = await serveThroughProxy({ 'org/g': { ...holed, ...eight, ...shared } });
    const node = await stagingNode(proxy.url);
    await expect(node.stage('org/g')).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: expect.stringContaining('Foo-Q4_K_M-00002-of-00003.gguf'),
    });
    expect(await node.stage('org/g:Q8_0')).toMatchObject({ gguf_file: 'Foo-Q8_0.gguf' });
  });

  usualTest('keeps files that others have open while one is added and another removed', async () => {
    const { proxy } = await serveThroughProxy(models);
    const node = await stagingNode(proxy.url);
    await node.request(['org/g:Q4_K_M', 'org/g:Q8_0']);
    const path = join(copyOf(node, 'org/g'), 'Foo-Q4_K_M.gguf');
    const open = openSync(path, 'r');
    try {
      await node.stage('org/g:Q5_K_M');
      const report = await purgeStaging(node.deps, { refs: [parseModelRef('org/g:Q8_0')], dryRun: false, force: false });
      expect(report.evicted).toEqual([{ model_id: 'org/g', selector: 'Q8_0', reference: 'org/g:Q8_0', size_bytes: 400_000 }]);
      expect(fstatSync(open).nlink).toBe(1);
      const bytes = Buffer.alloc(300_000);
      expect(readSync(open, bytes)).toBe(300_000);
      expect(bytes.equals(four['Foo-Q4_K_M.gguf'])).toBe(true);
    } finally {
      closeSync(open);
    }
    expect(await filesOf(node)).toEqual(names(four, five, shared));
    expect((await quantizationsOf(node)).map(({ selector }) => selector).sort()).toEqual(['Q4_K_M', 'Q5_K_M']);
    await purgeStaging(node.deps, { refs: [parseModelRef('org/g:Q4_K_M')], dryRun: false, force: false });
    const last = await purgeStaging(node.deps, { refs: [parseModelRef('org/g:Q5_K_M')], dryRun: false, force: false });
    expect(last.evicted_bytes).toBe(350_000 + 50_022);
    expect(await readdir(node.root)).toEqual(['.skulk']);
    await expect(purgeStaging(node.deps, { refs: [parseModelRef('org/g:Q5_K_M')], dryRun: false, force: false })).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
    });
  });

  usualTest('lists the existing quantizations if an unknown one is to be removed', async () => {
    const { proxy } = await serveThroughProxy(models);
    const node = await stagingNode(proxy.url);
    await node.request(['org/g:Q4_K_M', 'org/g:Q8_0']);
    await expect(purgeStaging(node.deps, { refs: [parseModelRef('org/g:Q5_K_M')], dryRun: false, force: false })).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: 'org/g:Q5_K_M is not staged on this node',
      hint: expect.stringContaining('Q4_K_M'),
    });
    const dry = await purgeStaging(node.deps, { refs: [parseModelRef('org/g')], dryRun: true, force: false });
    const done = await purgeStaging(node.deps, { dryRun: false, force: false });
    expect(dry.evicted_bytes).toBe(750_022);
    expect(done.evicted_bytes).toBe(750_022);
  });

  usualTest.each([
    ['a draft model', 'Q8_0', { 'Foo-mtp-Q8_0.gguf': noise(9_000, 6) }, 'Foo-mtp-Q8_0.gguf', 'Foo-Q8_0.gguf'],
    ['weights with a mark', 'Q8_0', { 'Foo.i1-Q8_0.gguf': noise(9_000, 7) }, 'i1-Q8_0', 'Foo-Q8_0.gguf'],
  ])('that is only %s is not taken for the quantization with that label', async (_, label, besides, selector, wanted) => {
    const { proxy } = await serveThroughProxy({ 'org/g': { ...four, ...eight, ...besides, ...shared } });
    const node = await stagingNode(proxy.url);
    const [file] = names(besides);
    expect(await node.stage(`org/g:${selector}`)).toMatchObject({ gguf_file: file });
    const asked = { refs: [parseModelRef(`org/g:${label}`)], dryRun: false, force: false };
    await expect(node.stage(`org/g:${label}`, { offline: true })).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    await expect(activate(node.deps, { ref: parseModelRef(`org/g:${label}`), pid: process.pid })).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
    });
    await node.stage('org/g:Q4_K_M');
    await expect(purgeStaging(node.deps, asked)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    expect(await carryOutOrder(node.deps, evictionOf('a', label))).toMatchObject({ status: 'done', freed_bytes: 0 });
    expect(await filesOf(node)).toEqual(names(four, besides, shared));
    // Online, the one with that name comes.
    await purgeStaging(node.deps, { refs: [parseModelRef('org/g:Q4_K_M')], dryRun: false, force: false });
    expect(await node.stage(`org/g:${label}`)).toMatchObject({ gguf_file: wanted });
    expect(await filesOf(node)).toEqual(names(eight, besides, shared));
  });

  usualTest('with the same label as another in the store is only found by its path', async () => {
    const alike = { 'a-Q4_K_M.gguf': noise(9_000, 8), 'b-Q4_K_M.gguf': noise(9_001, 9) };
    const { proxy } = await serveThroughProxy({ 'org/g': { ...alike, ...eight } });
    const node = await stagingNode(proxy.url);
    await node.request(['org/g:b-Q4_K_M.gguf', 'org/g:Q8_0']);
    await expect(node.stage('org/g:Q4_K_M')).rejects.toMatchObject({
      message: expect.stringContaining('has 2 files that are called Q4_K_M'),
    });
    await expect(node.stage('org/g:Q4_K_M', { offline: true })).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    expect(await node.stage('org/g:b-Q4_K_M.gguf', { offline: true })).toMatchObject({ gguf_file: 'b-Q4_K_M.gguf' });
  });

  longTest('loses one quantization after the other to the budget, the last used ones last', async () => {
    const { proxy } = await serveThroughProxy(models);
    const gib = 2 ** 30;
    const content = { model_store: { staging: { staging_keep_recent_gb: 500_000 / gib } } };
    const node = await stagingNode(proxy.url, { content });
    await node.request(['org/g:Q8_0', 'org/g:Q5_K_M', 'org/g:Q4_K_M']);
    await node.stage('org/g:Q8_0');
    const { evicted, kept } = await applyBudget(node.deps, { dryRun: false });
    expect(evicted.map(({ reference }) => reference)).toEqual(['org/g:Q4_K_M', 'org/g:Q5_K_M']);
    expect(kept.map(({ reference }) => reference)).toEqual(['org/g:Q8_0']);
    expect(await filesOf(node)).toEqual(names(eight, shared));
  });

  usualTest('is kept by the budget if its use begins after the budget was planned', async () => {
    const { proxy } = await serveThroughProxy(models);
    const node = await stagingNode(proxy.url, { content: { model_store: { staging: { staging_keep_recent_gb: 0 } } } });
    await node.stage('org/g:Q8_0', { keepMs: 3_600_000 });
    // The plan looks at a time when the lease is over, so that it begins between the plan and the eviction.
    const times = [new Date(Date.now() + 7_200_000)];
    const world = { ...node.deps.world, now: () => times.shift() ?? new Date() };
    const { evicted, kept_in_use } = await applyBudget({ ...node.deps, world }, { dryRun: false });
    expect([evicted, kept_in_use.map(({ reference }) => reference), times]).toEqual([[], ['org/g:Q8_0'], []]);
    expect(await filesOf(node)).toEqual(names(eight, shared));
  });

  usualTest('gets a new version of one, and keeps the others unchanged', async () => {
    const { proxy, replace } = await serveThroughProxy(models);
    const node = await stagingNode(proxy.url);
    await node.request(['org/g:Q4_K_M', 'org/g:Q8_0']);
    await replace({ 'org/g': { ...four, 'Foo-Q8_0.gguf': noise(410_000, 9), ...shared, 'config.json': '{"model_type":"other"}' } });
    expect(await node.stage('org/g:Q8_0')).toMatchObject({ bytes_transferred: 410_022 });
    expect(await readFile(join(copyOf(node, 'org/g'), 'config.json'), 'utf8')).toBe('{"model_type":"other"}');
    expect(await filesOf(node)).toEqual(names(four, eight, shared));
    expect(await node.stage('org/g:Q4_K_M')).toMatchObject({ source: 'cache' });
    expect(await node.stage('org/g:Q8_0', { offline: true })).toMatchObject({ source: 'cache' });
  });

  usualTest('gets a 304 for its manifest again after the store got another quantization', async () => {
    const { proxy, replace } = await serveThroughProxy({ 'org/g': { ...four, ...shared } });
    const node = await stagingNode(proxy.url);
    await node.stage('org/g:Q4_K_M');
    await replace(models);
    expect(await node.stage('org/g:Q4_K_M')).toMatchObject({ source: 'cache', bytes_transferred: 0 });
    const { of } = (await recordOf(node)).staged;
    const headers = { 'If-None-Match': `"${of}"`, Accept: 'application/vnd.skulk.manifest+json' };
    expect((await fetch(`${proxy.url}/models/org%2Fg/manifest`, { headers })).status).toBe(304);
    // Without a selector the choice is still made among all quantizations in the store.
    await replace({ 'org/g': { ...four, ...shared, 'Foo-Q4_K_M.gguf': noise(300_000, 7) } });
    expect(await node.stage('org/g:Q4_K_M')).toMatchObject({ bytes_transferred: 300_000 });
  });

  usualTest('keeps files of the user, and reports them', async () => {
    const { proxy } = await serveThroughProxy(models);
    const node = await stagingNode(proxy.url);
    await node.stage('org/g:Q4_K_M');
    await writeFile(join(copyOf(node, 'org/g'), 'Foo-Q8_0.gguf'), 'mine');
    await expect(node.stage('org/g:Q8_0')).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await readFile(join(copyOf(node, 'org/g'), 'Foo-Q8_0.gguf'), 'utf8')).toBe('mine');
    expect(await node.stage('org/g:Q4_K_M')).toMatchObject({ source: 'cache' });
  });

  usualTest.each([
    ['a part', (of: string) => ({ part: { selector: 'q4_k_m', of } })],
    ['nothing', () => ({})],
  ])('reads a record of an older version with %s as one group', async (_, more) => {
    const { proxy } = await serveThroughProxy(models);
    const node = await stagingNode(proxy.url);
    await node.stage('org/g:Q4_K_M');
    const { staged, ...manifest } = await recordOf(node);
    const { groups: _groups, of, ...old } = staged;
    await writeFile(join(copyOf(node, 'org/g'), '.skulk.json'), JSON.stringify({ ...manifest, staged: { ...old, ...more(of) } }));
    expect(await quantizationsOf(node)).toMatchObject([{ selector: 'Q4_K_M', files: ['Foo-Q4_K_M.gguf'], size_bytes: 350_022 }]);
    expect(await node.stage('org/g:Q4_K_M')).toMatchObject({ source: 'cache' });
    await node.stage('org/g:Q8_0');
    expect(await filesOf(node)).toEqual(names(four, eight, shared));
  });

  longTest('keeps a whole copy of an older version, whose quantizations can be removed one by one', async () => {
    const { proxy } = await serveThroughProxy(models);
    const node = await stagingNode(proxy.url);
    await node.request(['org/g:Q4_K_M', 'org/g:Q5_K_M', 'org/g:Q8_0']);
    const { staged, ...manifest } = await recordOf(node);
    const { groups: _groups, of: _of, ...old } = staged;
    await writeFile(join(copyOf(node, 'org/g'), '.skulk.json'), JSON.stringify({ ...manifest, staged: old }));
    expect(await quantizationsOf(node)).toMatchObject([{ selector: null, size_bytes: 1_100_022 }]);
    expect(await node.stage('org/g')).toMatchObject({ source: 'cache', gguf_file: 'Foo-Q4_K_M.gguf' });
    expect(await node.stage('org/g:Q8_0')).toMatchObject({ source: 'cache' });
  });

  usualTest('is unchanged for a model without GGUF', async () => {
    const plain = { 'config.json': '{}', 'model.safetensors': noise(100_000, 8) };
    const { proxy } = await serveThroughProxy({ 'org/g': plain });
    const node = await stagingNode(proxy.url);
    expect(await node.stage('org/g')).toMatchObject({ selector: null, files: 2 });
    expect(await node.stage('org/g')).toMatchObject({ source: 'cache' });
    expect(await quantizationsOf(node)).toMatchObject([{ selector: null, size_bytes: 100_002 }]);
  });
});

usualTest('an order for one quantization keeps the others, and waits for one in use', async () => {
  const { proxy } = await serveThroughProxy(models);
  const node = await stagingNode(proxy.url);
  await node.request(['org/g:Q4_K_M', 'org/g:Q8_0']);
  await activate(node.deps, { ref: parseModelRef('org/g:Q8_0'), pid: process.pid });
  expect(await quantizationsOf(node)).toMatchObject([
    { selector: 'Q8_0', in_use: true, holders: [{ pid: process.pid }] },
    { selector: 'Q4_K_M', in_use: false, holders: [] },
  ]);
  expect(await carryOutOrder(node.deps, evictionOf('a', 'Q5_K_M'))).toMatchObject({ status: 'done', freed_bytes: 0 });
  expect(await carryOutOrder(node.deps, evictionOf('b', 'q8_0'))).toMatchObject({
    status: 'deferred',
    reason: expect.stringContaining('org/g:Q8_0 is in use'),
  });
  expect(await carryOutOrder(node.deps, evictionOf('c', 'Q4_K_M'))).toMatchObject({ status: 'done', freed_bytes: 300_000 });
  expect(await filesOf(node)).toEqual(names(eight, shared));
  // Another one is added while this one is in use.
  expect(await node.stage('org/g:Q4_K_M')).toMatchObject({ bytes_transferred: 300_000 });
});

usualTest('the model card on this machine decides which quantization is staged by default', async () => {
  const { proxy } = await serveThroughProxy(models);
  const node = await stagingNode(proxy.url);
  const cards = join(node.home, 'cards');
  await mkdir(cards);
  await writeFile(join(cards, 'org--g.toml'), 'model_id = "org/g"\ngguf_file = "Foo-Q8_0.gguf"\n');
  const carded = await stagingNode(proxy.url, { home: node.home, content: { model_store: { cards_path: cards } } });
  expect(await carded.stage('org/g')).toMatchObject({ gguf_file: 'Foo-Q8_0.gguf' });
});
