import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fakeHub } from '../helpers/fake-hub.ts';
import { pageLink } from '../helpers/page-link.ts';
import { type PythonModel, type PythonStore, pythonStore } from '../helpers/python-store.ts';
import { ask } from '../helpers/raw-http.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';
import { looksWell } from './model-store.ts';
import { stageHere } from './stage-here.ts';

const id = 'org/plain';
const files = {
  'config.json': '{"architectures":["LlamaForCausalLM"],"max_position_embeddings":4096}',
  'README.md': '# Words of its authors',
  'model.safetensors': Buffer.alloc(2_000_000, 7),
  'model.safetensors.partial': Buffer.alloc(500_000, 7),
};
const gguf = (byte: number): Buffer => Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(2000, byte)]);
const quantized = { 'config.json': '{}', 'm-Q4_K_M.gguf': gguf(1) };

/** A serving node whose store host is the Python program, and its page. */
async function pageOf(models: Readonly<Record<string, Partial<PythonModel>>>, env: Readonly<Record<string, string>> = {}) {
  const store: PythonStore = await pythonStore(models);
  const home = await temporaryDirectory();
  const served = await serveInProcess({
    home: join(home, 'n1'),
    args: ['--role', 'node'],
    env: { SKULK_STORE: store.url, SKULK_NODE_ID: 'n1', HF_HUB_OFFLINE: '1', ...env },
  });
  onTestFinished(() => served[Symbol.asyncDispose]());
  const { page } = await openBrowser();
  const open = (path: string) => page.goto(`${served.apiUrl}${path}`);
  return { store, served, page, open };
}

test('the page of a node whose store host is the Python program names it, and offers only what it can do', wants('chromium'), async () => {
  const { served, page, open } = await pageOf({ [id]: { files }, 'org/m-GGUF': { files: quantized } });
  await page.goto(await pageLink(served));
  await page.getByText('/srv/models of the Python Skulk').waitFor();
  await page.getByText('2 models', { exact: true }).waitFor();
  expect(await page.getByText('from Hugging Face').count()).toBe(0);
  await looksWell(page);

  await open('/org/m-GGUF');
  await page.getByRole('row', { name: /^Q4_K_M/ }).waitFor();
  for (const name of [/^Verify/, /^Optimize/, /^Add org/, /Purge staged/, /^Delete org\/m-GGUF:/])
    expect([name, await page.getByRole('button', { name }).count()]).toEqual([name, 0]);

  await open(`/${id}`);
  await page.getByText('context 4,096').waitFor();
  await page.getByText('unknown: the store is the Python Skulk').waitFor();
  const list = page.getByRole('region', { name: 'Files' });
  expect(await list.getByRole('row').count()).toBe(4);
  await list.getByRole('row', { name: /model\.safetensors 1\.91 MiB unknown/ }).waitFor();
  await page.getByText(/^Not staged on .*\. The Python Skulk does not know what other machines have\.$/).waitFor();
  await page.getByText('The README is shown when the model is staged on this machine.').waitFor();
  await page.getByText(/^The store host is the Python Skulk, which is not a Hub for other programs; stage the model on/).waitFor();
  await looksWell(page);

  // Once it is here, programs of other machines can use this server, and the README is known.
  await stageHere(page, id);
  await page.getByText(/^Staged on .*, 1\.9\d MiB\./).waitFor();
  await page.getByText('From this server. The machine needs no skulk.').waitFor();
  expect((await ask(served.apiUrl, '/org/plain/resolve/main/config.json')).body.toString()).toBe(files['config.json']);
  await page.reload();
  await page.getByText('Words of its authors').waitFor();

  await open('/nodes');
  await page.getByText('The store host is the Python Skulk, which does not know its nodes.').waitFor();
  const here = page.getByRole('region', { name: 'On this machine' });
  await here.getByRole('row', { name: /org\/plain/ }).waitFor();
  expect(await page.getByText('They still work').count()).toBe(0);
  expect(await page.getByRole('button', { name: 'Purge everywhere…' }).count()).toBe(0);
  await looksWell(page);

  await open('/settings');
  await page.getByText('The store host is the Python Skulk, which has no access control.').waitFor();
});

test('a model is deleted and downloaded on a Python store host with the page of a node', wants('chromium'), async () => {
  const hub = await fakeHub();
  const both = { ...quantized, 'm-Q8_0.gguf': gguf(2) };
  hub.push('org/m-GGUF', { files: both });
  const { store, served, page, open } = await pageOf({ [id]: { files } }, { HF_HUB_OFFLINE: '', HF_ENDPOINT: hub.url });
  store.hub.set('org/m-GGUF', both);
  await page.goto(await pageLink(served, `/${id}`));
  await stageHere(page, id);
  await page.getByText(/^Staged on /).waitFor();
  await page.getByRole('button', { name: 'Delete…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(/Copies on other machines stay, because the Python Skulk does not know them/).waitFor();
  await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  await dialog.getByText(/freed\.$/).waitFor();
  expect([...store.models.keys()]).toEqual([]);
  expect((await ask(served.apiUrl, '/store/storage')).json()).toMatchObject({ models: [] });
  await page.keyboard.press('Escape');

  await open('/');
  await page.getByRole('button', { name: 'Add a model' }).first().click();
  await page.getByLabel('Model on Hugging Face').fill('org/m-GGUF');
  await page.keyboard.press('Enter');
  for (const name of ['Q4_K_M', 'Q8_0']) await page.getByRole('checkbox', { name: new RegExp(`^${name}`) }).setChecked(name === 'Q8_0');
  await page.getByRole('button', { name: /^Add Q8_0/ }).click();
  await page.getByRole('link', { name: 'Store' }).first().click();
  await page.getByRole('row', { name: /org\/m-GGUF Q8_0/ }).waitFor();
  expect(store.asked).toEqual([{ gguf_file: 'm-Q8_0.gguf' }]);
});
