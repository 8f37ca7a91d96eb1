import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { openTerminal } from '../helpers/terminal.ts';
import { files, id, labels } from '../helpers/twelve-quantizations.ts';
import { wants } from '../helpers/wants.ts';

test('in the dashboard a repo of twelve quantizations is seen, chosen, kept and dropped one by one', wants('tmux'), async () => {
  const world = await hubWorld();
  world.hub.push(id, { files });
  const host = await world.serveInProcess();
  const weightsIn = async (directory: string): Promise<readonly string[]> => {
    const names = await readdir(join(world.home, directory), { recursive: true }).catch(() => []);
    const found = names.flatMap((name) => /-([A-Z\d_]+)(?:-0000\d-of-00002)?\.gguf$/i.exec(name)?.[1]?.toUpperCase() ?? []);
    return [...new Set(found)].filter((label) => labels.includes(label)).toSorted();
  };
  const directory = id.replace('/', '--');
  const stored = () => weightsIn(`host/store/${directory}`);
  const staged = () => weightsIn(`laptop/staging/${directory}`);
  const terminal = await openTerminal({ env: { SKULK_HOME: join(world.home, 'laptop'), SKULK_NODE_ID: 'laptop', SKULK_STORE: host.url } });
  await terminal.enter('skulk dashboard');
  await terminal.sees('The store is empty.');

  // Seen: all twelve, and why each file is taken or left.
  await terminal.press('a');
  await terminal.sees('Add a model from Hugging Face');
  await terminal.paste(`https://huggingface.co/${id}`);
  await terminal.press('Enter');
  await terminal.sees(/› Q4_K_M +recommended/, '7 of 12');
  await terminal.press('f');
  const plan = await terminal.sees(/take +the chosen weights/);
  expect(plan).toMatch(/leave +another quantization +12 files/);
  expect(plan).toMatch(/take +the projector for the chosen weights/);
  await terminal.press('Escape');
  await terminal.sees(/› Q4_K_M/);
  await terminal.press('Enter');
  await terminal.sees(/started the download of \S+:Q4_K_M/);
  await terminal.sees(/› bartowski\//);

  // Chosen: what the store has is marked, and another one is suggested.
  await terminal.press('Enter');
  await terminal.sees(/› Q4_K_M +48\.0 KiB/);
  await terminal.press('a');
  expect(await terminal.sees(/Q4_K_M +recommended +in the store/)).not.toMatch(/› Q4_K_M/);
  await terminal.press('G');
  await terminal.sees(/› BF16/);
  await terminal.press('Enter');
  await terminal.sees(/started the download of \S+:BF16/);
  await terminal.sees(/^ {2}BF16 +160 KiB/m);
  expect(await stored()).toEqual(['BF16', 'Q4_K_M']);

  // Kept: each is staged here alone.
  await terminal.press('j', 's');
  await terminal.sees(/^› BF16 +160 KiB .* here/m);
  await expect.poll(staged).toEqual(['BF16']);
  await terminal.press('k', 's');
  await terminal.sees(/^› Q4_K_M +48\.0 KiB .* here/m);
  await expect.poll(staged).toEqual(['BF16', 'Q4_K_M']);

  // Dropped: from this machine, then from the store.
  await terminal.press('p');
  await terminal.sees(/Purge \S+:Q4_K_M\?/);
  await terminal.press('y');
  await terminal.sees('Purged');
  expect(await staged()).toEqual(['BF16']);
  await terminal.press('x');
  await terminal.losesSight('Purged');
  await terminal.press('d');
  await terminal.sees(/Delete \S+:Q4_K_M\?/);
  await terminal.press('y');
  await terminal.sees(/:Q4_K_M was deleted/);
  expect([await stored(), await staged()]).toEqual([['BF16'], ['BF16']]);
});
