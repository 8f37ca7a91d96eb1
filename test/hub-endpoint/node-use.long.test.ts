import { join } from 'node:path';
import { expect, test } from 'vitest';
import { heldReader } from '../helpers/held-reader.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, sha256, writeFiles } from '../helpers/model-files.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { until } from '../helpers/waiting.ts';

const large = noise(24 * 1024 * 1024, 1);
const files = { 'm-Q4_K_M.gguf': large, 'm-Q8_0.gguf': noise(3000, 2), 'config.json': '{}' };

interface StagedPart {
  readonly selector: string;
  readonly in_use: boolean;
  readonly last_used: string;
  readonly holders: readonly { readonly purpose: string }[];
}

async function nodeWithCopy() {
  const world = await hubWorld();
  await writeFiles(join(world.home, 'model'), files);
  expect(await world.host('add', join(world.home, 'model'), '--as', 'org/m')).toMatchObject({ status: 0 });
  const host = await world.serveInProcess();
  for (const selector of ['Q4_K_M', 'Q8_0'])
    expect(await world.nodeInProcess(host, 'n1', 'stage', `org/m:${selector}`)).toMatchObject({ status: 0 });
  const node = await serveInProcess({ home: join(world.home, 'n1'), args: ['--role', 'node'], env: { SKULK_STORE: host.url } });
  const run = (...args: readonly string[]) => world.nodeInProcess(host, 'n1', ...args);
  const parts = async (): Promise<readonly StagedPart[]> =>
    (JSON.parse((await run('staging', '--json')).stdout) as { models: { quantizations: StagedPart[] }[] }).models[0]?.quantizations ?? [];
  return { node, run, parts };
}

test('a quantization that a Hub client reads from a node is in use until the transfer ends, and no other one is', async () => {
  const { node, run, parts } = await nodeWithCopy();
  const before = new Map((await parts()).map(({ selector, last_used }) => [selector, last_used]));
  const reader = await heldReader(`${node.apiUrl}/org/m/resolve/main/m-Q4_K_M.gguf`);
  const [q4, q8] = ['Q4_K_M', 'Q8_0'].map((selector) => async () => (await parts()).find((one) => one.selector === selector));
  expect(await q4?.()).toMatchObject({ in_use: true, holders: [{ purpose: 'a Hub client' }] });
  expect(await q8?.()).toMatchObject({ in_use: false, last_used: before.get('Q8_0') });
  expect((await q4?.())?.last_used).not.toBe(before.get('Q4_K_M'));
  const purge = await run('purge-staging', '--model', 'org/m:Q4_K_M', '--json');
  expect(JSON.parse(purge.stdout)).toMatchObject({ evicted: [], kept_in_use: [{ model_id: 'org/m' }] });
  expect(await run('purge-staging', '--model', 'org/m:Q8_0')).toMatchObject({ status: 0 });
  expect(sha256((await reader.end()).bytes)).toBe(sha256(large));
  await until('the end of the use', async () => (await q4?.())?.in_use === false);
  expect(await run('purge-staging', '--model', 'org/m')).toMatchObject({ status: 0 });
  expect(await parts()).toEqual([]);
});

test('a copy that is removed by force while a Hub client reads it leaves the client its open file', async () => {
  const { node, run, parts } = await nodeWithCopy();
  const reader = await heldReader(`${node.apiUrl}/org/m/resolve/main/m-Q4_K_M.gguf`);
  expect(await run('purge-staging', '--model', 'org/m', '--force')).toMatchObject({ status: 0 });
  expect(await parts()).toEqual([]);
  expect(sha256((await reader.end()).bytes)).toBe(sha256(large));
});
