import { expect } from 'vitest';
import { noise } from '../helpers/model-files.ts';
import { ask } from '../helpers/raw-http.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';
import { looksWell, modelStore } from './model-store.ts';

const { shared, addModel } = modelStore();

longTest(
  'the page of a model has its path of the Hub, its quantizations, its files, and the commands for each program',
  wants('chromium'),
  async () => {
    const { host } = shared();
    await addModel('me/Foo-GGUF', {
      'Foo-Q4_K_M.gguf': noise(3000),
      'Foo-Q8_0-00001-of-00002.gguf': noise(3000, 2),
      'Foo-Q8_0-00002-of-00002.gguf': noise(3000, 3),
      'config.json': '{}',
    });
    const { page } = await openBrowser();
    await page.goto(`${host.apiUrl}/me/Foo-GGUF`);
    await page.getByRole('heading', { level: 1, name: 'me/Foo-GGUF' }).waitFor();
    await page
      .getByRole('region', { name: 'Quantizations' })
      .getByRole('row', { name: /^Q8_0 .*5\.86 KiB/ })
      .waitFor();
    await page.getByRole('row', { name: /^config\.json/ }).waitFor();

    const use = page.getByRole('region', { name: 'Use it' });
    const snippet = (name: string) => use.getByRole('tabpanel', { name }).locator('pre').first();
    const { port } = new URL(host.apiUrl);
    await use.getByRole('tab', { name: 'llama-server' }).click();
    const line = await snippet('llama-server').innerText();
    expect(line).toMatch(/^HF_ENDPOINT=http:\/\/\S+ HF_TOKEN= \\\n {2}llama-server -hf me\/Foo-GGUF:Q4_K_M$/);
    // On the machine itself, the command has the address for other machines.
    expect(new URL(/=(http\S+)/.exec(line)?.[1] ?? '').port).toBe(port);
    await page.keyboard.press('ArrowRight');
    await use.getByRole('tab', { name: 'Ollama', selected: true }).waitFor();
    expect(await snippet('Ollama').innerText()).toMatch(/^ollama pull --insecure [\d.]+:\d+\/me\/Foo-GGUF:Q4_K_M\n/);
    await use.getByLabel('Quantization').selectOption('Q8_0');
    await use.getByText(/split GGUF file/).waitFor();
    await use.getByRole('tab', { name: 'MLX' }).click();
    await use.getByText('MLX loads safetensors, and me/Foo-GGUF has none.').waitFor();
    await use.getByRole('tab', { name: 'hf' }).click();
    await use.getByRole('button', { name: 'Copy the line for hf', exact: true }).click();
    await use.getByRole('button', { name: 'Copied' }).waitFor();
    await looksWell(page);

    // The choice is kept, and the list of models leads here.
    await page.goto(host.apiUrl);
    await page.getByRole('link', { name: 'me/Foo-GGUF' }).click();
    await use.getByRole('tab', { name: 'hf', selected: true }).waitFor();
    expect(await page.title()).toBe('me/Foo-GGUF · skulk');
    await page.getByRole('navigation', { name: 'Where this is' }).getByRole('link', { name: 'Store' }).click();
    await page.getByRole('heading', { level: 1, name: 'Store' }).waitFor();
  },
);

longTest('the page of a missing model, and of one without a README, reports this', wants('chromium'), async () => {
  const { host } = shared();
  await addModel('me/bare', { 'config.json': '{}', 'model.safetensors': noise(3000) });
  const { page } = await openBrowser();
  await page.goto(`${host.apiUrl}/me/bare`);
  await page.getByText('This model has no README in the store.').waitFor();
  await page.goto(`${host.apiUrl}/me/bare/blob/main/config.json`);
  await page.getByRole('heading', { level: 1, name: 'me/bare' }).waitFor();
  await page.goto(`${host.apiUrl}/nobody/nothing`);
  await page.getByText('nobody/nothing is not in the store').waitFor();
  await page.getByRole('button', { name: 'Look on Hugging Face' }).waitFor();
  await looksWell(page);
});

usualTest('only a browser request for a page gets the page, and a reserved path is never a model', async () => {
  const { host } = shared();
  const get = async (path: string, accept: string) => {
    const { status, headers } = await ask(host.apiUrl, path, { headers: { Accept: accept } });
    return [status, String(headers['content-type'])];
  };
  const html = 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8';
  for (const path of ['/me/x', '/x', '/me/x/tree/main', '/me/x/blob/main/a%20b', '/me%2Fx'])
    expect([path, ...(await get(path, html))]).toEqual([path, 200, 'text/html; charset=utf-8']);
  for (const path of ['/me/x', '/x', '/api/x', '/v2/x', '/me/.x', '/models/x/y', '/-/x', '/store/what', '/datasets/x'])
    expect([path, (await get(path, path === '/me/x' || path === '/x' ? '*/*' : html))[1]]).toEqual([path, expect.stringMatching(/json/)]);
});
