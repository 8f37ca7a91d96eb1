import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { forWholeFile } from '../helpers/at-end.ts';
import { pageLink } from '../helpers/page-link.ts';
import { ask } from '../helpers/raw-http.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { startServe } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';
import { holdAnswer } from './hold-answer.ts';

/** A store host with a configuration file that was written by hand. */
async function serveWith(content: (home: string) => string, { isService = false } = {}) {
  const home = await temporaryDirectory();
  const file = join(home, 'skulk.yaml');
  const env = { SKULK_CONFIG: file, ...(isService && { HOME: home, INVOCATION_ID: 'a'.repeat(32) }) };
  await mkdir(join(home, 'store'));
  await mkdir(join(home, 'disks/large/models'), { recursive: true });
  await writeFile(file, content(home));
  if (isService) await installUnit({ home, env });
  const host = await serveInProcess({ home, env });
  return { home, host, text: () => readFile(file, 'utf8'), write: (text: string) => writeFile(file, text) };
}

/** Writes the systemd unit that starts a server; the program in it does nothing. */
async function installUnit({ home, env }: { readonly home: string; readonly env: Readonly<Record<string, string>> }): Promise<void> {
  await mkdir(join(home, 'bin'));
  await writeFile(join(home, 'bin/systemctl'), '#!/bin/sh\n', { mode: 0o755 });
  const path = `${join(home, 'bin')}:${process.env['PATH']}`;
  const installed = await runInProcess(['service', 'install', '--for', 'systemd'], { env: { ...env, SKULK_HOME: home, PATH: path } });
  expect(installed).toMatchObject({ status: 0 });
}

const ours = (home: string): string => `# ours
model_store:
  store_host: ${hostname()}
  store_path: ${home}/store
  browse_roots: [${home}/disks]
hf_token: hf_secret1
`;

const once = forWholeFile(() => serveWith(ours));

/** A running host, with its initial file. */
async function shared(): Promise<ReturnType<typeof once>> {
  const served = once();
  await served.write(ours(served.home));
  return served;
}

usualTest('settings are validated while the user types, saved, and marked if they need a restart', wants('chromium'), async () => {
  const { host, home, text } = await shared();
  const { page } = await openBrowser();
  await page.goto(await pageLink(host, '/settings'));
  const save = page.getByRole('button', { name: 'Save' });
  const budget = page.getByLabel('Budget for idle copies');
  await expect.poll(() => budget.inputValue()).toBe('40');
  expect(await save.isDisabled()).toBe(true);

  // By the schema at once, by the server a moment later.
  await budget.fill('-1');
  await page.getByText('This must be 0 or more.').waitFor();
  await budget.fill('plenty');
  await page.getByText('This must be a number.').waitFor();
  expect(await budget.getAttribute('aria-invalid')).toBe('true');
  const path = page.getByRole('textbox', { name: 'Directory of the models' });
  await path.fill('/nowhere/at/all');
  await page.getByText(/store_path \/nowhere\/at\/all does not exist/).waitFor();
  expect(await save.isDisabled()).toBe(true);
  const port = page.getByLabel('Simultaneous downloads');
  await port.fill('99');
  await page.getByText('This must be from 1 to 16.').waitFor();
  await port.fill('3');
  await budget.fill('12.5');
  await page.getByText('This must be a number.').waitFor({ state: 'hidden' });

  // A directory is selected instead of typed.
  await page.getByRole('button', { name: 'Browse for: Directory of the models' }).click();
  const dialog = page.getByRole('dialog', { name: 'Directory of the models' });
  await dialog.getByRole('button', { name: `${home}/disks` }).click();
  await dialog.getByRole('button', { name: 'large' }).click();
  await dialog.getByRole('button', { name: 'models', exact: true }).click();
  await dialog.getByText(/ free$/).waitFor();
  await dialog.getByRole('button', { name: 'Choose this directory' }).click();
  expect(await path.inputValue()).toBe(`${home}/disks/large/models`);
  await page.getByText('3 changes').waitFor();
  await save.click();
  await page.getByText(`Saved to ${home}/skulk.yaml.`).waitFor();
  const note = page.getByText('Restart needed.').locator('..').locator('..');
  await note.getByText('model_store.store_path').waitFor();
  await note.getByText('model_store.download.max_concurrent').waitFor();
  // The budget is in effect without a restart.
  expect(await note.getByText('staging_keep_recent_gb').count()).toBe(0);
  expect(await text()).toMatch(/^# ours[\s\S]*store_path: \S+disks\/large\/models[\s\S]*hf_token: hf_secret1/);
  expect(await text()).toContain('staging_keep_recent_gb: 12.5');
  expect(await page.content()).not.toContain('hf_secret1');
  await expect.poll(() => save.isDisabled()).toBe(true);
});

longTest('what a person types while the settings are saved stays, and is saved next', wants('chromium'), async () => {
  const { host, text } = await shared();
  const { page } = await openBrowser();
  await page.goto(await pageLink(host, '/settings'));
  const save = page.getByRole('button', { name: 'Save' });
  const [budget, downloads] = [page.getByLabel('Budget for idle copies'), page.getByLabel('Simultaneous downloads')];
  await expect.poll(() => budget.inputValue()).toBe('40');
  await budget.fill('12');
  await downloads.fill('3');
  await expect.poll(() => save.isEnabled()).toBe(true);
  const held = await holdAnswer(page, 'PUT', '/config');
  await save.click();
  await held.answered;
  await budget.fill('13');
  held.release();
  await page.getByText(/^Saved to /).waitFor();
  expect([await budget.inputValue(), await downloads.inputValue()]).toEqual(['13', '3']);
  await page.getByText('1 change', { exact: true }).waitFor();
  await save.click();
  await expect.poll(text).toContain('staging_keep_recent_gb: 13');
});

longTest('an admin restarts the server, and the page continues with the same rights', wants('chromium'), async () => {
  const home = await temporaryDirectory();
  const file = join(home, 'skulk.yaml');
  await writeFile(file, ours(home));
  await mkdir(join(home, 'store'));
  const host = await startServe({ home: join(home, 'host'), env: { SKULK_CONFIG: file } });
  onTestFinished(() => host[Symbol.asyncDispose]());
  const { page } = await openBrowser();
  await page.goto(`${host.apiUrl}/settings`);
  const button = page.getByRole('button', { name: /^Restart skulk on/ });
  await button.waitFor();
  expect(await button.getAttribute('aria-disabled')).toBe('true');
  await page.goto(await pageLink(host, '/settings'));
  await writeFile(file, `${ours(home)}logging: {}\n`.replace('hf_secret1', 'hf_secret2'));
  await page.getByText('Restart needed.').waitFor();
  await button.first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Nothing is moving now.').waitFor();
  await dialog.getByRole('button', { name: 'Restart the server' }).click();
  await page.getByText(/^skulk on .* was restarted\.$/).waitFor();
  await page.getByText('Restart needed.').waitFor({ state: 'hidden' });
  await expect.poll(() => button.getAttribute('aria-disabled')).toBeNull();
  await page.getByRole('button', { name: 'Access: Admin', exact: true }).waitFor();
  expect(host.running.stdout().trim().split('\n')).toHaveLength(2);
});

longTest('a host becomes a node and back, and a setting from a flag cannot be changed', wants('chromium'), async () => {
  const { host, text } = await shared();
  const { page } = await openBrowser();
  await page.goto(await pageLink(host, '/settings'));
  expect(await page.getByRole('radio', { name: /^The store host/ }).isChecked()).toBe(true);
  await page.getByRole('radio', { name: /^A node/ }).check();
  await page.getByText('This must not be empty.').waitFor();
  await page.getByLabel('Store host', { exact: true }).fill('mac-studio-9');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Restart needed.').waitFor();
  expect(await text()).toContain('store_host: mac-studio-9');
  await page.getByRole('radio', { name: /^The store host/ }).check();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Restart needed.').waitFor({ state: 'hidden' });
  expect(await text()).toContain(`store_host: ${hostname()}`);
  expect(await page.getByLabel('Port of this page').isDisabled()).toBe(true);
  await page.getByText(/Set by flag --api-port, which overrides the file/).waitFor();
});

longTest('a settings file that became invalid meanwhile is reported without a reload', wants('chromium'), async () => {
  const { host, write } = await shared();
  const { page } = await openBrowser();
  await page.goto(await pageLink(host, '/settings'));
  await expect.poll(() => page.getByLabel('Budget for idle copies').inputValue()).toBe('40');
  await write('model_store: [');
  await page.getByText(/The file is invalid, so nothing can be saved to it: .*not YAML/).waitFor();
});

longTest('settings are read-only without the key of the machine, and the page shows how to get it', wants('chromium'), async () => {
  const { host, text } = await shared();
  const before = await text();
  const { page, newTab } = await openBrowser();
  await page.goto(`${host.apiUrl}/settings`);
  const panel = page.getByRole('region', { name: 'Read-only' });
  await panel.getByText(`To change settings, run skulk key on ${hostname()} and open the link it prints.`).waitFor();
  // It comes before everything that it locks.
  expect(await page.locator('main > section').first().getAttribute('aria-label')).toBe('Read-only');
  const budget = page.getByLabel('Budget for idle copies');
  await expect.poll(() => budget.inputValue()).toBe('40');
  for (const one of [budget, page.getByRole('radio', { name: /^A node/ }), page.getByRole('button', { name: /^Browse for/ }).first()])
    expect(await one.isDisabled()).toBe(true);
  expect(await page.getByRole('button', { name: 'Save' }).count()).toBe(0);

  // The link replaces the current page, works at once, and is removed from the address.
  const link = await pageLink(host, '/settings');
  await page.evaluate(`location.assign(${JSON.stringify(link)})`);
  await panel.waitFor({ state: 'detached' });
  await expect.poll(() => page.evaluate('location.href')).toBe(`${host.apiUrl}/settings`);
  await expect.poll(() => budget.isDisabled()).toBe(false);
  await page.reload();
  await expect.poll(() => budget.isDisabled()).toBe(false);
  await budget.fill('7');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText(/^Saved to /).waitFor();
  expect(await text()).not.toBe(before);

  // It works once, and the key belongs to its tab.
  const other = await newTab();
  await other.goto(link);
  await other.getByText(/This link was already used, or is older than ten minutes\. .*run “skulk key” on .* open the link/).waitFor();
  await other.getByRole('region', { name: 'Read-only' }).waitFor();
  await expect.poll(() => other.evaluate('location.href')).not.toContain('code');
  expect(await other.evaluate('JSON.stringify(sessionStorage) + document.cookie')).toBe('{}');
});

longTest('a key that ended with its server leads to the rights of the LAN, with a way to a new key', wants('chromium'), async () => {
  const { home, host } = await serveWith(ours);
  const { page } = await openBrowser();
  await page.goto(await pageLink(host, '/settings'));
  await expect.poll(() => page.getByLabel('Budget for idle copies').isDisabled()).toBe(false);
  await host.stop();
  const args = ['--port', new URL(host.url).port, '--api-port', new URL(host.apiUrl).port];
  const again = await serveInProcess({ home, args, env: { SKULK_CONFIG: join(home, 'skulk.yaml') } });
  onTestFinished(() => again[Symbol.asyncDispose]());
  await page.getByText(/The key of this tab has ended\. To change settings, run “skulk key”/).waitFor();
  await page.getByRole('region', { name: 'Read-only' }).waitFor();
});

longTest('a server that is closed to the LAN opens by a link, and explains why a used link does not work', wants('chromium'), async () => {
  const home = await temporaryDirectory();
  const host = await serveInProcess({ home, env: { SKULK_TOKEN: 'only-for-this-lan' } });
  onTestFinished(() => host[Symbol.asyncDispose]());
  const link = await pageLink(host);
  const { page, newTab } = await openBrowser();
  await page.goto(link);
  await page.getByRole('heading', { name: 'Store', level: 1 }).waitFor();
  const other = await newTab();
  await other.goto(link);
  await other.getByRole('heading', { name: 'This server requires a token' }).waitFor();
  await other.getByRole('alert').getByText('This link was already used, or is older than ten minutes.').waitFor();
  await other.getByText('run skulk key on this machine and open the link it prints').waitFor();
});

longTest('a directory outside the sandbox of the service is mentioned beside the restart', wants('chromium'), async () => {
  const home = await temporaryDirectory();
  const disk = join(home, 'disk/models');
  await mkdir(disk, { recursive: true });
  const { host, home: own } = await serveWith(ours, { isService: true });
  const { page } = await openBrowser();
  await page.goto(await pageLink(host, '/settings'));
  const path = page.getByRole('textbox', { name: 'Directory of the models' });
  const note = page.getByText('Restart needed.').locator('..').locator('..');
  const warning = note.getByText(`Its service may not write to ${disk} yet.`);
  // A directory below those in the unit is writable without a change.
  await path.fill(join(own, 'disks/large/models'));
  await page.getByRole('button', { name: 'Save' }).click();
  await note.getByText('model_store.store_path').waitFor();
  expect(await note.getByText('Its service may not write').count()).toBe(0);
  await path.fill(disk);
  await page.getByRole('button', { name: 'Save' }).click();
  await warning.waitFor();
  await note.getByText('skulk service install').waitFor();
  expect((await ask(host.apiUrl, '/config')).json()).toMatchObject({
    service: { unit: join(own, '.config/systemd/user/skulk.service'), not_writable: [disk] },
  });
});
