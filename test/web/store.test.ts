import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { forWholeFile } from '../helpers/at-end.ts';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, writeFiles } from '../helpers/model-files.ts';
import { ask } from '../helpers/raw-http.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';

/** A store host for tests that add what they need. */
const shared = forWholeFile(async () => {
  const world = await fleetWorld();
  return { world, host: await world.hostInProcess() };
});

/** The models in the list, from top to bottom. */
const listed = (page: Page): Promise<readonly string[]> => page.locator('table.models .row-link').allTextContents();

test(
  'a download is shown from its start to its badge, also in another tab, and can be stopped and started again',
  wants('chromium'),
  async () => {
    const world = await hubWorld();
    world.hub.push('org/seer-GGUF', { files: { 'a-Q4_K_M.gguf': noise(6_000_000), 'mmproj.gguf': noise(200_000) } });
    world.hub.rate = 200_000;
    world.hub.holdsEnds = true;
    const host = await world.serveInProcess();
    const { page, newTab } = await openBrowser();
    await page.goto(host.apiUrl);
    await page.getByRole('button', { name: 'Skip the introduction' }).click();
    await page.getByText('The store is empty').waitFor();
    const other = await newTab();
    await other.goto(host.apiUrl);
    await other.getByText('The store is empty').waitFor();
    // A tab in the background is not painted, so its elements cannot be clicked.
    await page.bringToFront();
    await page.getByRole('button', { name: 'Add a model' }).first().click();
    await page.getByLabel('Model on Hugging Face').fill('org/seer-GGUF');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Download 5.91 MiB' }).click();
    for (const tab of [page, other]) {
      const bar = tab.getByRole('progressbar', { name: 'Download of org/seer-GGUF' });
      await bar.waitFor();
      await tab.getByText(/^\d+% · \S+ [KM]iB of 5\.91 MiB, \S+ [KM]iB\/s, \d+ s left$/).waitFor();
    }
    await page.getByRole('button', { name: 'Cancel the download of org/seer-GGUF' }).click();
    await page.getByRole('progressbar').waitFor({ state: 'detached' });
    world.hub.rate = 0;
    world.hub.holdsEnds = false;
    await ask(host.apiUrl, '/store/models/org/seer-GGUF/download', { method: 'POST' });
    for (const tab of [page, other]) {
      await tab
        .getByRole('row', { name: /org\/seer-GGUF/ })
        .getByText('vision')
        .waitFor();
      await tab.getByRole('status').getByText('org/seer-GGUF is in the store.').waitFor();
    }
  },
);

test('a failed or unloadable download is reported on the page, and an invalid request is answered at once', wants('chromium'), async () => {
  const world = await hubWorld();
  world.hub.push('org/locked', { files: { 'w.safetensors': noise(1000) }, gated: true });
  const host = await world.serveInProcess();
  const { page } = await openBrowser();
  await page.goto(host.apiUrl);
  // An empty store shows it twice.
  await page.getByRole('button', { name: 'Add a model' }).first().click();
  const dialog = page.getByRole('dialog');
  for (const [typed, says] of [
    ['org/nobody', /not on Hugging Face|org\/nobody/],
    ['../etc', /is not a model id/],
    ['org/locked', /gated/],
  ] as const) {
    await dialog.getByLabel('Model on Hugging Face').fill(typed);
    await dialog.getByRole('button', { name: 'Look it up' }).click();
    await dialog.getByRole('alert').getByText(says).first().waitFor();
  }
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Add a model');
  await ask(host.apiUrl, '/store/models/org/locked/download', { method: 'POST' });
  await page
    .getByRole('row', { name: /org\/locked/ })
    .getByText(/gated/)
    .first()
    .waitFor();
  await page.getByRole('button', { name: 'Dismiss the download of org/locked' }).click();
  await page.getByRole('row', { name: /org\/locked/ }).waitFor({ state: 'detached' });
  // A download that cannot be loaded is reported until the user closes the message.
  world.hub.push('org/page-GGUF', { files: { 'm-Q4_K_M.gguf': '<!doctype html><title>Sign in</title>' } });
  await ask(host.apiUrl, '/store/models/org/page-GGUF/download', { method: 'POST' });
  await page.getByText(/m-Q4_K_M\.gguf" cannot be used: it is a web page/).waitFor();
  await page.getByRole('button', { name: 'Dismiss the warnings about org/page-GGUF' }).click();
  await page.getByText(/cannot be used/).waitFor({ state: 'detached' });
  await page.getByRole('row', { name: /org\/page-GGUF/ }).waitFor();
});

test('the page shows additions and deletes of another client at once', wants('chromium'), async () => {
  const { world, host } = shared();
  await world.add('org/one');
  const { page } = await openBrowser();
  await page.goto(host.apiUrl);
  await expect.poll(() => listed(page)).toEqual(['org/one']);
  await world.add('org/two');
  await expect.poll(() => listed(page)).toEqual(['org/one', 'org/two']);
  for (const [deleted, left] of [
    ['org/one', ['org/two']],
    ['org/two', []],
  ] as const) {
    await ask(host.apiUrl, `/store/models/${deleted}?wait_ms=0`, { method: 'DELETE' });
    await expect.poll(() => listed(page)).toEqual(left);
  }
});

test('models on the page are found by words and tags, and sorted by name, size and age', wants('chromium'), async () => {
  const { world, host } = shared();
  await world.add('org/b-small', 'x');
  await world.add('org/a-large', noise(5000));
  await writeFiles(join(world.home, 'seer'), { 'a.gguf': noise(900), 'mmproj-x.gguf': 'x' });
  expect(await world.host('add', join(world.home, 'seer'), '--as', 'other/seer')).toMatchObject({ status: 0 });
  const { page } = await openBrowser();
  await page.goto(host.apiUrl);
  await expect.poll(() => listed(page)).toEqual(['org/a-large', 'org/b-small', 'other/seer']);
  await page.getByRole('button', { name: 'Size' }).click();
  expect(await listed(page)).toEqual(['org/a-large', 'other/seer', 'org/b-small']);
  expect(await page.getByRole('columnheader', { name: 'Size' }).getAttribute('aria-sort')).toBe('descending');
  await page.getByRole('button', { name: 'Size' }).press('Enter');
  expect(await listed(page)).toEqual(['org/b-small', 'other/seer', 'org/a-large']);
  await page.getByRole('button', { name: 'Added' }).click();
  expect(await listed(page)).toEqual(['other/seer', 'org/a-large', 'org/b-small']);
  await page.getByLabel('Find models').fill('ORG large');
  expect(await listed(page)).toEqual(['org/a-large']);
  await page.getByText('1 of 3').waitFor();
  await page.getByLabel('Find models').fill('');
  await page.getByRole('button', { name: 'vision' }).click();
  expect(await listed(page)).toEqual(['other/seer']);
  await page.getByLabel('Find models').fill('nothing like it');
  await page.getByRole('button', { name: 'Show all' }).click();
  expect(await listed(page)).toHaveLength(3);
});

test(
  'the details of a model show files, its digest once it is hashed, companions and nodes, and verify reports damage',
  wants('chromium'),
  async () => {
    const world = await fleetWorld();
    await world.add('org/one', noise(3000));
    const host = await world.hostInProcess();
    const { page } = await openBrowser({ isOwn: true });
    // At first it is in the order of the server while the model is being hashed.
    let asked = 0;
    await page.route('**/store/models/org%2Fone', async (route) => {
      const response = await route.fetch();
      asked += 1;
      await route.fulfill({ response, ...(asked === 1 && { json: { ...(await response.json()), hashed: false, digest: null } }) });
    });
    await page.clock.install();
    await page.goto(`${host.apiUrl}/?model=org%2Fone`);
    const dialog = page.getByRole('dialog', { name: 'org/one' });
    await dialog.getByText('being computed; nodes can stage the model afterwards').waitFor();
    expect(asked).toBe(1);
    await page.clock.fastForward(2_000);
    await dialog
      .getByRole('region', { name: 'Files' })
      .getByRole('row', { name: /a\.gguf/ })
      .getByText('2.93 KiB')
      .waitFor();
    await dialog.getByText('with skulk add').waitFor();
    await dialog.getByText(/^sha256:[0-9a-f]{16}…$/).waitFor();
    // A running request when the page is closed would fail the test.
    await page.unrouteAll({ behavior: 'wait' });
    await dialog.getByText('No machine has reported a copy.').waitFor();
    await dialog.getByRole('button', { name: 'Verify' }).click();
    await dialog.getByText('Every byte is correct.').waitFor();
    // Staged on this machine, from this page, and visible here.
    await dialog.getByRole('button', { name: `Stage on ${hostname()}` }).click();
    await dialog.getByText(join(world.home, 'host/staging/org--one'), { exact: true }).waitFor();
    await dialog.getByText('this machine').waitFor();
    await writeFile(join(world.home, 'host/store/org--one/a.gguf'), noise(3000, 2));
    await dialog.getByRole('button', { name: 'Verify' }).click();
    await dialog.getByText('its content is wrong').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(new URL(page.url()).search).toBe('');
    await page.goBack();
    await dialog.waitFor();
  },
);

test('the page has the colours of the system until the user chooses others, which are kept', wants('chromium'), async () => {
  const { host } = shared();
  const { page } = await openBrowser({ colorScheme: 'dark' });
  const isDark = async (): Promise<boolean> =>
    Number(/\d+/.exec(String(await page.evaluate('getComputedStyle(document.documentElement).backgroundColor')))?.[0]) < 128;
  await page.goto(host.apiUrl);
  const choice = page.getByRole('button', { name: /^Colours: / });
  await choice.waitFor();
  expect(await isDark()).toBe(true);
  await choice.click();
  expect(await isDark()).toBe(false);
  await page.reload();
  await choice.waitFor();
  expect(await isDark()).toBe(false);
  await choice.click();
  await choice.click();
  expect([await choice.getAttribute('aria-label'), await isDark()]).toEqual(['Colours: as the system. Change to light', true]);
});

test('a delete on the page shows beforehand what it frees on each machine, and then the result', wants('chromium'), async () => {
  const world = await fleetWorld();
  await world.add('org/one', noise(4096));
  await world.add('org/two', noise(4096));
  const host = await world.hostInProcess();
  await world.nodeInProcess('n1', host.url);
  for (const name of ['n1', 'laptop']) expect(await world.node(name, host.url, 'stage', 'org/one')).toMatchObject({ status: 0 });
  expect(await world.node('n1', host.url, 'activate', 'org/one', '--pid', String(process.pid))).toMatchObject({ status: 0 });
  // The use is reported within seconds. The dialog shows the state at its opening, so the page is loaded after the report.
  const reported = async (): Promise<string> => (await ask(host.url, '/nodes')).body.toString();
  await expect.poll(reported).toContain('"in_use":true');
  const { page } = await openBrowser();
  await page.goto(host.apiUrl);
  await page.getByRole('cell', { name: '2 nodes' }).waitFor();
  await page.getByRole('button', { name: 'Delete org/one' }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete org/one?' });
  await dialog.getByText('Freed in total').waitFor();
  const freed = await dialog.locator('.freed').innerText();
  for (const says of [
    /^The store\s+4\.00 KiB/,
    /in use\s+4\.00 KiB/,
    /away, last seen just now\s+4\.00 KiB/,
    /Freed in total\s+12\.0 KiB$/,
  ])
    expect(freed).toMatch(says);
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  expect(await world.canonical()).toEqual(['org--one', 'org--two']);
  await page.getByRole('button', { name: 'Delete org/one' }).click();
  await dialog.getByLabel(/Also copies in use/).check();
  await dialog.getByRole('button', { name: 'Delete everywhere' }).click();
  const done = page.getByRole('dialog', { name: 'org/one was deleted' });
  await done.getByText('8.00 KiB freed.').waitFor();
  await done.getByText('freed 4.00 KiB').waitFor();
  await done.getByText('not answered yet').waitFor();
  await done.getByRole('button', { name: 'Close' }).last().click();
  await expect.poll(() => listed(page)).toEqual(['org/two']);
  expect([await world.canonical(), await world.copies('n1'), await world.copies('laptop')]).toEqual([['org--two'], [], ['org--one']]);
});
