import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { noise } from '../helpers/model-files.ts';
import { pageLink } from '../helpers/page-link.ts';
import { ask } from '../helpers/raw-http.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';
import { looksWell } from './model-store.ts';

test('the page shows which model several nodes share', wants('chromium', 'aria2'), async () => {
  const world = await fleetWorld();
  await world.add('org/one', noise(2 * 1024 * 1024));
  for (const setting of ['swarm.enabled auto', 'swarm.min_bytes 1']) await world.host('policy', 'set', ...setting.split(' '));
  const host = await world.hostInProcess();
  const { digest } = (await ask(host.url, '/models/org%2Fone/manifest')).json() as { digest: string };
  const headers = { 'content-type': 'application/json' };
  const join = async (more: object = {}) => {
    const answer = await ask(host.url, '/models/org%2Fone/swarm', { method: 'POST', headers, body: JSON.stringify({ digest, ...more }) });
    return answer.json() as { member: string };
  };
  const { page } = await openBrowser();
  await page.goto(await pageLink(host, '/activity'));
  const moving = page.getByRole('region', { name: 'Moving now' });
  await moving.getByText('Nothing is moving.').waitFor();
  const members = await Promise.all(Array.from({ length: 3 }, () => join()));
  const said = async (): Promise<string> => {
    // They stay as long as they ask.
    for (const { member } of members) await join({ member });
    return moving.innerText();
  };
  await expect.poll(said).toMatch(/1 job.*shared with 3 nodes.*The store sent 0\.0 copies\./s);
  await looksWell(page);
});

test(
  'the page shows who changed what in the store, also before a restart, finds it by words, and names others only to an admin',
  wants('chromium'),
  async () => {
    const world = await fleetWorld();
    await world.add('org/one', noise(2048));
    const host = await world.hostInProcess();
    const node = await world.nodeInProcess('n1', host.url);
    const token = (await world.host('token', 'create', 'olga', '--role', 'node')).stdout.trim();
    const { page } = await openBrowser();
    await page.goto(await pageLink(host, '/activity'));
    const log = page.getByRole('region', { name: 'Log' });
    // Commands before the server started are listed too, with their user.
    await log.getByRole('row', { name: /anna on the store host added org\/one done$/ }).waitFor();
    await log.getByRole('row', { name: /anna on the store host created the token olga done$/ }).waitFor();
    await page.getByText('Nothing is moving.').waitFor();
    await page.getByRole('img', { name: /^to nodes: / }).waitFor();
    // The bars of an hour, as pictures and as a table.
    await page.getByRole('button', { name: '1 h', exact: true }).click();
    await page.getByText('1 h ago', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Show as table' }).click();
    await page.getByRole('row', { name: '60 min ago not measured not measured' }).waitFor();
    await looksWell(page);
    await page.getByRole('button', { name: 'Show as table' }).click();

    const headers = { Authorization: `Bearer ${token}` };
    expect((await ask(host.url, '/models/org%2Fone', { method: 'DELETE', headers })).status).toBe(200);
    expect((await ask(host.url, '/models/org%2Fnone', { method: 'DELETE' })).status).toBe(404);
    // A stranger does not fill the log.
    expect((await ask(host.url, '/models/org%2Fone', { method: 'DELETE', headers: { Authorization: 'Bearer wrong' } })).status).toBe(401);
    await log.getByRole('row', { name: /olga deleted org\/one done −2\.00 KiB$/ }).waitFor();
    await log.getByRole('row', { name: /failed to delete org\/none no such model$/ }).waitFor();
    expect(await log.getByRole('row', { name: /delete/ }).count()).toBe(2);
    await looksWell(page);

    await log.getByRole('button', { name: 'Failed 1' }).click();
    await log.getByRole('row', { name: /olga deleted/ }).waitFor({ state: 'detached' });
    await log.getByRole('button', { name: 'Failed 1' }).click();
    await log.getByLabel('Person', { exact: true }).selectOption('anna on the store host');
    await expect.poll(() => log.getByRole('row', { name: /delete/ }).count()).toBe(0);
    await log.getByRole('row', { name: /added org\/one done$/ }).waitFor();
    await log.getByLabel('Person', { exact: true }).selectOption('Everybody');
    await log.getByLabel('Model, machine or person').fill('OLGA');
    await expect.poll(() => log.getByRole('row', { name: /delete/ }).count()).toBe(1);
    await page.reload();
    await log.getByRole('row', { name: /delete/ }).waitFor();
    expect(await log.getByLabel('Model, machine or person').inputValue()).toBe('OLGA');

    // Who has no admin key sees what was done, and not the names of others.
    await page.goto(`${node.apiUrl}/activity`);
    await log.getByText('an admin also sees names and addresses').waitFor();
    await log.getByRole('row', { name: /a token deleted org\/one done −2\.00 KiB$/ }).waitFor();
    expect(await log.getByText('olga').count()).toBe(0);
    expect(await log.getByText('anna').count()).toBe(0);
    expect(await log.getByLabel('Person', { exact: true }).locator('option').allTextContents()).not.toContain('olga');

    // The next server continues the log.
    await node.stop();
    await host.stop();
    const restarted = await world.hostInProcess();
    await page.goto(await pageLink(restarted, '/activity'));
    await log.getByRole('row', { name: /olga deleted org\/one done −2\.00 KiB$/ }).waitFor();
    expect(await log.getByRole('row', { name: /delete/ }).count()).toBe(2);
    expect(await readFile(join(world.home, 'host', 'store', '.skulk', 'v1', 'audit.ndjson'), 'utf8')).not.toContain(token);
  },
);
