import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { noise, writeFiles } from '../helpers/model-files.ts';
import { openTerminal } from '../helpers/terminal.ts';
import { wants } from '../helpers/wants.ts';

test('one quantization is staged, purged and deleted from the details of its model, and the others stay', wants('tmux'), async () => {
  const world = await fleetWorld();
  await writeFiles(join(world.home, 'seer'), { 'seer-Q4_K_M.gguf': noise(3000), 'seer-Q8_0.gguf': noise(6000, 2), 'config.json': '{}' });
  expect(await world.host('add', join(world.home, 'seer'), '--as', 'org/seer')).toMatchObject({ status: 0 });
  const host = await world.hostInProcess();
  const weightsIn = async (directory: string): Promise<readonly string[]> =>
    (await readdir(join(world.home, directory)).catch(() => [])).filter((name) => name.endsWith('.gguf')).toSorted();
  const staged = () => weightsIn('laptop/staging/org--seer');
  expect(await world.node('laptop', host.url, 'stage', 'org/seer:Q4_K_M')).toMatchObject({ status: 0 });
  const terminal = await openTerminal({ env: { SKULK_HOME: join(world.home, 'laptop'), SKULK_NODE_ID: 'laptop', SKULK_STORE: host.url } });
  await terminal.enter('skulk dashboard');
  await terminal.sees(/^› org\/seer /m);
  await terminal.press('Enter');
  await terminal.sees(/^› Q4_K_M +2\.93 KiB .* here/m);
  await terminal.press('j', 's');
  await terminal.sees(/^› Q8_0 +5\.86 KiB .* here/m);
  await expect.poll(staged).toEqual(['seer-Q4_K_M.gguf', 'seer-Q8_0.gguf']);
  await terminal.press('p');
  await terminal.sees('Purge org/seer:Q8_0?', /› 1 .*this machine +1 copy, 5\.86 KiB/);
  await terminal.press('y');
  await terminal.sees('Purged');
  expect(await staged()).toEqual(['seer-Q4_K_M.gguf']);
  await terminal.press('x', 'd');
  await terminal.sees('Delete org/seer:Q8_0?', /the store +5\.86 KiB/);
  await terminal.press('y');
  await terminal.sees('org/seer:Q8_0 was deleted');
  expect(await weightsIn('host/store/org--seer')).toEqual(['seer-Q4_K_M.gguf']);
  expect(await staged()).toEqual(['seer-Q4_K_M.gguf']);
});
