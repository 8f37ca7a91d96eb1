import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Machine, machinesOnOneLan } from '../helpers/namespaces.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { serveModels } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { openTerminal, type Terminal } from '../helpers/terminal.ts';
import { wants } from '../helpers/wants.ts';

/** A terminal in an empty directory. */
async function openEmpty(env: Readonly<Record<string, string>> = {}): Promise<{ readonly terminal: Terminal; readonly directory: string }> {
  const directory = join(await temporaryDirectory(), 'here');
  await mkdir(directory);
  const terminal = await openTerminal({ cwd: directory, env: { SKULK_HOME: join(directory, '../home'), ...env } });
  return { terminal, directory };
}

const validate = (directory: string) =>
  runInProcess(['config', 'validate'], { cwd: directory, env: { SKULK_HOME: join(directory, '../home') } });

test('config init on a store host asks for the directory of the models, shows the file and writes it', wants('tmux'), async () => {
  const { terminal, directory } = await openEmpty();
  const models = join(directory, '../models');
  await terminal.enter('skulk config init; echo "status $?"');
  await terminal.sees(`What is this machine (${hostname()})?`);
  await terminal.press('Enter');
  await terminal.sees('Where should the models be kept?', join(directory, '../home/store'));
  await terminal.sees(/\d GiB free on its disk; `skulk serve` creates it/);
  await terminal.press('C-u');
  await terminal.type('/dev/null/models');
  await terminal.sees(/✗ the directory \/dev\/null\/models is not a directory/);
  await terminal.press('Enter', 'C-u');
  await terminal.sees('✗ no directory given');
  await terminal.type(models);
  await terminal.sees('free on its disk; create it before `skulk serve`');
  await mkdir(models);
  await terminal.type('/');
  await terminal.sees(/free on its disk$/m);
  await terminal.press('Enter');
  await terminal.sees('How much space may idle copies take');
  await terminal.type('x');
  await terminal.sees('✗ must be a number of GiB, 0 or more');
  await terminal.press('Enter', 'BSpace', 'BSpace');
  await terminal.type('5');
  await terminal.press('Enter');
  await terminal.sees('Write this to', '# Configuration of skulk');
  expect(await readdir(directory)).toEqual([]);
  await terminal.press('Enter', 'n');
  await terminal.press('y');
  const after = await terminal.sees('status 0\n');
  expect(after).toContain(`✓ this machine    the store host, ${hostname()}`);
  expect(after).toContain(`wrote ${directory}/skulk.yaml`);
  const file = await readFile(join(directory, 'skulk.yaml'), 'utf8');
  expect(file).toContain(`store_host: "${hostname()}"`);
  expect(file).toContain(`store_path: "${models}"`);
  expect(file).toContain('staging_keep_recent_gb: 45');
  expect(file).toContain('# Where the canonical copies are, on that machine.');
  expect(await validate(directory)).toMatchObject({ status: 0 });
  expect(await readdir(directory)).toEqual(['skulk.yaml']);
});

test('config init on a node asks for a store, contacts it, and can go back', wants('tmux'), async () => {
  const { url } = await serveModels({});
  const { terminal, directory } = await openEmpty();
  await terminal.enter('skulk config init --config mine.yaml; echo "status $?"');
  await terminal.sees('What is this machine');
  await terminal.press('Down', 'Enter');
  await terminal.sees('no store found on this network');
  await terminal.type('ftp://nowhere');
  await terminal.press('Enter');
  await terminal.sees('✗ the configuration supports http stores only');
  await terminal.press('C-u');
  await terminal.type('127.0.0.1:1');
  await terminal.press('Enter');
  await terminal.sees(/✗ cannot reach the store at http:\/\/127\.0\.0\.1:1/, 'enter keep it anyway');
  await terminal.press('C-u');
  await terminal.type(url);
  await terminal.press('Enter');
  // The store's own name cannot be resolved here, so its address is written as well.
  await terminal.sees(/✓ the store +kite3 at 127\.0\.0\.1, port \d+/);
  await terminal.sees('Where should this machine keep its verified copies?');
  await terminal.press('BTab');
  await terminal.sees('Which store should it stage from?');
  await terminal.type('mac-studio-1');
  await terminal.press('Enter');
  await terminal.sees('✗');
  await terminal.press('Enter');
  await terminal.sees(/✓ the store +mac-studio-1\n/);
  await terminal.sees(join(directory, '../home/staging'));
  await terminal.sees(/free on its disk/);
  await terminal.press('C-w');
  await terminal.type('copies');
  await terminal.sees(join(directory, '../home/copies'));
  await terminal.sees('the first stage creates it');
  await terminal.press('Enter');
  await terminal.sees('How much');
  await terminal.press('Enter');
  await terminal.sees('Write this to');
  await terminal.press('y');
  await terminal.sees('status 0\n');
  const file = await readFile(join(directory, 'mine.yaml'), 'utf8');
  expect(file).toContain('store_host: "mac-studio-1"');
  expect(file).toContain('store_port: 58080');
  expect(file).toContain(`node_cache_path: "${join(directory, '../home/copies')}"`);
  expect(file).toContain('# store_path: $SKULK_HOME/store');
});

test('Escape and Ctrl-C write nothing at the first and at the last question of config init', wants('tmux'), async () => {
  const { terminal, directory } = await openEmpty();
  const ways = [
    ['Escape', 0],
    ['C-c', 0],
    ['Escape', 3],
    ['C-c', 3],
  ] as const;
  for (const [key, answers] of ways) {
    await terminal.enterAnew('skulk config init; echo "status $?"');
    await terminal.sees('What is this machine');
    if (answers > 0) {
      await terminal.press('Enter');
      await terminal.sees('free on its disk');
      await terminal.press('Enter');
      await terminal.sees('How much');
      await terminal.press('Enter');
      await terminal.sees('Write this to');
    }
    await terminal.press(key);
    expect([key, await terminal.sees('status 130\n')]).toEqual([key, expect.stringContaining('skulk: nothing was written')]);
    expect(await readdir(directory)).toEqual([]);
    expect(await terminal.modes()).toEqual({ alternate: false, cursor: true, wrap: true });
  }
});

test('config init with all options asks no question, and reports an existing file before the first question', wants('tmux'), async () => {
  const { terminal, directory } = await openEmpty();
  await terminal.enter('skulk config init --store-host kite3; echo "status $?"');
  await terminal.sees('status 0\n');
  const before = await readFile(join(directory, 'skulk.yaml'), 'utf8');
  expect(before).toContain('store_host: "kite3"');
  await terminal.enterAnew('skulk config init; echo "status $?"');
  await terminal.sees('status 5\n', 'already exists');
  await terminal.enterAnew('skulk config init --print | head -1; skulk config init --json; echo "status $?"');
  await terminal.sees('status 5\n', '# Configuration of skulk');
  await terminal.enterAnew('skulk config init --force; echo "status $?"');
  await terminal.sees('What is this machine');
  await terminal.press('Enter');
  await terminal.sees('free on its disk');
  await terminal.press('Enter');
  await terminal.sees('How much');
  await terminal.press('Enter');
  await terminal.sees('Write this to');
  await writeFile(join(directory, 'skulk.yaml'), before);
  await terminal.press('y');
  await terminal.sees('status 0\n');
  expect(await readFile(join(directory, 'skulk.yaml'), 'utf8')).toContain(`store_host: "${hostname()}"`);
});

test('config init on a node offers the stores on its LAN', wants('network namespaces', 'tmux'), async () => {
  const home = await temporaryDirectory();
  const [host, node] = (await machinesOnOneLan(2)) as [Machine, Machine];
  await mkdir(join(home, 'host/store'), { recursive: true });
  const { child, ended } = host.skulk(['serve', '--json'], { SKULK_HOME: join(home, 'host') });
  await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
  const directory = join(home, 'here');
  await mkdir(directory);
  const terminal = await openTerminal({
    cwd: directory,
    prefix: node.prefix,
    env: { SKULK_HOME: join(home, 'node'), SKULK_NO_MDNS: '', SKULK_NO_DISCOVERY: '' },
  });
  await terminal.enter('skulk config init; echo "status $?"');
  await terminal.sees('What is this machine');
  await terminal.press('Down', 'Enter');
  await terminal.sees('searching the LAN for stores…');
  await terminal.sees('another one', `http://${host.address}:58080`);
  await terminal.press('Enter');
  await terminal.sees(/✓ the store +\S+/);
  await terminal.sees('free on its disk');
  await terminal.press('Enter');
  await terminal.sees('How much');
  await terminal.press('Enter');
  await terminal.sees('Write this to');
  await terminal.press('y');
  await terminal.sees('status 0\n');
  const file = await readFile(join(directory, 'skulk.yaml'), 'utf8');
  expect(file).toContain(`store_http_host: "${host.address}"`);
  child.kill('SIGTERM');
  await ended;
});
