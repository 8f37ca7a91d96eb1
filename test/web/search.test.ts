import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise } from '../helpers/model-files.ts';
import { pageLink } from '../helpers/page-link.ts';
import { ask } from '../helpers/raw-http.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';

test('the page searches Hugging Face as one types, marks what is in the store, and opens what is chosen', wants('chromium'), async () => {
  const world = await hubWorld();
  world.hub.push('org/Alpha-GGUF', { files: { 'Alpha-Q4_K_M.gguf': noise(3000) } });
  world.hub.push('org/alpha-closed', { files: { 'w.safetensors': noise(1000) }, gated: true });
  world.hub.push('other/beta', { files: { 'w.safetensors': noise(1000) } });
  const host = await world.serveInProcess({ XDG_CONFIG_HOME: join(world.home, 'xdg') });
  expect(await world.host('download', 'org/Alpha-GGUF')).toMatchObject({ status: 0 });
  const { page } = await openBrowser();
  await page.goto(await pageLink(host));
  await page.getByRole('button', { name: 'Add a model' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Add a model' });
  const field = dialog.getByLabel('Model on Hugging Face');
  const found = dialog.getByRole('list', { name: 'Models on Hugging Face' }).getByRole('button');

  await field.fill('alpha');
  await found.filter({ hasText: 'org/Alpha-GGUF' }).getByText('in the store').waitFor();
  await found.filter({ hasText: 'org/Alpha-GGUF' }).getByText('1,000 downloads · GGUF · license apache-2.0').waitFor();
  await found.filter({ hasText: 'org/alpha-closed' }).getByText('gated').waitFor();
  expect(await found.count()).toBe(2);
  await field.fill('nothing like it');
  await dialog.getByText('No model on Hugging Face matches “nothing like it”.').waitFor();
  await field.fill('beta');
  await expect.poll(() => found.count()).toBe(1);

  // The keys alone are enough.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: 'Download 1000 B' }).waitFor();
  expect(await field.inputValue()).toBe('other/beta');

  // An admin sets the token of a gated model where it is missing.
  await field.fill('alpha-closed');
  await found.filter({ hasText: 'org/alpha-closed' }).click();
  const closed = dialog.getByRole('region', { name: 'Hugging Face token' });
  await closed.getByLabel('Hugging Face token').fill('hf_abcdefghTokenOfAnna');
  await closed.getByRole('button', { name: 'Save the token' }).click();
  await closed.getByText(/^Saved\. Restart skulk on .* to use the token/).waitFor();
  expect((await ask(host.apiUrl, '/config')).json()).toMatchObject({ secrets: { hf_token: true } });
  expect((await ask(host.apiUrl, '/config')).body.toString()).not.toContain('TokenOfAnna');
});

test('a search of Hugging Face needs words and a limit that can be, and is refused to pages of others', async () => {
  const world = await hubWorld();
  world.hub.push('org/alpha', { files: { 'w.safetensors': noise(1000) } });
  const host = await world.serveInProcess();
  const status = async (query: string): Promise<number> => (await ask(host.apiUrl, `/store/hub${query}`)).status;
  expect(await Promise.all(['', '?search=', '?search=a&limit=0', '?search=a&limit=101', '?search=a&limit=x'].map(status))).toEqual([
    400, 400, 400, 400, 400,
  ]);
  expect((await ask(host.apiUrl, '/store/hub?search=ALPHA&limit=1')).json()).toEqual({
    models: [
      {
        model_id: 'org/alpha',
        downloads: 1000,
        updated_at: '2026-01-01T00:00:00.000Z',
        license: 'apache-2.0',
        gated: false,
        formats: ['safetensors'],
        parameters: null,
        weights_bytes: null,
        in_store: false,
      },
    ],
  });
  const headers = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'cors', Origin: 'http://elsewhere.example' };
  expect((await ask(host.apiUrl, '/store/hub?search=alpha', { headers })).status).toBe(403);
});
