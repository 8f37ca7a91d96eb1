import { mkdir, readFile, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise } from '../helpers/model-files.ts';
import { pageLink } from '../helpers/page-link.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';

test('a new user with only a browser gets from an empty machine to a staged model', wants('chromium'), async () => {
  const world = await hubWorld({ XDG_CONFIG_HOME: '/nonexistent' });
  world.hub.push('tiny/Foo-GGUF', {
    files: { 'Foo-Q4_K_M.gguf': noise(3_000_000), 'Foo-Q8_0.gguf': noise(6_000_000), 'mmproj-Foo.gguf': noise(500_000) },
  });
  const xdg = join(world.home, 'xdg');
  const host = await world.serveInProcess({ XDG_CONFIG_HOME: xdg });
  const { page } = await openBrowser();
  await page.goto(await pageLink(host));
  const welcome = page.getByRole('region', { name: 'Welcome' });
  await welcome.getByText(`This machine, ${hostname()}, is now the store host`).waitFor();
  expect(await page.title()).toBe('Store · skulk');

  // The directory of the models: an invalid one is reported during typing, and an existing one can be chosen.
  const path = welcome.getByRole('textbox', { name: 'Directory of the models' });
  expect(await path.inputValue()).toBe(world.storePath);
  await path.fill('models');
  await welcome.getByText(/a relative path/).waitFor();
  expect(await welcome.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
  await path.fill(world.storePath);
  await welcome.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('status').getByText(`Saved to ${xdg}/skulk/skulk.yaml.`).waitFor();
  expect(await readFile(join(xdg, 'skulk/skulk.yaml'), 'utf8')).toContain(`store_host: ${hostname()}`);
  // A host that is configured by its own name need not be restarted.
  expect(await page.getByText('Restart needed').count()).toBe(0);

  // The first model, in a chosen quantization, with its size before any byte is downloaded.
  await welcome.getByRole('button', { name: 'Choose a model' }).click();
  await page.getByLabel('Model on Hugging Face').fill('https://huggingface.co/tiny/Foo-GGUF/tree/main');
  await page.getByRole('button', { name: 'Open', exact: true }).click();
  await page.getByRole('checkbox', { name: /Q4_K_M/, checked: true }).uncheck();
  await page.getByRole('checkbox', { name: 'Q8_0' }).check();
  await page.getByRole('button', { name: 'Add Q8_0 (6.20 MiB)' }).click();
  await page.getByRole('link', { name: 'Store' }).first().click();
  await welcome.getByText('tiny/Foo-GGUF is in the store.').waitFor();
  const row = page.getByRole('row', { name: /tiny\/Foo-GGUF/ });
  await row.getByText('vision').waitFor();
  expect(world.hub.sent('Foo-Q4_K_M.gguf')).toBe(0);

  // A verified copy on this machine, with its path.
  await welcome.getByRole('button', { name: `Stage on ${hostname()}` }).click();
  const copy = join(world.home, 'host/staging/tiny--Foo-GGUF');
  await welcome.getByText(copy, { exact: true }).waitFor();
  expect((await stat(join(copy, 'Foo-Q8_0.gguf'))).size).toBe(6_000_000);
  await welcome.getByText(`SKULK_STORE=${host.url} skulk stage tiny/Foo-GGUF`).waitFor();
  await welcome.getByRole('button', { name: 'Done' }).click();
  await welcome.waitFor({ state: 'detached' });
  await page.reload();
  await row.getByText('vision').waitFor();
  expect(await welcome.count()).toBe(0);
});

test('a user who chooses another directory is guided through a restart, and continues there', wants('chromium'), async () => {
  const world = await hubWorld();
  const [home, xdg, disk] = [join(world.home, 'host'), join(world.home, 'xdg'), join(world.home, 'disk')];
  await mkdir(disk);
  const env = { HF_ENDPOINT: world.hub.url, XDG_CONFIG_HOME: xdg };
  const before = await serveInProcess({ home, env });
  const { page } = await openBrowser();
  await page.goto(await pageLink(before));
  const welcome = page.getByRole('region', { name: 'Welcome' });
  await welcome.getByRole('textbox', { name: 'Directory of the models' }).fill(disk);
  await welcome.getByRole('button', { name: 'Save' }).click();
  await welcome.getByText('Restart needed.').waitFor();
  await welcome.getByText('After the restart, so that it is saved in the new directory.').waitFor();
  const choose = welcome.getByRole('button', { name: 'Choose a model' });
  expect(await choose.isDisabled()).toBe(true);
  await before.stop();
  const ports = ['--port', new URL(before.url).port, '--api-port', new URL(before.apiUrl).port];
  const after = await serveInProcess({ home, env, args: ports });
  expect(after.storePath).toBe(disk);
  await welcome.getByText('Restart needed.').waitFor({ state: 'detached' });
  await expect.poll(() => choose.isDisabled()).toBe(false);
  await welcome.getByText(disk, { exact: true }).waitFor();
});

test('a user of an existing store is not greeted again, and no user of a node is', wants('chromium'), async () => {
  const world = await hubWorld();
  const host = await world.serveInProcess();
  const { page } = await openBrowser();
  await page.goto(host.apiUrl);
  await page.getByRole('button', { name: 'Skip the introduction' }).click();
  await page.getByText('The store is empty').waitFor();
  await page.reload();
  await page.getByText('The store is empty').waitFor();
  expect(await page.getByRole('region', { name: 'Welcome' }).count()).toBe(0);
  const node = await serveInProcess({ home: join(world.home, 'n1'), args: ['--role', 'node'], env: { SKULK_STORE: host.url } });
  await page.goto(node.apiUrl);
  await page.getByText('The store is empty').waitFor();
  expect(await page.getByRole('region', { name: 'Welcome' }).count()).toBe(0);
});
