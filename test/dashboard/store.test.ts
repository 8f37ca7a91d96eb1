import { join } from 'node:path';
import { expect } from 'vitest';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise } from '../helpers/model-files.ts';
import { ask } from '../helpers/raw-http.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { openTerminal } from '../helpers/terminal.ts';
import { wants } from '../helpers/wants.ts';

usualTest('the dashboard shows the four lists, a filter, and the details of each item', wants('tmux'), async () => {
  const world = await fleetWorld();
  await world.add('mlx-community/Qwen3-4B-4bit', noise(3_000_000));
  await world.add('org/other');
  const host = await world.hostInProcess();
  expect(await world.node('laptop', host.url, 'stage', 'mlx-community/Qwen3-4B-4bit')).toMatchObject({ status: 0 });
  const terminal = await openTerminal({ env: { SKULK_HOME: join(world.home, 'laptop'), SKULK_NODE_ID: 'laptop', SKULK_STORE: host.url } });
  await terminal.enter('skulk dashboard');
  const store = await terminal.sees(/● live/);
  expect(store).toContain(host.url);
  await terminal.sees(/GiB free of/, / 2 models 2\.86 MiB/);
  // The host hashes and lists an adopted model; the cursor is on the first row.
  await terminal.sees(/^› mlx-community\/Qwen3-4B-4bit +2\.86 MiB +1 +now +here/m, /^ {2}org\/other +10 B +1 +now/m);

  await terminal.press('j');
  await terminal.sees(/^› org\/other/m);
  await terminal.press('Up', 'Enter');
  const details = await terminal.sees(/sha256 +[0-9a-f]{64}$/m);
  expect(details).toMatch(/size +2\.86 MiB in 1 file/);
  expect(details).toMatch(new RegExp(`here +${join(world.home, 'laptop/staging').slice(0, 40)}`));
  await terminal.sees(/a\.gguf +2\.86 MiB +[0-9a-f]{10}/, 'esc back');
  await terminal.press('Escape', '/');
  await terminal.type('other');
  expect(await terminal.sees(/filter +other.* 1 of 2/)).not.toContain('Qwen3');
  await terminal.press('Enter', 'Escape');
  await terminal.sees('Qwen3');

  await terminal.press('Tab');
  await terminal.sees('Nothing is being downloaded.');
  await terminal.press('Right');
  await terminal.sees(/NODE +STATE/, / (?:● listening|○ no agent) /);
  await terminal.press('/');
  await terminal.type('laptop');
  await terminal.press('Enter', 'Enter');
  await terminal.sees(/id +laptop/, / {2}mlx-community\/Qwen3-4B-4bit +2\.86 MiB +now +idle/);
  await terminal.press('Escape', '4', 'Enter');
  await terminal.sees(/path +\//, /state +idle: kept, within the budget/);
  await terminal.press('Escape', '?');
  await terminal.sees('╭─ Keys', 'purge staged copies: here, on a machine, everywhere');
  await terminal.press('x', 'Left', 'Left', 'Left');
  // The row of the cursor depends on whether a frame was drawn between the filter and its end.
  await terminal.sees(/^[› ] mlx-community\S+ +2\.86 MiB +1 /m, /^› /m);
});

longTest('the dashboard shows additions, deletes and downloads of others at once', wants('tmux'), async () => {
  const world = await hubWorld();
  world.hub.push('org/big', {
    files: { 'config.json': '{}', 'w.safetensors': { size: 24 * 1024 * 1024, read: (from, to) => Buffer.alloc(to - from, 7) } },
  });
  world.hub.rate = 1024 * 1024;
  world.hub.holdsEnds = true;
  const host = await world.serveInProcess();
  const terminal = await openTerminal({ env: { SKULK_HOME: join(world.home, 'n1'), SKULK_STORE: host.url } });
  await terminal.enter('skulk dashboard');
  await terminal.sees('The store is empty.');
  await ask(host.url, '/store/models/org%2Fbig/download', { method: 'POST' });
  await terminal.sees(/2 Downloads 1/);
  await terminal.press('2');
  await terminal.sees(/› org\/big +downloading +━+─* +\d+% +[\d.]+ [KM]iB\/s +\d+s/);
  world.hub.rate = 0;
  world.hub.holdsEnds = false;
  await terminal.sees(/› org\/big +complete/);
  await terminal.press('1');
  await terminal.sees(/› org\/big +24\.0 MiB/);
  await ask(host.url, '/store/models/org%2Fbig?wait_ms=0', { method: 'DELETE' });
  await terminal.sees('The store is empty.');
});

longTest(
  'the dashboard adds a model by its name with a choice of quantizations, and its download can be stopped and resumed',
  wants('tmux'),
  async () => {
    const world = await hubWorld();
    world.hub.push('org/seer-GGUF', {
      files: { 'a-Q4_K_M.gguf': noise(6_000_000), 'a-Q8_0.gguf': noise(12_000_000, 2), 'config.json': '{}' },
    });
    world.hub.push('org/locked', { files: { 'w.safetensors': noise(1000) }, gated: true });
    world.hub.holdsEnds = true;
    const host = await world.serveInProcess();
    const terminal = await openTerminal({ env: { SKULK_HOME: join(world.home, 'n1'), SKULK_STORE: host.url } });
    await terminal.enter('skulk dashboard');
    await terminal.sees('The store is empty.');
    await terminal.press('a');
    await terminal.sees('Add a model from Hugging Face');
    for (const [name, says] of [
      ['../etc', 'is not a model id'],
      ['org/nobody', /not on Hugging Face|org\/nobody/],
      ['org/locked', 'gated'],
    ] as const) {
      await terminal.press('C-u');
      await terminal.type(name);
      await terminal.press('Enter');
      await terminal.sees('✗');
      await terminal.sees(says);
    }
    await terminal.press('C-u');
    await terminal.paste('https://huggingface.co/org/seer-GGUF/tree/main');
    await terminal.press('Enter');
    const offer = await terminal.sees('Download org/seer-GGUF');
    expect(offer).toMatch(/› Q4_K_M +recommended +5\.72 MiB/);
    await terminal.press('Down');
    await terminal.sees(/› Q8_0 +11\.4 MiB/);
    await terminal.press('Enter');
    await terminal.sees('started the download');
    await terminal.press('2', 'Enter');
    await terminal.sees(/bytes +.* of 11\.4 MiB/, /file +a-Q8_0\.gguf/);
    await terminal.press('c');
    await terminal.sees(/stopped the download of .*; downloaded data is kept/);
    await terminal.press('Escape');
    await terminal.sees(/› org\/seer-GGUF:a-Q8_0\.gguf +failed +it was cancelled/);
    await terminal.press('c');
    await terminal.sees('✗');
    await terminal.press('j');
    await terminal.losesSight('✗');
    world.hub.holdsEnds = false;
    await terminal.press('r');
    await terminal.sees(/› org\/seer-GGUF:a-Q8_0\.gguf +complete/);
  },
);

longTest('the dashboard waits for a store that is away, and marks the data as old', wants('tmux'), async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  const first = await world.serveHost();
  const { port } = new URL(first.url);
  const terminal = await openTerminal({ env: { SKULK_HOME: join(world.home, 'n1'), SKULK_STORE: first.url } });
  await terminal.enter('skulk dashboard');
  await terminal.sees('● live');
  // Its models come after that.
  await terminal.sees('org/one');
  await first.kill();
  const lost = await terminal.sees('○ reconnecting');
  expect(lost).toContain('org/one');
  await terminal.sees(/showing\s+the\s+last\s+known\s+state/, /cannot reach the store at http:\/\/127\.0\.0\.1/);
  await terminal.press('d', 'y');
  await terminal.sees('✗ cannot reach the store');
  await terminal.press('Escape');
  await world.add('org/two');
  await world.hostInProcess({ port: Number(port) });
  await terminal.sees('● live');
  await terminal.sees('org/two');
  await terminal.losesSight(/last known state/);
});

longTest('the dashboard reads the disk without a server, and uses a server that starts later', wants('tmux'), async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  const terminal = await openTerminal({ env: { SKULK_HOME: join(world.home, 'host'), SKULK_NODE_ID: 'host' } });
  await terminal.enter('skulk dashboard');
  await terminal.sees('org/one', 'no server is running here, so the disk is read every 2 s');
  await terminal.press('a');
  await terminal.type('org/x');
  await terminal.press('Enter');
  await terminal.sees('does not list the quantizations');
  await terminal.press('Enter');
  await terminal.sees('no server is running on this store host');
  await terminal.press('Escape', 'Escape');
  await world.add('org/two');
  await terminal.sees('org/two');
  const host = await world.hostInProcess();
  await terminal.sees('● live');
  await host.stop();
  await terminal.sees('◐ every 2 s');
});
