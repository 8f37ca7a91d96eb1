import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { pageLink } from '../helpers/page-link.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';

const token = 'only-for-this-lan';

test('a token is requested once in a tab, and a wrong one is reported', wants('chromium'), async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  const host = await serveInProcess({ home: join(world.home, 'host'), env: { SKULK_TOKEN: token } });
  onTestFinished(() => host[Symbol.asyncDispose]());
  const { page, newTab } = await openBrowser();
  await page.goto(`${host.apiUrl}/nodes`);
  await page.getByRole('heading', { name: 'This server requires a token' }).waitFor();
  await page.getByLabel('Token').fill('another-token');
  await page.getByRole('button', { name: 'Open' }).click();
  await page.getByRole('alert').getByText('This token is invalid or was revoked.').waitFor();
  expect(await page.getByLabel('Token').getAttribute('aria-invalid')).toBe('true');
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  // It continues at the requested place.
  await page.getByRole('heading', { name: 'Nodes', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'Store', exact: true }).click();
  await page.getByRole('link', { name: 'org/one' }).waitFor();
  await page.reload();
  await page.getByRole('link', { name: 'org/one' }).waitFor();
  // Another tab is independent, and stores nothing from this one.
  const other = await newTab();
  await other.goto(host.apiUrl);
  await other.getByRole('heading', { name: 'This server requires a token' }).waitFor();
  expect(await other.evaluate('JSON.stringify(localStorage) + document.cookie')).not.toContain(token);
  expect(await page.evaluate('location.href')).not.toContain(token);
});

test('a server that cannot be reached is reported, and its data is shown when it is back', wants('chromium'), async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  const first = await world.serveHost();
  const { page } = await openBrowser();
  await page.goto(first.apiUrl);
  await page.getByRole('link', { name: 'org/one' }).waitFor();
  await first.kill();
  await page.getByText(/This server does not answer\. This page shows the last known state; trying again…/).waitFor();
  await page.getByText('reconnecting').waitFor();
  // Known data stays visible.
  await page.getByRole('link', { name: 'org/one' }).waitFor();
  await world.add('org/two');
  const ports = ['--port', new URL(first.url).port, '--api-port', new URL(first.apiUrl).port];
  // The server that comes back requires a token now.
  const second = await serveInProcess({ home: join(world.home, 'host'), args: ports, env: { SKULK_NODE_ID: 'host', SKULK_TOKEN: token } });
  await page.getByRole('heading', { name: 'This server requires a token' }).waitFor();
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'org/two' }).waitFor();
  await second.stop();
  await page.getByText('reconnecting').waitFor();
  const third = await serveInProcess({ home: join(world.home, 'host'), args: ports, env: { SKULK_NODE_ID: 'host' } });
  onTestFinished(() => third[Symbol.asyncDispose]());
  await page.getByText('live', { exact: true }).waitFor();
  expect(await page.getByText('trying again').count()).toBe(0);
  await world.add('org/three');
  await page.getByRole('link', { name: 'org/three' }).waitFor();
});

test("the page of a node reports that its store is away, and keeps the node's own data", wants('chromium'), async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  const host = await world.hostInProcess();
  const node = await world.nodeInProcess('n1', host.url);
  const { page } = await openBrowser();
  await page.goto(node.apiUrl);
  await page.getByRole('button', { name: 'Stage org/one' }).click();
  await page.getByRole('button', { name: /^Stage on .* this machine/ }).click();
  await page.getByText(/org\/one is staged on /).waitFor();
  await host.stop();
  await page.getByText(/Store unreachable/).waitFor();
  // The list is that of before, and says so; what needs the store is locked.
  await page.getByText(/^As of \d\d:\d\d$/).waitFor();
  const stage = page.getByRole('button', { name: 'Stage org/one' });
  expect([await stage.getAttribute('aria-disabled'), await stage.getAttribute('title')]).toEqual([
    'true',
    'The store does not answer now.',
  ]);
  // Its own copies need no store.
  const own = page.getByRole('region', { name: 'On this machine' });
  await own.getByText('1 copy, ').waitFor();
  await own.getByText(join(world.home, 'n1/staging/org--one'), { exact: true }).waitFor();
  await page.reload();
  await own.getByRole('row', { name: /org\/one.*idle$/ }).waitFor();
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('textbox', { name: 'Directory of the copies' }).waitFor();
  const again = await world.hostInProcess({ port: Number(new URL(host.url).port) });
  onTestFinished(() => again[Symbol.asyncDispose]());
  await page.getByText('live', { exact: true }).waitFor();
});

test('a node asks for the token that its store requires, and forwards it', wants('chromium'), async () => {
  const home = await temporaryDirectory();
  const host = await serveInProcess({ home: join(home, 'host'), env: { SKULK_TOKEN: token } });
  onTestFinished(() => host[Symbol.asyncDispose]());
  const node = await serveInProcess({ home: join(home, 'n1'), args: ['--role', 'node'], env: { SKULK_STORE: host.url } });
  onTestFinished(() => node[Symbol.asyncDispose]());
  const alone = await serveInProcess({ home: join(home, 'n2'), args: ['--role', 'node'] });
  onTestFinished(() => alone[Symbol.asyncDispose]());
  const { page, newTab } = await openBrowser();
  // The key of the node gives access to its settings; the store is another machine.
  await page.goto(await pageLink(node));
  await page.getByText('This server requires a token. Trying again…').waitFor();
  expect(await page.getByLabel('Token').count()).toBe(0);
  const other = await newTab();
  await other.goto(node.apiUrl);
  await other.getByLabel('Token').fill('not-the-token');
  await other.keyboard.press('Enter');
  await other.getByText('This token is invalid or was revoked.').waitFor();
  await other.getByLabel('Token').fill(token);
  await other.keyboard.press('Enter');
  await other.getByText('The store is empty').waitFor();
  await page.goto(alone.apiUrl);
  await page.getByText('Store not configured. Trying again…').waitFor();
  await page.getByRole('status').getByRole('link', { name: 'Settings' }).click();
  await page.getByLabel('Store host', { exact: true }).waitFor();
});
