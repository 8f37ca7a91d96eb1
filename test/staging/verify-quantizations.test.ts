import { execFileSync } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseModelRef } from '../../src/core/kernel/model-id.ts';
import { verifyModels } from '../../src/core/operations/models/verify-models.ts';
import { purgeStaging } from '../../src/core/operations/nodes/purge-staging.ts';
import { activate, deactivate } from '../../src/core/operations/stage/leases.ts';
import { noise } from '../helpers/model-files.ts';
import { few, longTest, usualTest } from '../helpers/seeded.ts';
import { copyOf, type StagingNode, serveThroughProxy, stagingNode } from '../helpers/staging-node.ts';

const files = {
  'Foo-Q4_K_M.gguf': noise(30_000, 1),
  'Foo-Q8_0-00001-of-00002.gguf': noise(40_000, 2),
  'Foo-Q8_0-00002-of-00002.gguf': noise(20_000, 3),
  'config.json': '{"model_type":"llama"}',
};

/** A node that has both quantizations. */
async function nodeWithBoth() {
  const { proxy } = await serveThroughProxy({ 'org/g': files });
  const node = await stagingNode(proxy.url);
  await node.request(['org/g:Q4_K_M', 'org/g:Q8_0']);
  return { node, proxy };
}

const here = async (node: StagingNode): Promise<string[]> =>
  (await readdir(copyOf(node, 'org/g'))).filter((name) => !name.startsWith('.')).sort();

/** Changes a byte and keeps size and date to the nanosecond, like a failing disk. */
async function damage(node: StagingNode, name: string): Promise<void> {
  const path = join(copyOf(node, 'org/g'), name);
  const dated = join(node.home, 'dated');
  execFileSync('touch', ['-r', path, dated]);
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(10) ^ 1, 10);
  await writeFile(path, bytes);
  execFileSync('touch', ['-r', dated, path]);
}

const verify = (node: StagingNode, ref: string | undefined, repair = false) =>
  verifyModels(node.deps, { refs: ref === undefined ? [] : [parseModelRef(ref)], staging: true, repair });

describe('verifying a copy with two quantizations', () => {
  longTest('reads only the selected one and its shared files', async () => {
    const { node } = await nodeWithBoth();
    await damage(node, 'Foo-Q8_0-00002-of-00002.gguf');
    node.world.events.length = 0;
    expect(await verify(node, 'org/g:q4_k_m')).toEqual({
      ok: true,
      models: [{ model_id: 'org/g', selector: 'Q4_K_M', status: 'ok', bad_files: [] }],
    });
    expect(await verify(node, 'org/g:Q8_0')).toMatchObject({
      ok: false,
      models: [
        {
          selector: 'Q8_0',
          status: 'damaged',
          bad_files: [{ path: 'Foo-Q8_0-00002-of-00002.gguf', problem: 'content' }],
          note: expect.stringContaining('skulk stage --force org/g:Q8_0'),
        },
      ],
    });
    await expect(verify(node, 'org/g:Q5_K_M')).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      hint: expect.stringMatching(/^it has Q\w+, Q\w+$/),
    });
    await expect(verify(node, 'org/g@v2')).rejects.toMatchObject({ code: 'REVISION_NOT_FOUND' });
  });

  test.each(few(['org/g', 'org/g:Q8_0', undefined]))('with --repair of %s removes only the damaged one', async (ref) => {
    const { node, proxy } = await nodeWithBoth();
    await damage(node, 'Foo-Q8_0-00002-of-00002.gguf');
    expect(await verify(node, ref, true)).toMatchObject({
      ok: true,
      models: [{ model_id: 'org/g', status: 'repaired', note: expect.stringContaining('`skulk stage org/g:Q8_0` fetches it again') }],
    });
    expect(await here(node)).toEqual(['Foo-Q4_K_M.gguf', 'config.json']);
    expect(await node.stage('org/g:Q4_K_M', { offline: true })).toMatchObject({ source: 'cache' });
    const before = proxy.bytes();
    expect(await node.stage('org/g:Q8_0')).toMatchObject({ bytes_transferred: 60_000 });
    expect(proxy.bytes() - before).toBeLessThan(60_000 + 20_000);
    expect(await verify(node, undefined)).toMatchObject({ ok: true, models: [{ status: 'ok' }] });
  });

  longTest('with --repair keeps the damaged one while a process uses it, and removes it while the other is used', async () => {
    const { node } = await nodeWithBoth();
    await damage(node, 'Foo-Q8_0-00001-of-00002.gguf');
    await activate(node.deps, { ref: parseModelRef('org/g:Q8_0'), pid: process.pid });
    expect(await verify(node, 'org/g', true)).toMatchObject({
      ok: false,
      models: [{ status: 'damaged', note: expect.stringContaining('org/g:Q8_0 is in use') }],
    });
    expect(await here(node)).toEqual(Object.keys(files).sort());
    await activate(node.deps, { ref: parseModelRef('org/g:Q4_K_M'), pid: process.pid });
    await deactivate(node.deps, { ref: parseModelRef('org/g:Q8_0') });
    expect(await verify(node, 'org/g', true)).toMatchObject({ ok: true, models: [{ status: 'repaired' }] });
    expect(await here(node)).toEqual(['Foo-Q4_K_M.gguf', 'config.json']);
  });

  usualTest('with --repair removes a damaged shared file, and only this file is sent again', async () => {
    const { node } = await nodeWithBoth();
    await damage(node, 'config.json');
    expect(await verify(node, 'org/g:Q4_K_M', true)).toMatchObject({ ok: true, models: [{ status: 'repaired' }] });
    expect(await here(node)).toEqual(
      Object.keys(files)
        .filter((name) => name !== 'config.json')
        .sort(),
    );
    await expect(node.stage('org/g:Q8_0', { offline: true })).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    expect(await node.stage('org/g:Q4_K_M')).toMatchObject({ bytes_transferred: 22 });
    expect(await node.stage('org/g:Q8_0')).toMatchObject({ source: 'cache' });
    expect(await verify(node, 'org/g')).toMatchObject({ ok: true });
  });

  longTest('with --repair removes the copy when both are damaged', async () => {
    const { node } = await nodeWithBoth();
    await damage(node, 'Foo-Q4_K_M.gguf');
    await damage(node, 'Foo-Q8_0-00001-of-00002.gguf');
    expect(await verify(node, undefined, true)).toMatchObject({ ok: true, models: [{ status: 'repaired' }] });
    expect(await readdir(node.root)).toEqual(['.skulk']);
  });
});

longTest('stage --force copies one quantization again, and the others stay', async () => {
  const { node } = await nodeWithBoth();
  await activate(node.deps, { ref: parseModelRef('org/g:Q4_K_M'), pid: process.pid });
  await damage(node, 'Foo-Q8_0-00001-of-00002.gguf');
  const inode = (await stat(join(copyOf(node, 'org/g'), 'Foo-Q4_K_M.gguf'))).ino;
  expect(await node.stage('org/g:Q8_0', { force: true })).toMatchObject({ bytes_transferred: 60_022, source: 'store' });
  expect(await here(node)).toEqual(Object.keys(files).sort());
  expect((await stat(join(copyOf(node, 'org/g'), 'Foo-Q4_K_M.gguf'))).ino).toBe(inode);
  expect(await verify(node, 'org/g')).toMatchObject({ ok: true });
  await deactivate(node.deps, { ref: parseModelRef('org/g') });
  await activate(node.deps, { ref: parseModelRef('org/g:Q8_0'), pid: process.ppid });
  await expect(node.stage('org/g:Q8_0', { force: true })).rejects.toMatchObject({ code: 'CONFLICT' });
});

usualTest('purge-staging removes nothing from a copy at another revision', async () => {
  const { node } = await nodeWithBoth();
  const purge = (ref: string) => purgeStaging(node.deps, { refs: [parseModelRef(ref)], dryRun: false, force: false });
  await expect(purge('org/g@v2')).rejects.toMatchObject({ code: 'REVISION_NOT_FOUND' });
  await expect(purge('org/g@v2:Q8_0')).rejects.toMatchObject({ code: 'REVISION_NOT_FOUND' });
  expect(await here(node)).toEqual(Object.keys(files).sort());
});
