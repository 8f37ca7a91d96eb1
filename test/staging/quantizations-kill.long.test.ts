import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseModelRef } from '../../src/core/kernel/model-id.ts';
import { listStaging } from '../../src/core/operations/nodes/list-staging.ts';
import { purgeStaging } from '../../src/core/operations/nodes/purge-staging.ts';
import { activate } from '../../src/core/operations/stage/leases.ts';
import { sha256 } from '../helpers/directory-store.ts';
import { digestsBelow, noise } from '../helpers/model-files.ts';
import { killPoints, seededRandom, testSeed } from '../helpers/seeded.ts';
import { runSkulk } from '../helpers/spawn-skulk.ts';
import { copyOf, type StagingNode, serveModels, stagingNode } from '../helpers/staging-node.ts';

const four = { 'Foo-Q4_K_M.gguf': noise(300_000, 1) };
const five = { 'Foo-Q5_K_M-00001-of-00002.gguf': noise(200_000, 2), 'Foo-Q5_K_M-00002-of-00002.gguf': noise(150_000, 3) };
const shared = { 'config.json': '{"model_type":"llama"}' };
const digests = (...sets: Record<string, string | Uint8Array>[]) =>
  Object.fromEntries(sets.flatMap((set) => Object.entries(set)).map(([path, content]) => [path, sha256(content)]));
const killer = pathToFileURL(join(import.meta.dirname, '../helpers/kill-at-write.mjs')).href;

/** The files in the record of the copy, after a check that all of them are correct. */
async function wholeGroups(node: StagingNode): Promise<readonly (string | null)[]> {
  const [model] = (await listStaging(node.deps)).models;
  const found = await digestsBelow(copyOf(node, 'org/g'));
  const groups = model?.quantizations ?? [];
  const expected = digests(four, five, shared);
  for (const path of groups.flatMap(({ files }) => files)) expect(found[path], path).toBe(expected[path]);
  return groups.map(({ selector }) => selector).toSorted();
}

describe('a process that is killed at any write', () => {
  test.each(['stage', 'purge-staging'])('during %s leaves each quantization complete or absent', async (command) => {
    const { url } = await serveModels({ 'org/g': { ...four, ...five, ...shared } });
    const node = await stagingNode(url);
    const random = seededRandom(testSeed);
    const counted = join(node.home, 'writes');
    const incoming = join(node.root, '.skulk/v1/incoming');
    const prepare = async (): Promise<void> => {
      if (command === 'purge-staging') return void (await node.request(['org/g:Q4_K_M', 'org/g:Q5_K_M']));
      await node.stage('org/g:Q4_K_M');
      if ((await wholeGroups(node)).length > 1)
        await purgeStaging(node.deps, { refs: [parseModelRef('org/g:Q5_K_M')], dryRun: false, force: false });
    };
    const run = (killAt: number) =>
      runSkulk([command, 'org/g:Q5_K_M'], {
        env: {
          SKULK_HOME: node.home,
          SKULK_STORE: url,
          NODE_OPTIONS: `--import=${killer}`,
          SKULK_TEST_KILL_AT: String(killAt),
          SKULK_TEST_WRITES: counted,
        },
      });
    await prepare();
    // Another program has the other one open and in use all the time.
    await activate(node.deps, { ref: parseModelRef('org/g:Q4_K_M'), pid: process.pid });
    await using held = await open(join(copyOf(node, 'org/g'), 'Foo-Q4_K_M.gguf'));
    expect(await run(0)).toMatchObject({ status: 0 });
    const writes = Number(await readFile(counted, 'utf8'));
    expect(writes).toBeGreaterThan(10);
    for (const point of killPoints(writes, 5, random)) {
      await prepare();
      // Another run may have one write less, because heartbeats and retries differ.
      const { signal, status } = await run(point);
      expect(signal === 'SIGKILL' || status === 0, String(point)).toBe(true);
      const left = await wholeGroups(node);
      expect([['Q4_K_M'], ['Q4_K_M', 'Q5_K_M']], String(point)).toContainEqual(left);
      // The next command completes the change, and the existing files are used unchanged.
      expect(await node.stage('org/g:Q4_K_M', { offline: true }), String(point)).toMatchObject({ source: 'cache' });
      // An empty work directory is removed by then; one with data is kept for the next stage.
      const places = await readdir(incoming);
      const files = (await readdir(incoming, { recursive: true, withFileTypes: true })).filter((item) => item.isFile());
      expect(places.length === 0 || files.some(({ name }) => name.endsWith('.gguf')), String(point)).toBe(true);
      const after = await wholeGroups(node);
      expect(await digestsBelow(copyOf(node, 'org/g')), String(point)).toEqual(
        after.length === 1 ? digests(four, shared) : digests(four, five, shared),
      );
    }
    if ((await wholeGroups(node)).length > 1)
      await purgeStaging(node.deps, { refs: [parseModelRef('org/g:Q5_K_M')], dryRun: false, force: false });
    await node.request(['org/g:Q4_K_M', 'org/g:Q5_K_M']);
    expect(await wholeGroups(node)).toEqual(['Q4_K_M', 'Q5_K_M']);
    const { ino } = await stat(join(copyOf(node, 'org/g'), 'Foo-Q4_K_M.gguf'));
    expect([(await held.stat()).ino, sha256(await held.readFile())]).toEqual([ino, sha256(four['Foo-Q4_K_M.gguf'])]);
    expect(await readdir(incoming)).toEqual([]);
  });
});
