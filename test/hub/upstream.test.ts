import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { DescribedEntry } from '../../src/core/protocol/models/entries.ts';
import type { HubOffer } from '../../src/core/protocol/models/hub-offer.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, sha256 } from '../helpers/model-files.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';

const files = {
  'config.json': '{}',
  'Foo-Q4_K_M.gguf': noise(2_000, 1),
  'Foo-Q8_0.gguf': noise(3_000, 2),
  'figures/one.png': 'not taken\n',
};
const manifestIn = async (storePath: string) =>
  JSON.parse(await readFile(join(storePath, '.skulk/v1/manifests/org--g.json'), 'utf8')) as { upstream?: { files: object[] } };

usualTest('a manifest keeps the full listing of its commit, which is not sent to nodes and survives a lost registry', async () => {
  const world = await hubWorld();
  const commit = world.hub.push('org/g', { files });
  expect((await world.host('download', 'org/g', '--gguf-file', 'Foo-Q4_K_M.gguf')).status).toBe(0);
  const { upstream } = await manifestIn(world.storePath);
  expect(upstream).toMatchObject({ repo: 'org/g', commit });
  const oid = expect.stringMatching(/^[0-9a-f]{40}$/);
  expect(upstream?.files).toEqual(
    expect.arrayContaining([
      { path: 'Foo-Q4_K_M.gguf', size: 2_000, oid, sha256: sha256(files['Foo-Q4_K_M.gguf']) },
      { path: 'Foo-Q8_0.gguf', size: 3_000, oid, sha256: sha256(files['Foo-Q8_0.gguf']) },
      { path: 'config.json', size: 2, oid: '9e26dfeeb6e641a33dae4961196235bdb965b21b' },
      { path: 'figures/one.png', size: 10, oid },
    ]),
  );
  expect(upstream?.files).toHaveLength(4);
  await rm(join(world.storePath, 'registry.json'));
  await writeFile(join(world.storePath, 'registry.json'), '{}');
  expect((await world.host('verify', '--repair')).status).toBe(0);
  expect((await manifestIn(world.storePath)).upstream).toEqual(upstream);
  const served = await world.serveInProcess();
  const sent = (await (await fetch(`${served.url}/models/org%2Fg/manifest`)).json()) as object;
  expect(sent).toMatchObject({ commit, files: expect.any(Array) });
  expect(sent).not.toHaveProperty('upstream');
});

longTest(
  'a manifest of an older version gets the listing with the next download of the same commit, without downloading a file',
  async () => {
    const world = await hubWorld();
    world.hub.push('org/g', { files });
    expect((await world.host('download', 'org/g')).status).toBe(0);
    const { upstream, ...before } = await manifestIn(world.storePath);
    await writeFile(join(world.storePath, '.skulk/v1/manifests/org--g.json'), JSON.stringify(before));
    const sent = world.hub.sent('Foo-Q4_K_M.gguf');
    const again = await world.host('download', 'org/g', '--revision', 'main');
    expect(again.status, again.stderr).toBe(0);
    expect((await manifestIn(world.storePath)).upstream).toEqual(upstream);
    expect(world.hub.sent('Foo-Q4_K_M.gguf')).toBe(sent);
  },
);

longTest(
  'the listing is kept after a restart and after another quantization of the same commit, and a new commit replaces it',
  async () => {
    const world = await hubWorld();
    const first = world.hub.push('org/g', { files });
    const pathsOf = (listed: readonly object[] | undefined) => listed?.map((one) => (one as { path: string }).path).toSorted();
    expect(await world.host('download', 'org/g:Q4_K_M')).toMatchObject({ status: 0 });
    const { upstream } = await manifestIn(world.storePath);
    /** The answer of the store as a Hub after a start. */
    const tree = async (commit: string): Promise<string[] | undefined> => {
      await using served = await world.serveInProcess();
      const answer = await fetch(`${served.url}/api/models/org/g/tree/${commit}?recursive=true`);
      expect(answer.status).toBe(200);
      return pathsOf(((await answer.json()) as { type: string }[]).filter(({ type }) => type === 'file'));
    };
    expect(await tree(first)).toEqual(Object.keys(files).toSorted());
    expect(await world.host('download', 'org/g:Q8_0')).toMatchObject({ status: 0 });
    expect((await manifestIn(world.storePath)).upstream).toEqual(upstream);
    expect(await tree(first)).toEqual(Object.keys(files).toSorted());
    // A quantization is deleted: it is still in the listing of the repo.
    expect(await world.host('delete', 'org/g:Q8_0', '--yes')).toMatchObject({ status: 0 });
    expect((await manifestIn(world.storePath)).upstream).toEqual(upstream);
    const later = { ...files, 'Foo-Q8_0.gguf': noise(4_000, 5), 'Foo-Q2_K.gguf': noise(1_000, 6), 'notes.md': 'new' };
    const second = world.hub.push('org/g', { files: later });
    expect(await world.host('download', 'org/g:Q8_0')).toMatchObject({ status: 0 });
    const after = (await manifestIn(world.storePath)).upstream as unknown as { commit: string; files: object[] };
    expect([after.commit, pathsOf(after.files)]).toEqual([second, Object.keys(later).toSorted()]);
    expect(await tree(second)).toEqual(Object.keys(later).toSorted());
    const { quantizations } = JSON.parse((await world.host('show', 'org/g', '--json')).stdout) as { quantizations: { selector: string }[] };
    expect(quantizations.map(({ selector }) => selector)).toEqual(['Q4_K_M', 'Q8_0']);
    expect(await world.host('verify')).toMatchObject({ status: 0 });
  },
);

longTest(
  'show and the offer for the add dialogs know what the repo has beside, after a restart, without the Hub, and of a second revision',
  async () => {
    const world = await hubWorld();
    const repo = { ...files, 'imatrix.gguf': noise(900, 4), 'Foo-BF16-00001-of-00002.gguf': noise(700, 7) };
    const first = world.hub.push('org/g', { files: repo });
    expect(await world.host('download', 'org/g:Q4_K_M')).toMatchObject({ status: 0 });
    /** A server without the Hub: what a node is shown, the page's details, and what the dialogs are offered. */
    const look = async (revision = 'main') => {
      await using served = await serveInProcess({
        home: join(world.home, 'host'),
        env: { HF_ENDPOINT: world.hub.url, HF_HUB_OFFLINE: '1' },
      });
      const shown = await world.nodeInProcess(served, 'laptop', 'show', 'org/g');
      expect(shown).toMatchObject({ status: 0, stderr: '' });
      const offer = await fetch(`${served.apiUrl}/store/hub/org%2Fg?kept=true&revision=${revision}`);
      const planned = await fetch(`${served.apiUrl}/store/hub/org%2Fg?kept=true&wanted=${encodeURIComponent('{"selector":"Q8_0"}')}`);
      expect((await fetch(`${served.apiUrl}/store/hub/org%2Fg`)).status).toBe(503);
      const body = (await offer.json()) as HubOffer;
      return {
        rows: [...shown.stdout.matchAll(/^(\S+) +(\d\S* \S+) +[\d.]+ +(\d) +(-|not .*)$/gm)].map(([, ...cells]) => cells.join(' | ')),
        offer: body,
        offered: body.quantizations?.map(({ label, in_store, is_older }) => [label, is_older === true ? 'older' : in_store]),
        left: ((await planned.json()) as HubOffer).plan?.left.map(({ path, reason }) => `${path}: ${reason}`),
      };
    };
    const before = await look();
    // A quantization with a hole cannot be had, and an importance matrix is not a quantization.
    expect(before.rows).toEqual(['Q4_K_M | 1.95 KiB | 1 | -', 'Q8_0 | 2.93 KiB | 1 | not in the store']);
    expect(before.offer).toMatchObject({ commit: first, kept: { reason: expect.stringContaining('HF_HUB_OFFLINE') } });
    expect(before.offered).toEqual([
      ['Q4_K_M', true],
      ['Q8_0', false],
    ]);
    expect(before.left).toContain('Foo-Q4_K_M.gguf: another quantization');
    expect((await look('v9')).offer).toMatchObject({ code: 'HUB_OFFLINE' });

    const later = { ...files, 'Foo-Q4_K_M.gguf': noise(2_000, 9), 'Foo-Q2_K.gguf': noise(1_000, 6), 'Foo-Q8_0.gguf': noise(4_000, 5) };
    const second = world.hub.push('org/g', { files: later });
    // The Hub has it, and the store does not yet: what it has is older.
    {
      await using served = await world.serveInProcess();
      const offer = (await (await fetch(`${served.apiUrl}/store/hub/org%2Fg?kept=true`)).json()) as HubOffer;
      expect(offer).toMatchObject({ commit: second });
      expect(offer).not.toHaveProperty('kept');
      expect(offer.quantizations.map(({ label, in_store, is_older }) => [label, in_store, is_older])).toEqual([
        ['Q2_K', false, undefined],
        ['Q4_K_M', true, true],
        ['Q8_0', false, undefined],
      ]);
    }
    expect((await look()).rows).toEqual(before.rows);
    expect(await world.host('download', 'org/g:Q8_0')).toMatchObject({ status: 0 });
    const after = await look();
    expect(after.offer.commit).toBe(second);
    expect(after.rows).toEqual(['Q4_K_M | 1.95 KiB | 1 | -', 'Q8_0 | 3.91 KiB | 1 | -', 'Q2_K | 1000 B | 1 | not in the store']);
    expect(after.offered).toEqual([
      ['Q2_K', false],
      ['Q4_K_M', true],
      ['Q8_0', true],
    ]);
  },
);

usualTest('the list of models has how many quantizations the repo of each has, here and at a node', async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files: { ...files, 'Foo-Q2_K.gguf': noise(1_000, 6) } });
  const registry = async () =>
    (JSON.parse((await world.host('registry', '--json')).stdout) as { entries: DescribedEntry[] }).entries.map(
      ({ quantizations, quantizations_of_repo: ofRepo }) => [quantizations, ofRepo],
    );
  expect(await world.host('download', 'org/g:Q4_K_M')).toMatchObject({ status: 0 });
  expect(await registry()).toEqual([[['Q4_K_M'], undefined]]);
  expect(await world.host('download', 'org/g:Q8_0')).toMatchObject({ status: 0 });
  expect(await registry()).toEqual([[['Q4_K_M', 'Q8_0'], 3]]);
  await using served = await world.serveInProcess();
  const answer = (await (await fetch(`${served.apiUrl}/store/registry`)).json()) as { entries: DescribedEntry[] };
  expect(answer.entries[0]?.quantizations_of_repo).toBe(3);
  // A server that runs asks itself over HTTP.
  expect(await registry()).toEqual([[['Q4_K_M', 'Q8_0'], 3]]);
});
