import type { Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { pageLink } from '../helpers/page-link.ts';
import { ask } from '../helpers/raw-http.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';
import { holdAnswer } from './hold-answer.ts';

const chip = (page: Page, text: string) => page.getByRole('button', { name: `Access: ${text}`, exact: true });

/** Ignores answers of the page that were refused because of a missing role. */
function watchRefusals(page: Page): string[] {
  const refused: string[] = [];
  page.on('response', (response) => {
    if (response.status() === 403) refused.push(`${response.request().method()} ${new URL(response.url()).pathname}`);
  });
  return refused;
}

longTest(
  'a client without write access finds every change locked with one explanation, and a token unlocks them',
  wants('chromium'),
  async () => {
    const world = await fleetWorld();
    await world.add('org/one');
    const host = await world.hostInProcess();
    expect(await world.node('laptop', host.url, 'stage', 'org/one')).toMatchObject({ status: 0 });
    const { stdout } = await world.host('token', 'create', 'laptop', '--role', 'node');
    const { page } = await openBrowser({ isOwn: true });
    await page.clock.install();
    const refused = watchRefusals(page);
    await page.goto(host.apiUrl);
    await chip(page, 'LAN: may change models').waitFor();
    const add = page.getByRole('button', { name: 'Add a model' }).first();
    await expect.poll(() => add.isEnabled()).toBe(true);

    // The role changes while the page is open; a refused request of the visible page reveals it, and the page shows it from then on.
    expect(await world.host('policy', 'set', 'lan', 'read')).toMatchObject({ status: 0 });
    await expect.poll(async () => (await ask(host.apiUrl, '/store/models/org/nobody', { method: 'DELETE' })).status).toBe(403);
    const actions = page.getByRole('button', { name: 'Actions for org/one' });
    await actions.click();
    await page.getByRole('button', { name: 'Delete the model…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete org/one?' });
    const confirm = dialog.getByRole('button', { name: 'Delete everywhere' });
    if ((await confirm.getAttribute('aria-disabled')) === null) {
      await confirm.click();
      await dialog.getByRole('alert').waitFor();
    }
    await expect.poll(() => confirm.getAttribute('aria-disabled')).toBe('true');
    await dialog.getByRole('button', { name: 'Keep it' }).click();
    expect(await world.canonical()).toEqual(['org--one']);
    await chip(page, 'Read only').waitFor();
    const says = 'Read-only: this needs a token with the role node.';
    const note = page.getByRole('region', { name: 'View only' });
    await note.getByText(says).waitFor();

    // No button for a change is active any more, and no change is refused by the server.
    refused.length = 0;
    const locked = ['Add a model', 'Stage org/one'];
    for (const name of locked) {
      const button = page.getByRole('button', { name, exact: true }).first();
      expect([name, await button.getAttribute('aria-disabled'), await button.getAttribute('title')]).toEqual([name, 'true', says]);
      await button.dispatchEvent('click');
    }
    expect(await page.getByRole('dialog').count()).toBe(0);
    await actions.click();
    const remove = page.getByRole('button', { name: `Delete the model… ${says}` });
    expect(await remove.getAttribute('aria-disabled')).toBe('true');
    await remove.dispatchEvent('click');
    expect(await page.getByRole('dialog', { name: 'Delete org/one?' }).count()).toBe(0);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'org/one' }).click();
    await page.getByRole('heading', { level: 1, name: 'org/one' }).waitFor();
    for (const name of ['Stage org/one', 'Verify', 'Delete…'])
      expect([name, await page.getByRole('button', { name, exact: true }).getAttribute('aria-disabled')]).toEqual([name, 'true']);
    await page.getByText(says).waitFor();
    await page.getByRole('link', { name: 'Nodes' }).click();
    await note.getByText(says).waitFor();
    for (const name of ['Purge everywhere…', /^Purge all on/])
      expect([name, await page.getByRole('button', { name }).first().getAttribute('aria-disabled')]).toEqual([name, 'true']);
    await page.getByRole('row').filter({ hasText: '1 model' }).getByRole('link').click();
    expect(await page.getByRole('button', { name: /^Purge org\/one on/ }).getAttribute('aria-disabled')).toBe('true');
    await page.getByRole('link', { name: 'Nodes' }).first().click();
    expect(refused).toEqual([]);

    // A wrong token is reported; the right one unlocks its actions, and can be removed again.
    await note.getByRole('button', { name: 'Enter a token' }).click();
    const access = page.getByRole('dialog', { name: 'Access' });
    await access.getByLabel('Token').fill('skulk_wrong');
    await access.getByRole('button', { name: 'Use this token' }).click();
    await access.getByText('This token is invalid or was revoked.').waitFor();
    await access.getByLabel('Token').fill(stdout.trim());
    await access.getByRole('button', { name: 'Use this token' }).click();
    await chip(page, 'Token laptop: may change models').waitFor();
    await expect.poll(() => page.getByRole('button', { name: 'Purge everywhere…' }).getAttribute('aria-disabled')).toBeNull();
    expect(await note.count()).toBe(0);
    await page.reload();
    await chip(page, 'Token laptop: may change models').click();
    await access.getByRole('button', { name: 'Forget the token' }).click();
    await chip(page, 'Read only').waitFor();
    await note.waitFor();

    // A LAN that may not read any more leads to the gate, and one that may again leads back.
    expect(await world.host('policy', 'set', 'lan', 'none')).toMatchObject({ status: 0 });
    await page.getByRole('heading', { name: 'This server requires a token' }).waitFor();
    expect(await world.host('policy', 'set', 'lan', 'node')).toMatchObject({ status: 0 });
    await until('the page to ask again, which it does every 15 s', async () => {
      await page.clock.fastForward(15_000);
      return chip(page, 'LAN: may change models').isVisible();
    });
  },
);

longTest('an admin changes the policy of the store and its tokens on the page, and gives up the key', wants('chromium'), async () => {
  const world = await fleetWorld();
  const host = await world.hostInProcess();
  const { page, newTab } = await openBrowser();
  const refused = watchRefusals(page);
  await page.goto(`${host.apiUrl}/settings`);
  const section = page.getByRole('region', { name: 'Access control' });
  const choice = (name: RegExp) => section.getByRole('radio', { name });
  await expect.poll(() => choice(/^Stage and change models/).isChecked()).toBe(true);
  await section.getByText('Anyone who can open the page can make these changes.').waitFor();
  expect(await choice(/^List and fetch/).isDisabled()).toBe(true);
  expect(await section.getByRole('button').count()).toBe(0);
  expect(await section.getByRole('heading', { name: 'Tokens' }).count()).toBe(0);
  const link = await pageLink(host, '/settings');
  await page.evaluate(`location.assign(${JSON.stringify(link)})`);
  await chip(page, 'Admin').waitFor();

  // The policy.
  const update = section.getByRole('button', { name: 'Update access' });
  expect(await update.isDisabled()).toBe(true);
  await choice(/^List and fetch/).check();
  await section.getByLabel('Additional names of this store').fill('models.example.com, not a name!');
  await update.click();
  await section.getByRole('alert').waitFor();
  await section.getByLabel('Additional names of this store').fill('models.example.com, nas');
  await update.click();
  await page.getByText(/^Access control saved to .*policy\.yaml\.$/).waitFor();
  expect((await ask(host.apiUrl, '/policy')).json()).toMatchObject({
    policy: { lan: 'read', server_names: ['models.example.com', 'nas'] },
  });
  expect(await update.isDisabled()).toBe(true);
  await section.getByLabel('Keep an idle upload or download for (days)').fill('3');
  await update.click();
  const days = async (): Promise<unknown> => ((await ask(host.apiUrl, '/policy')).json() as { policy: { limits: object } }).policy.limits;
  await expect.poll(days).toMatchObject({ upload_idle_days: 3 });

  // The settings for Hub clients. The server reports a wrong value, and only changes are sent.
  const hub = section.getByRole('group', { name: 'Programs that use the store as a Hub' });
  expect(await hub.getByRole('radio', { name: /^Fetch each file/ }).isChecked()).toBe(true);
  const most = hub.getByLabel('Fetch at most this much of one model (GiB)');
  expect(await most.inputValue()).toBe('100');
  const origins = hub.getByLabel('Web pages that may use the store as a Hub');
  await origins.fill('chat.example.com');
  await update.click();
  await section.getByRole('alert').getByText('cors_origins').waitFor();
  await origins.fill('https://chat.example.com, http://nas:3000');
  await hub.getByRole('radio', { name: /^Fetch nothing/ }).check();
  await hub.getByLabel('Show them models that are gated on Hugging Face').uncheck();
  await most.fill('0.5');
  await update.click();
  const ofHub = async (): Promise<unknown> => ((await ask(host.apiUrl, '/policy')).json() as { policy: { hub: object } }).policy.hub;
  await expect.poll(ofHub).toEqual({
    upstream: 'off',
    max_fetch_bytes: 2 ** 29,
    share_gated: false,
    cors_origins: ['https://chat.example.com', 'http://nas:3000'],
  });
  expect(await most.inputValue()).toBe('0.5');
  await most.fill('');
  await update.click();
  await expect.poll(ofHub).toMatchObject({ upstream: 'off', max_fetch_bytes: 100 * 2 ** 30 });

  // A token is shown once, works, and is revoked.
  await section.getByText('There are no tokens.').waitFor();
  const create = section.getByRole('button', { name: 'Create a token' });
  await section.getByLabel('Name of a new token').fill('laptop');
  await section.getByLabel('Role', { exact: true }).selectOption('read');
  await create.click();
  await section.getByText('it is not shown again').waitFor();
  const token = (await section.locator('.callout code').textContent()) ?? '';
  expect(token).toMatch(/^skulk_/);
  await section.getByRole('button', { name: 'Copy the token' }).waitFor();
  const session = async (): Promise<unknown> =>
    (await ask(host.apiUrl, '/session', { headers: { Authorization: `Bearer ${token}` } })).json();
  expect(await session()).toMatchObject({ role: 'read', credential: 'named', name: 'laptop' });
  const row = section.getByRole('row', { name: /laptop/ });
  await row.getByText('read', { exact: true }).waitFor();
  await section.getByLabel('Name of a new token').fill('laptop');
  await create.click();
  await section
    .getByRole('alert')
    .getByText(/a token called laptop already/i)
    .waitFor();
  await page.reload();
  await row.waitFor();
  expect(await page.content()).not.toContain(token);
  await row.getByRole('button', { name: 'Revoke the token laptop' }).click();
  const dialog = page.getByRole('dialog', { name: 'Revoke the token laptop?' });
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  expect(await session()).toMatchObject({ name: 'laptop' });
  await row.getByRole('button', { name: 'Revoke the token laptop' }).click();
  await dialog.getByRole('button', { name: 'Revoke it' }).click();
  await section.getByText('There are no tokens.').waitFor();
  expect((await ask(host.apiUrl, '/session', { headers: { Authorization: `Bearer ${token}` } })).status).toBe(401);

  // The key ends at the server, not only in this tab.
  const key = String(await page.evaluate("sessionStorage.getItem('skulk-page-key')"));
  await chip(page, 'Admin').click();
  await page.getByRole('dialog', { name: 'Access' }).getByRole('button', { name: 'Give back the key' }).click();
  await chip(page, 'Read only').waitFor();
  await page.getByRole('region', { name: 'Read-only' }).waitFor();
  expect(await page.evaluate('JSON.stringify(sessionStorage)')).not.toContain(key);
  expect((await ask(host.apiUrl, '/session', { headers: { Authorization: `Bearer ${key}` } })).status).toBe(401);
  expect(refused).toEqual([]);
  const other = await newTab();
  await other.goto(`${host.apiUrl}/settings`);
  await expect.poll(() => other.getByRole('radio', { name: /^List and fetch/ }).isChecked()).toBe(true);
});

longTest('what a person types while the policy is saved stays, and is saved next', wants('chromium'), async () => {
  const world = await fleetWorld();
  const host = await world.hostInProcess();
  const { page } = await openBrowser();
  await page.goto(await pageLink(host, '/settings'));
  const section = page.getByRole('region', { name: 'Access control' });
  const update = section.getByRole('button', { name: 'Update access' });
  const names = section.getByLabel('Additional names of this store');
  const days = section.getByLabel('Keep an idle upload or download for (days)');
  const origins = section.getByLabel('Web pages that may use the store as a Hub');
  const policy = async (): Promise<unknown> => ((await ask(host.apiUrl, '/policy')).json() as { policy: unknown }).policy;
  await names.fill('nas');
  await days.fill('3');
  await origins.fill('https://chat.example.com');
  const held = await holdAnswer(page, 'PUT', '/policy');
  await update.click();
  await held.answered;
  expect(await policy()).toMatchObject({ server_names: ['nas'], limits: { upload_idle_days: 3 } });
  await days.fill('4');
  await origins.fill('');
  held.release();
  await page.getByText(/^Access control saved to .*policy\.yaml\.$/).waitFor();
  expect([await names.inputValue(), await days.inputValue(), await origins.inputValue()]).toEqual(['nas', '4', '']);
  await update.click();
  await expect.poll(policy).toMatchObject({ server_names: ['nas'], limits: { upload_idle_days: 4 }, hub: { cors_origins: [] } });
});

usualTest('a page that was opened with a token shows its role', wants('chromium'), async () => {
  const host = await serveInProcess({ home: await temporaryDirectory(), env: { SKULK_TOKEN: 'only-for-this-lan' } });
  onTestFinished(() => host[Symbol.asyncDispose]());
  const { page } = await openBrowser();
  await page.goto(`${host.apiUrl}/settings`);
  await page.getByLabel('Token').fill('only-for-this-lan');
  await page.getByRole('button', { name: 'Open' }).click();
  await chip(page, 'Admin').waitFor();
  await page
    .getByRole('region', { name: 'Access control' })
    .getByText(/The LAN has no access without a token while SKULK_TOKEN/)
    .waitFor();
});
