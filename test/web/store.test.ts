import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { forWholeFile } from '../helpers/at-end.ts';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, writeFiles } from '../helpers/model-files.ts';
import { ask } from '../helpers/raw-http.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';
import { stageHere } from './stage-here.ts';

/** A store host for tests that add what they need. */
const shared = forWholeFile(async () => {
  const world = await fleetWorld();
  return { world, host: await world.hostInProcess() };
});

/** The models in the list, from top to bottom. */
const listed = (page: Page): Promise<readonly string[]> => page.locator('table.models .row-link').allTextContents();

usualTest(
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
    await page.getByRole('button', { name: 'Add Q4_K_M (5.91 MiB)' }).click();
    for (const tab of [page, other]) {
      const bar = tab.getByRole('progressbar', { name: 'Download of org/seer-GGUF' });
      await bar.waitFor();
      await tab.getByText(/^[1-9]\d* % of 5\.91 MiB$/).waitFor();
    }
    await page.getByRole('button', { name: 'Cancel the download of org/seer-GGUF' }).click();
    await page.getByRole('progressbar').waitFor({ state: 'detached' });
    world.hub.rate = 0;
    // What it fetched takes space, and the next download uses it.
    await page.getByRole('link', { name: 'Store' }).first().click();
    await page.getByRole('link', { name: /^unfinished \d/ }).click();
    const unfinished = page.getByRole('region', { name: 'Unfinished', exact: true });
    await unfinished.getByText(/^\d.* in the store$/).waitFor();
    await unfinished.getByText(/^\d+ % of 5\.91 MiB$/).waitFor();
    await unfinished.getByText(/^Stopped just now, holds \d/).waitFor();
    await unfinished.getByRole('button', { name: 'Clear the download of org/seer-GGUF' }).click();
    await unfinished.waitFor({ state: 'detached' });
    await page.getByText(/^Cleared the download of org.seer-GGUF\S* from the list. Downloaded data is kept.$/).waitFor();
    // A message is above a dialog, and can be used there.
    await page.getByRole('link', { name: 'Store' }).first().click();
    await page.keyboard.press('?');
    await ask(host.apiUrl, '/store/models/org/seer-GGUF/download', { method: 'POST' });
    const dialog = page.getByRole('dialog', { name: 'Keyboard' });
    await other.getByRole('progressbar', { name: 'Download of org/seer-GGUF' }).waitFor();
    // While a dialog is open, the row of a download that ended stays, however slow this machine is.
    await other.keyboard.press('?');
    await other.getByRole('dialog', { name: 'Keyboard' }).waitFor();
    world.hub.holdsEnds = false;
    const message = dialog.locator('.notice').filter({ hasText: 'org/seer-GGUF is in the store.' });
    await message.getByRole('button', { name: 'Dismiss' }).click();
    await message.waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    await other.getByRole('status').getByText('org/seer-GGUF is in the store.').waitFor();
    await other.locator('.moves > li').filter({ hasText: 'org/seer-GGUF' }).getByText('In the store, verified').waitFor();
    expect(await listed(other)).toEqual([]);
    for (const tab of [page, other]) {
      await tab.reload();
      await tab
        .getByRole('row', { name: /org\/seer-GGUF/ })
        .getByText('vision')
        .waitFor();
    }
  },
);

longTest(
  'a download that fails, or brings what cannot be loaded, says so on the page, and a wrong question is answered at once',
  wants('chromium'),
  async () => {
    const world = await hubWorld();
    world.hub.push('org/locked', { files: { 'w.safetensors': noise(1000) }, gated: true });
    const host = await world.serveInProcess();
    const { page, newTab } = await openBrowser();
    await page.goto(host.apiUrl);
    // An empty store offers it twice.
    await page.getByRole('button', { name: 'Add a model' }).first().click();
    const field = page.getByLabel('Model on Hugging Face');
    for (const [typed, says] of [
      ['org/nobody', /not on Hugging Face|org\/nobody/],
      ['../etc', /is not a model id/],
      ['org/locked', /gated/],
    ] as const) {
      await field.fill(typed);
      await page.getByRole('button', { name: 'Open', exact: true }).click();
      await page.getByRole('alert').getByText(says).first().waitFor();
    }
    // A request that fetched nothing is seen only where it was made.
    world.hub.push('org/closes', { files: { 'w.safetensors': noise(1000) } });
    const other = await newTab();
    await other.goto(host.apiUrl);
    await other.getByRole('heading', { name: 'Store' }).waitFor();
    await page.bringToFront();
    await field.fill('org/closes');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Add the model (1000 B)' }).waitFor();
    world.hub.push('org/closes', { files: { 'w.safetensors': noise(1000) }, gated: true });
    await page.getByRole('button', { name: 'Add the model (1000 B)' }).click();
    // It stands where the download was asked for, and on the page of the store.
    await page.getByRole('region', { name: 'Needs attention' }).getByText(/gated/).first().waitFor();
    await page.getByRole('link', { name: 'Store' }).first().click();
    const attention = page.getByRole('region', { name: 'Needs attention' });
    await attention.getByText(/gated/).first().waitFor();
    // A warning about files that cannot be loaded stays until somebody has seen it.
    world.hub.push('org/page-GGUF', { files: { 'm-Q4_K_M.gguf': '<!doctype html><title>Sign in</title>' } });
    await ask(host.apiUrl, '/store/models/org/page-GGUF/download', { method: 'POST' });
    await attention.getByText('1 download failed, 1 download has warnings.').waitFor();
    await attention.getByRole('button', { name: 'Show' }).click();
    await attention.getByText(/m-Q4_K_M\.gguf" cannot be used: it is a web page/).waitFor();
    await other.getByText(/^"m-Q4_K_M\.gguf" cannot be used: it is a web page/).waitFor();
    expect(await other.getByText('org/closes').count()).toBe(0);
    // Only a failure is red: what was fetched and cannot be used waits for somebody.
    const edge = (tab: Page): Promise<unknown> => tab.evaluate("getComputedStyle(document.querySelector('.attention')).borderLeftColor");
    expect([await edge(page), await edge(other)]).toEqual(['rgb(176, 36, 27)', 'rgb(122, 79, 0)']);
    await attention.getByRole('button', { name: 'Dismiss the download of org/closes' }).click();
    await attention.getByText('org/closes').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Dismiss the warnings about org/page-GGUF' }).click();
    await attention.waitFor({ state: 'detached' });
    await page.reload();
    const row = page.getByRole('row', { name: /org\/page-GGUF/ });
    await row.getByText('cannot be loaded').waitFor();
    await row.getByRole('link', { name: 'org/page-GGUF' }).click();
    await page.getByText('No program can load this model. Add or download intact and complete files.').waitFor();
    // What one browser dismissed is there in others, until somebody clears it from the store.
    await other.bringToFront();
    const clear = other.getByRole('button', { name: 'Clear the download of org/page-GGUF' });
    await clear.waitFor();
    await other.evaluate("localStorage.removeItem('skulk-dismissed')");
    for (const [lan, status, isLocked] of [
      ['read', 403, 'true'],
      ['node', 200, null],
    ] as const) {
      expect(await world.host('policy', 'set', 'lan', lan)).toMatchObject({ status: 0 });
      const clearNobody = async () => (await ask(host.apiUrl, '/store/downloads?model_id=org%2Fnobody', { method: 'DELETE' })).status;
      await expect.poll(clearNobody).toBe(status);
      await other.reload();
      await expect.poll(() => clear.getAttribute('aria-disabled')).toBe(isLocked);
    }
    await clear.click();
    await other.getByRole('region', { name: 'Needs attention' }).waitFor({ state: 'detached' });
    const { downloads } = (await ask(host.apiUrl, '/store/downloads?recent=true')).json() as { downloads: { modelId: string }[] };
    expect(downloads.map(({ modelId }) => modelId)).toEqual(['org/closes']);
  },
);

longTest('the page shows additions and deletes of another client at once', wants('chromium'), async () => {
  const { world, host } = shared();
  await world.add('org/one');
  const { page } = await openBrowser();
  await page.goto(host.apiUrl);
  await expect.poll(() => listed(page)).toEqual(['org/one']);
  await world.add('org/two');
  await expect.poll(() => listed(page)).toEqual(['org/one', 'org/two']);
  // While the pointer is in the list, a new model waits.
  await page.getByRole('row', { name: /org\/one/ }).hover();
  await world.add('org/new');
  const show = page.getByRole('button', { name: '1 new model, show' });
  await show.waitFor();
  expect(await listed(page)).toEqual(['org/one', 'org/two']);
  await show.click();
  await expect.poll(() => listed(page)).toEqual(['org/new', 'org/one', 'org/two']);
  // The focus of a row that goes is on the next one.
  await page.getByRole('link', { name: 'org/new' }).focus();
  for (const left of [['org/one', 'org/two'], ['org/two'], []]) {
    const deleted = await page.evaluate("document.activeElement.closest('tr').dataset.reference");
    await ask(host.apiUrl, `/store/models/${String(deleted)}?wait_ms=0`, { method: 'DELETE' });
    await expect.poll(() => listed(page)).toEqual(left);
  }
});

longTest('models on the page are found by words and tags, and sorted by name, size and age', wants('chromium'), async () => {
  const { world, host } = shared();
  await world.add('org/b-small', 'x');
  await world.add('org/a-large', noise(5000));
  await writeFiles(join(world.home, 'seer'), { 'a.gguf': noise(900), 'mmproj-x.gguf': 'x' });
  expect(await world.host('add', join(world.home, 'seer'), '--as', 'other/seer')).toMatchObject({ status: 0 });
  const { page } = await openBrowser();
  await page.goto(host.apiUrl);
  await expect.poll(() => listed(page)).toEqual(['org/a-large', 'other/seer', 'org/b-small']);
  expect(await page.getByRole('columnheader', { name: 'Size' }).getAttribute('aria-sort')).toBe('descending');
  await page.getByRole('button', { name: 'Size' }).press('Enter');
  await expect.poll(() => listed(page)).toEqual(['org/b-small', 'other/seer', 'org/a-large']);
  // A screen that is less wide has no room for this column.
  await page.setViewportSize({ width: 1600, height: 800 });
  await page.getByRole('button', { name: 'Added' }).click();
  await expect.poll(() => listed(page)).toEqual(['other/seer', 'org/a-large', 'org/b-small']);
  await page.getByRole('button', { name: 'Model', exact: true }).click();
  await expect.poll(() => listed(page)).toEqual(['org/a-large', 'org/b-small', 'other/seer']);
  await page.getByLabel('Filter models').fill('ORG large');
  await expect.poll(() => listed(page)).toEqual(['org/a-large']);
  await page.getByText('1 of 3 models').waitFor();
  await page.getByLabel('Filter models').fill('');
  await page.getByRole('button', { name: 'Tags' }).click();
  await page.getByRole('dialog', { name: 'Tags' }).getByRole('button', { name: 'vision 1' }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: '1 tag', exact: true }).waitFor();
  await expect.poll(() => listed(page)).toEqual(['other/seer']);
  await page.getByRole('button', { name: 'Staged here 0' }).click();
  await page.getByText('No model matches the filter').waitFor();
  await page.getByRole('button', { name: 'Clear the filter' }).click();
  await page.getByRole('button', { name: 'Not staged 3' }).click();
  await expect.poll(() => page.evaluate('location.search')).toBe('?staged=nowhere&sort=name');
  await page.getByLabel('Filter models').fill('nothing like it');
  await page.getByRole('button', { name: 'Clear the filter' }).click();
  await expect.poll(() => listed(page)).toHaveLength(3);

  // A reload and the back button keep filter and order; the link of the page clears them.
  await page.getByLabel('Filter models').fill('org/ ');
  await expect.poll(() => page.evaluate('location.search')).toBe('?q=org%2F+&sort=name');
  await page.reload();
  await expect.poll(() => listed(page)).toEqual(['org/a-large', 'org/b-small']);
  expect(await page.getByLabel('Filter models').inputValue()).toBe('org/ ');
  await page.getByRole('link', { name: 'org/b-small' }).click();
  await page.getByRole('heading', { level: 1, name: 'org/b-small' }).waitFor();
  await page.goBack();
  await expect.poll(() => listed(page)).toEqual(['org/a-large', 'org/b-small']);
  await page.getByRole('link', { name: 'Store', exact: true }).click();
  await expect.poll(() => listed(page)).toEqual(['org/a-large', 'other/seer', 'org/b-small']);
  expect(await page.getByLabel('Filter models').inputValue()).toBe('');
});

longTest(
  'the page of a model: files, its digest once it is hashed, companions, nodes; hashed again, with damage named',
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
    // The old address of a model leads to its page.
    await page.goto(`${host.apiUrl}/?model=org%2Fone`);
    await page.waitForURL(`${host.apiUrl}/org/one`);
    await page.getByText('being computed; nodes can stage the model afterwards').waitFor();
    expect(asked).toBe(1);
    await page.clock.fastForward(2_000);
    await page
      .getByRole('region', { name: 'Files' })
      .getByRole('row', { name: /a\.gguf/ })
      .getByText('2.93 KiB')
      .waitFor();
    await page.getByText('with skulk add').waitFor();
    await page.getByText(/^sha256:[0-9a-f]{12}…$/).waitFor();
    // A request that is under way when the page is closed would fail the test.
    await page.unrouteAll({ behavior: 'wait' });
    await page.getByText('No machine has reported a copy.').waitFor();
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.getByText('Verified: the file matches.').waitFor();
    // Staged here, from here, and seen here.
    await stageHere(page, 'org/one');
    await page.getByText(join(world.home, 'host/staging/org--one'), { exact: true }).waitFor();
    await page
      .getByRole('region', { name: 'On your machines' })
      .getByRole('listitem')
      .filter({ hasText: 'this machine' })
      .getByText('idle')
      .waitFor();
    await writeFile(join(world.home, 'host/store/org--one/a.gguf'), noise(3000, 2));
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.getByText('its content is wrong').waitFor();
    await page.getByRole('button', { name: 'Delete…' }).click();
    await page.getByRole('dialog', { name: 'Delete org/one?' }).getByRole('button', { name: 'Delete everywhere' }).click();
    await page.getByRole('dialog', { name: 'org/one was deleted' }).getByRole('button', { name: 'Close' }).last().click();
    await page.getByRole('heading', { level: 1, name: 'Store' }).waitFor();
    expect(await world.canonical()).toEqual([]);
  },
);

longTest('the page has the colours of the system until the user chooses others, which are kept', wants('chromium'), async () => {
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

longTest('a delete on the page shows beforehand what it frees on each machine, and then the result', wants('chromium'), async () => {
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
  await page.getByRole('cell', { name: /in use$/ }).waitFor();
  await page.getByRole('button', { name: 'Actions for org/one' }).click();
  await page.getByRole('button', { name: 'Delete the model…' }).click();
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
  await page.getByRole('button', { name: 'Actions for org/one' }).click();
  await page.getByRole('button', { name: 'Delete the model…' }).click();
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
