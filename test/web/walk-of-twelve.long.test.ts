import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { files, id, labels } from '../helpers/twelve-quantizations.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';

test('on the page a repo of twelve quantizations is seen, chosen, kept and dropped one by one', wants('chromium'), async () => {
  const world = await hubWorld();
  world.hub.push(id, { files });
  const host = await world.serveInProcess();
  const weightsIn = async (directory: string): Promise<readonly string[]> => {
    const names = await readdir(join(world.home, 'host', directory, id.replace('/', '--')), { recursive: true }).catch(() => []);
    const found = names.flatMap((name) => /-([A-Z\d_]+)(?:-0000\d-of-00002)?\.gguf$/i.exec(name)?.[1]?.toUpperCase() ?? []);
    return [...new Set(found)].filter((label) => labels.includes(label)).toSorted();
  };
  const { page } = await openBrowser();
  await page.goto(host.apiUrl);
  const adding = page.getByRole('dialog', { name: 'Add a model' });

  // Seen: all twelve, and why each file is taken or left.
  await page.getByRole('button', { name: 'Add a model' }).first().click();
  await adding.getByLabel('Model on Hugging Face').fill(`https://huggingface.co/${id}`);
  await page.keyboard.press('Enter');
  await adding.getByRole('radio', { name: /^Q4_K_M recommended/, checked: true }).waitFor();
  expect(await adding.getByRole('radio').count()).toBe(12);
  await adding.getByText('Which files, and why').click();
  await adding.getByRole('row', { name: /Q4_K_M\.gguf the chosen weights 48\.0 KiB/ }).waitFor();
  await adding.getByRole('row', { name: /f16\.gguf the projector for the chosen weights/ }).waitFor();
  expect(await adding.getByRole('row', { name: /another quantization/ }).count()).toBe(12);
  await adding.getByRole('button', { name: 'Download 56.0 KiB' }).click();
  await page.getByRole('link', { name: id }).first().click();
  await page.getByRole('heading', { level: 1, name: id }).waitFor();
  await page.getByRole('row', { name: /^Q4_K_M .*48\.0 KiB/ }).waitFor();

  // Chosen: what the store has is marked, and another one is suggested.
  await page.getByRole('button', { name: 'Add a quantization' }).click();
  await adding.getByRole('radio', { name: /^Q4_K_M recommended in the store/, checked: false }).waitFor();
  await adding.getByRole('radio', { name: /^BF16/ }).check();
  await adding.getByRole('button', { name: /^Download 16\d KiB/ }).click();
  await page.getByRole('row', { name: /^BF16 .*160 KiB/ }).waitFor();
  expect(await weightsIn('store')).toEqual(['BF16', 'Q4_K_M']);

  // Kept: each is staged on this machine alone.
  for (const [label, staged] of [
    ['BF16', ['BF16']],
    ['Q4_K_M', ['BF16', 'Q4_K_M']],
  ] as const) {
    await page.getByRole('button', { name: `Stage ${id}:${label} on ${hostname()}` }).click();
    await page.getByRole('row', { name: new RegExp(`^${label} .* ${hostname()} `) }).waitFor();
    await expect.poll(() => weightsIn('staging')).toEqual(staged);
  }

  // Dropped: from this machine, then from the store.
  await page.getByRole('button', { name: `Purge staged copies of ${id}:Q4_K_M` }).click();
  await page
    .getByRole('dialog', { name: `Purge ${id}:Q4_K_M?` })
    .getByRole('button', { name: /^Purge 48\.0 KiB/ })
    .click();
  await page.getByRole('dialog', { name: '48.0 KiB freed' }).getByRole('button', { name: 'Close' }).last().click();
  expect(await weightsIn('staging')).toEqual(['BF16']);
  await page.getByRole('button', { name: `Delete ${id}:Q4_K_M` }).click();
  await page
    .getByRole('dialog', { name: `Delete ${id}:Q4_K_M?` })
    .getByRole('button', { name: 'Delete everywhere' })
    .click();
  await page
    .getByRole('dialog', { name: `${id}:Q4_K_M was deleted` })
    .getByRole('button', { name: 'Close' })
    .last()
    .click();
  await page.getByRole('row', { name: /^Q4_K_M/ }).waitFor({ state: 'detached' });
  expect([await weightsIn('store'), await weightsIn('staging')]).toEqual([['BF16'], ['BF16']]);
});
