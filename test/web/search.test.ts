import { join } from 'node:path';
import { expect } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise } from '../helpers/model-files.ts';
import { pageLink } from '../helpers/page-link.ts';
import { ask } from '../helpers/raw-http.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';
import { holdAnswer } from './hold-answer.ts';
import { looksWell } from './model-store.ts';

longTest(
  'the page searches Hugging Face as one types, marks what is in the store, and opens what is chosen',
  wants('chromium'),
  async () => {
    const world = await hubWorld();
    world.hub.push('org/Alpha-GGUF', { files: { 'Alpha-Q4_K_M.gguf': noise(3000) } });
    world.hub.push('org/alpha-closed', { files: { 'w.safetensors': noise(1000) }, gated: true });
    world.hub.push('other/beta', { files: { 'w.safetensors': noise(1000) } });
    const host = await world.serveInProcess({ XDG_CONFIG_HOME: join(world.home, 'xdg') });
    expect(await world.host('download', 'org/Alpha-GGUF')).toMatchObject({ status: 0 });
    const { page } = await openBrowser();
    await page.goto(await pageLink(host));
    await page.getByRole('heading', { level: 1, name: 'Store' }).waitFor();
    await page.keyboard.press('a');
    const field = page.getByLabel('Model on Hugging Face');
    await expect.poll(() => page.evaluate("document.activeElement?.getAttribute('type')")).toBe('search');
    const found = page.getByRole('list', { name: 'Models on Hugging Face' }).getByRole('link');

    await page.keyboard.type('alpha');
    await found.filter({ hasText: 'org/Alpha-GGUF' }).getByText('in the store').waitFor();
    await found.filter({ hasText: 'org/Alpha-GGUF' }).getByText('1,000 downloads · GGUF · license apache-2.0').waitFor();
    await found.filter({ hasText: 'org/alpha-closed' }).getByText('gated').waitFor();
    expect(await found.count()).toBe(2);
    await looksWell(page);
    await field.fill('nothing like it');
    await page.getByText('No model on Hugging Face matches “nothing like it”.').waitFor();
    await field.fill('beta');
    await expect.poll(() => found.count()).toBe(1);

    // The keys alone are enough, and the choice has an address.
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    const add = page.getByRole('button', { name: 'Add the model (1000 B)' });
    await add.waitFor();
    expect([await field.inputValue(), new URL(page.url()).pathname]).toEqual(['other/beta', '/add/other/beta']);
    expect(await page.evaluate('document.activeElement.textContent')).toBe('other/beta');
    await looksWell(page);
    await page.reload();
    await add.waitFor();
    await page.getByRole('link', { name: 'Results for “beta”' }).click();
    await found.filter({ hasText: 'other/beta' }).waitFor();
    expect([await field.inputValue(), new URL(page.url()).search]).toEqual(['beta', '?q=beta']);

    // An address that is pasted is opened at once; going back leads to the results.
    await field.fill('https://huggingface.co/other/beta/tree/main');
    for (const key of ['a', 'x', 'v']) await page.keyboard.press(`ControlOrMeta+${key}`);
    await add.waitFor();
    expect(new URL(page.url()).pathname).toBe('/add/other/beta');

    // An admin sets the token of a gated model where it is missing.
    await field.fill('alpha-closed');
    await found.filter({ hasText: 'org/alpha-closed' }).click();
    const closed = page.getByRole('region', { name: 'Hugging Face token' });
    await closed.getByText('This model is gated. Accept its terms on Hugging Face, then set a token here.').waitFor();
    await looksWell(page);
    await closed.getByLabel('Hugging Face token').fill('hf_abcdefghTokenOfAnna');
    await closed.getByRole('button', { name: 'Save the token' }).click();
    await closed.getByText(/^Saved\. Restart skulk on .* to use the token/).waitFor();
    expect((await ask(host.apiUrl, '/config')).json()).toMatchObject({ secrets: { hf_token: true } });
    expect((await ask(host.apiUrl, '/config')).body.toString()).not.toContain('TokenOfAnna');
  },
);

longTest('an answer that comes late replaces no newer one, and what was found stays until the next answer', wants('chromium'), async () => {
  const world = await hubWorld();
  for (const name of ['org/alpha', 'other/beta', 'other/gamma']) world.hub.push(name, { files: { 'w.safetensors': noise(1000) } });
  const host = await world.serveInProcess();
  const { page } = await openBrowser();
  await page.goto(`${host.apiUrl}/add?q=alpha`);
  const field = page.getByLabel('Model on Hugging Face');
  const list = page.getByRole('list', { name: 'Models on Hugging Face' });
  await list.getByText('alpha').waitFor();
  expect(await field.inputValue()).toBe('alpha');
  const aborted: string[] = [];
  page.on('requestfailed', (request) => aborted.push(new URL(request.url()).search));
  const beta = await holdAnswer(page, 'GET', '/store/hub?search=beta&limit=20');
  await field.fill('beta');
  await beta.answered;
  expect([await list.innerText(), await page.locator('.found').getAttribute('aria-busy')]).toEqual([
    expect.stringMatching(/^org\/alpha/),
    'true',
  ]);
  const gamma = await holdAnswer(page, 'GET', '/store/hub?search=gamma&limit=20');
  await field.fill('gamma');
  await expect.poll(() => aborted).toEqual(['?search=beta&limit=20']);
  await gamma.answered;
  beta.release();
  gamma.release();
  await list.getByText('gamma').waitFor();
  expect([await list.getByRole('link').count(), await page.locator('.found').getAttribute('aria-busy')]).toEqual([1, 'false']);
});

longTest('twenty models are shown, then more, and the first of those has the focus', wants('chromium'), async () => {
  const world = await hubWorld();
  for (let number = 1; number <= 30; number += 1) world.hub.push(`org/model-${number}`, { files: { 'w.safetensors': noise(100) } });
  const host = await world.serveInProcess();
  const { page } = await openBrowser();
  await page.goto(`${host.apiUrl}/add?q=model`);
  const found = page.getByRole('list', { name: 'Models on Hugging Face' }).getByRole('link');
  await expect.poll(() => found.count()).toBe(20);
  await page.getByRole('button', { name: 'Show more' }).click();
  await expect.poll(() => found.count()).toBe(30);
  await expect.poll(() => page.evaluate("[...document.querySelectorAll('.found-model')].indexOf(document.activeElement)")).toBe(20);
  expect(await page.getByRole('button', { name: 'Show more' }).count()).toBe(0);
});

usualTest('a search of Hugging Face needs words and a limit that can be, and is refused to pages of others', async () => {
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
