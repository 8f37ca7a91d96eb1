import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { openTerminal } from '../helpers/terminal.ts';
import { wants } from '../helpers/wants.ts';

test('S stages a model on another machine, v verifies it, and f forgets a machine that is gone', wants('tmux'), async () => {
  const world = await fleetWorld();
  await world.add('org/one', 'a model');
  const host = await world.hostInProcess();
  const agent = await world.nodeInProcess('n1', host.url);
  const terminal = await openTerminal({ env: { SKULK_HOME: join(world.home, 'host'), SKULK_NODE_ID: 'host' } });
  await terminal.enter('skulk dashboard');
  await terminal.sees(/3 Nodes 2/);
  await terminal.press('S');
  await terminal.sees(/› \S+( \(n1\))? +[\d.]+ [GMT]iB free/);
  await terminal.press('Enter');
  await terminal.sees(/asked .* to stage org\/one/);
  // The list names the copy when the machine has reported it.
  await terminal.sees(/^› org\/one .* 1 node/m);
  expect(await world.copies('n1')).toEqual(['org--one']);
  await terminal.press('v');
  await terminal.sees('verified org/one: every file matches');
  await writeFile(join(world.home, 'host/store/org--one/a.gguf'), 'A model');
  await terminal.press('v');
  await terminal.sees('org/one is damaged: a.gguf');

  await agent.stop();
  await terminal.press('3', '/');
  await terminal.type('n1');
  await terminal.press('Enter');
  await terminal.sees(/○ away/);
  await terminal.press('f');
  await terminal.sees(/Its copies stay on its\s+/);
  await terminal.press('y');
  await terminal.sees(/was forgotten/);
  await terminal.sees(/3 Nodes 1/);
});
