import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type FleetWorld, fleetWorld } from '../helpers/fleet-world.ts';
import { openTerminal } from '../helpers/terminal.ts';
import { wants } from '../helpers/wants.ts';
import { wireTo } from '../helpers/wire.ts';

/** Waits until the store knows the copies that a test needs. */
const known = (
  world: FleetWorld,
  wanted: (copies: Readonly<Record<string, readonly { model_id: string; in_use: boolean }[]>>) => boolean,
) =>
  expect
    .poll(async () => {
      const { stdout } = await world.host('nodes', '--json');
      const { nodes } = JSON.parse(stdout) as { nodes: { node_id: string; copies: { model_id: string; in_use: boolean }[] | null }[] };
      return wanted(Object.fromEntries(nodes.map(({ node_id, copies }) => [node_id, copies ?? []])));
    })
    .toBe(true);

test('d deletes a model everywhere after y, and shows the result on each machine', wants('tmux'), async () => {
  const world = await fleetWorld();
  await world.add('org/one', new Uint8Array(2 * 1024 * 1024));
  await world.add('org/two');
  const host = await world.hostInProcess();
  const agent = await world.nodeInProcess('n1', host.url);
  for (const name of ['n1', 'laptop']) expect(await world.node(name, host.url, 'stage', 'org/one')).toMatchObject({ status: 0 });
  expect(await world.node('n1', host.url, 'activate', 'org/one', '--pid', String(process.pid))).toMatchObject({ status: 0 });
  await known(world, ({ n1 }) => n1?.[0]?.in_use === true);
  const terminal = await openTerminal({ env: { SKULK_HOME: join(world.home, 'laptop'), SKULK_NODE_ID: 'laptop', SKULK_STORE: host.url } });
  await terminal.enter('skulk dashboard');
  await terminal.sees(/^› org\/one .* here \+1/m);
  await terminal.press('d');
  const asked = await terminal.sees('Delete org/one?');
  expect(asked).toMatch(/the store +2\.00 MiB/);
  expect(asked).toMatch(/, this machine +2\.00 MiB/);
  expect(asked).toMatch(/\(n1\) {2}in use +2\.00 MiB/);
  expect(asked).toMatch(/frees in total +6\.00 MiB/);
  expect(asked).toMatch(/\[ \] copies in use are kept until their last use ends/);
  // A key pressed by mistake and pasted text do not count as yes.
  for (const refusal of ['n', 'q', 'Escape']) {
    await terminal.press('Enter', 'Space', 'd');
    await terminal.paste('y');
    await terminal.sees('Delete org/one?');
    await terminal.press(refusal);
    await terminal.losesSight('Delete org/one?');
    await terminal.press('d');
    await terminal.sees('Delete org/one?');
  }
  expect(await world.canonical()).toEqual(['org--one', 'org--two']);
  expect(await world.copies('laptop')).toEqual(['org--one']);

  await terminal.press('y');
  const done = await terminal.sees('org/one was deleted');
  expect(done).toMatch(/freed in total +4\.00 MiB/);
  expect(done).toMatch(/\(n1\) +later/);
  expect(done).toContain(`in use by pid ${process.pid}`);
  expect(await world.canonical()).toEqual(['org--two']);
  expect(await world.copies('laptop')).toEqual([]);
  expect(await world.copies('n1')).toEqual(['org--one']);
  await terminal.press('x');
  await terminal.sees(/^› org\/two/m);

  // The order is pending, and the node carries it out when the use has ended.
  await terminal.press('3', '/');
  await terminal.type('n1');
  await terminal.press('Enter', 'Enter');
  await terminal.sees(/pending +delete org\/one/, /later, /);
  expect(await world.node('n1', host.url, 'deactivate', 'org/one', '--pid', String(process.pid))).toMatchObject({ status: 0 });
  await terminal.losesSight(/to do +evict/);
  await terminal.sees('Nothing is staged there.');
  expect(await world.copies('n1')).toEqual([]);
  await agent.stop();
});

test('f also deletes copies in use', wants('tmux'), async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  const host = await world.hostInProcess();
  await world.node('n1', host.url, 'stage', 'org/one');
  await world.node('n1', host.url, 'activate', 'org/one', '--pid', String(process.pid));
  const terminal = await openTerminal({ env: { SKULK_HOME: join(world.home, 'n1'), SKULK_NODE_ID: 'n1', SKULK_STORE: host.url } });
  await terminal.enter('skulk dashboard');
  await terminal.sees(/^› org\/one .* here/m);
  await terminal.press('Enter');
  await terminal.sees(/sha256 +[0-9a-f]{64}/);
  await terminal.press('d', 'f');
  await terminal.sees('[x] also copies in use, at once');
  await terminal.press('y');
  await terminal.sees('org/one was deleted');
  expect(await world.copies('n1')).toEqual([]);
  await terminal.press('Enter');
  await terminal.sees('The store is empty.');
});

test('deleting a model that the store host uses in place is refused with its name, and f deletes it', wants('tmux'), async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  const home = join(world.home, 'host');
  const config = join(world.home, 'skulk.yaml');
  await writeFile(config, `model_store:\n  staging:\n    node_cache_path: ${JSON.stringify(join(home, 'store'))}\n`);
  const inPlace = (...args: readonly string[]) => world.host('--config', config, ...args);
  expect(await inPlace('activate', 'org/one', '--pid', String(process.pid))).toMatchObject({ status: 0 });
  const terminal = await openTerminal({ env: { SKULK_HOME: home, SKULK_NODE_ID: 'host' } });
  await terminal.enter(`skulk dashboard --config ${config}`);
  await terminal.sees(/^› org\/one/m);
  await terminal.press('d');
  expect(await terminal.sees('Delete org/one?')).not.toContain('in use');
  await terminal.press('y');
  await terminal.sees(/in use on the store host/, 'y try again');
  expect(await world.canonical()).toEqual(['org--one']);
  await terminal.sees('[ ] also copies in use, at once');
  await terminal.press('f', 'y');
  await terminal.sees('org/one was deleted');
  expect(await world.canonical()).toEqual([]);
});

test('p purges on this machine, on one machine or on all, and keeps copies in use', wants('tmux'), async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  await world.add('org/two');
  const host = await world.hostInProcess();
  const stage = async (name: string, ...models: readonly string[]): Promise<void> => {
    expect(await world.node(name, host.url, 'stage', ...models)).toMatchObject({ status: 0 });
  };
  const agent = await world.nodeInProcess('n1', host.url);
  await stage('n1', 'org/one', 'org/two');
  await stage('laptop', 'org/one', 'org/two');
  await world.node('laptop', host.url, 'activate', 'org/two', '--pid', String(process.pid));
  const terminal = await openTerminal({ env: { SKULK_HOME: join(world.home, 'laptop'), SKULK_NODE_ID: 'laptop', SKULK_STORE: host.url } });
  await terminal.enter('skulk dashboard');
  await terminal.sees(/^› org\/one .* here \+1/m);
  await terminal.press('4', '/');
  await terminal.type('one');
  await terminal.press('Enter', 'p');
  const asked = await terminal.sees('Purge org/one?');
  expect(asked).toMatch(/› 1 the copy on this machine +1 copy, 10 B/);
  expect(asked).toMatch(/2 its copies on every machine +2 copies, 20 B/);
  expect(asked).toMatch(/3 every copy on this machine +2 copies, 20 B/);
  await terminal.press('Escape');
  expect(await world.copies('laptop')).toEqual(['org--one', 'org--two']);
  await terminal.press('p', 'y');
  await terminal.sees('Purged');
  expect(await world.copies('laptop')).toEqual(['org--two']);
  expect(await world.copies('n1')).toEqual(['org--one', 'org--two']);
  await terminal.press('x', 'Escape');

  // A copy in use stays, and is named.
  await terminal.sees(/^› org\/two .* in use, pid \d+/m);
  await terminal.press('p', 'y');
  await terminal.sees('Purged', `org/two is in use by pid ${process.pid}`);
  expect(await world.copies('laptop')).toEqual(['org--two']);
  await terminal.press('x', '1', 'p');
  await terminal.sees('Purge org/one?', /› 1 its copies on every machine +1 copy, 10 B/);
  await terminal.press('y');
  await terminal.sees('Purged');
  expect(await world.copies('n1')).toEqual(['org--two']);
  // Only on one machine: an idle copy elsewhere stays.
  await stage('laptop', 'org/one');
  await terminal.press('x', '3', '/');
  await terminal.type('n1');
  await terminal.press('Enter');
  await terminal.sees(/^› .*\(n1\) +● listening +\S+ +1 /m);
  await terminal.press('p');
  await terminal.sees(/› 1 every copy on .* \(n1\) +1 copy, 10 B/);
  await terminal.press('y');
  await terminal.sees('Purged');
  expect(await world.copies('n1')).toEqual([]);
  expect(await world.copies('laptop')).toEqual(['org--one', 'org--two']);
  expect(await world.canonical()).toEqual(['org--one', 'org--two']);
  await agent.stop();
});

test('s stages on this machine and shows the path, and leaving meanwhile needs a confirmation', wants('tmux'), async () => {
  const world = await fleetWorld();
  await world.add('org/small');
  await world.add('org/tall');
  await world.add('org/wide');
  const host = await world.hostInProcess();
  const wire = await wireTo(host.url);
  const terminal = await openTerminal({ env: { SKULK_HOME: join(world.home, 'n1'), SKULK_NODE_ID: 'n1', SKULK_STORE: wire.url } });
  await terminal.enter('skulk dashboard');
  await terminal.sees(/^› org\/small/m);
  await terminal.press('s');
  await terminal.sees(/staged org\/small:\s+\S+/);
  expect(await world.copies('n1')).toEqual(['org--small']);
  await terminal.sees(/^› org\/small .* here/m);

  wire.cut('silent');
  await terminal.press('j', 's', 'q');
  await terminal.sees('Leave?');
  await terminal.sees('org/tall is being staged.');
  await terminal.press('Escape', '4');
  await terminal.sees(/4 Staging 2/);
  wire.mend();
  await terminal.sees(/staged org\/tall:\s+\S+/);
  expect(await world.copies('n1')).toEqual(['org--small', 'org--tall']);

  wire.cut('silent');
  await terminal.press('1', 'j');
  await terminal.sees(/^› org\/wide/m);
  await terminal.press('s', '4');
  await terminal.sees(/^ *org\/wide/m);
  await terminal.press('Home');
  await terminal.sees(/^› org\/wide/m);
  await terminal.press('c');
  await terminal.sees('was stopped; verified data is kept');
  await terminal.press('s', 'q');
  await terminal.sees('org/wide is being staged.');
  await terminal.press('y');
  await terminal.prompt();
  await terminal.enter('echo "status $?"');
  await terminal.sees('status 0\n');
});

test('a change is refused with one line that names the necessary role if the LAN may only read', wants('tmux'), async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  expect(await world.host('policy', 'set', 'lan', 'read')).toMatchObject({ status: 0 });
  const host = await world.hostInProcess();
  const terminal = await openTerminal({ env: { SKULK_HOME: join(world.home, 'laptop'), SKULK_NODE_ID: 'laptop', SKULK_STORE: host.url } });
  await terminal.enter('skulk dashboard');
  await terminal.sees(/^› org\/one/m);
  await terminal.press('d');
  await terminal.sees('Delete org/one?');
  await terminal.press('y');
  const refused = await terminal.sees('✗ read-only: changes need a token with the role node');
  expect(refused).not.toContain('the LAN without a token');
  await terminal.press('n', 'a');
  await terminal.sees('Add a model from Hugging Face');
  await terminal.type('org/other');
  await terminal.press('Enter');
  await terminal.sees('✗ read-only: changes need a token with the role node');
  expect(await world.canonical()).toEqual(['org--one']);
});
