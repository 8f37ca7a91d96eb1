import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { files, id, labels } from '../helpers/twelve-quantizations.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';
import { stageHere } from './stage-here.ts';

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

  // Seen: all twelve, and why each file is taken or left.
  await page.getByRole('button', { name: 'Add a model' }).first().click();
  await page.getByLabel('Model on Hugging Face').fill(`https://huggingface.co/${id}`);
  await page.keyboard.press('Enter');
  await page.getByRole('checkbox', { name: /^Q4_K_M recommended/, checked: true }).waitFor();
  expect(await page.getByRole('checkbox').count()).toBe(12);
  await page.getByText('Which files, and why').click();
  await page.getByRole('row', { name: /Q4_K_M\.gguf the chosen weights 48\.0 KiB/ }).waitFor();
  await page.getByRole('row', { name: /f16\.gguf the projector for the chosen weights/ }).waitFor();
  expect(await page.getByRole('row', { name: /another quantization/ }).count()).toBe(12);
  await page.getByRole('button', { name: 'Add Q4_K_M (56.0 KiB)' }).click();
  await page.getByRole('row', { name: /^Q4_K_M recommended .* in the store$/ }).waitFor();

  // Chosen: what the store has cannot be chosen again, and several have one sum.
  expect(await page.getByRole('checkbox', { checked: false }).count()).toBe(11);
  for (const label of ['Q2_K', 'Q6_K']) await page.getByRole('checkbox', { name: label, exact: true }).check();
  await page.getByRole('button', { name: /^Add 2 \(10\d KiB\)$/ }).waitFor();
  await page.getByRole('link', { name: 'Open its page' }).click();
  await page.getByText('1 of 12 in the store').waitFor();
  await page.getByRole('button', { name: `Add ${id}:BF16` }).click();
  await page.getByText('2 of 12 in the store').waitFor();
  expect(await weightsIn('store')).toEqual(['BF16', 'Q4_K_M']);

  // Kept: each is staged on this machine alone.
  for (const [label, staged] of [
    ['BF16', ['BF16']],
    ['Q4_K_M', ['BF16', 'Q4_K_M']],
  ] as const) {
    await stageHere(page, `${id}:${label}`);
    await page.getByRole('row', { name: new RegExp(`^${label} .* ${hostname()} `) }).waitFor();
    await expect.poll(() => weightsIn('staging')).toEqual(staged);
  }

  // Dropped: from this machine, then from the store.
  await page.getByRole('button', { name: `Actions for ${id}:Q4_K_M` }).click();
  await page.getByRole('button', { name: 'Purge staged copies…' }).click();
  await page
    .getByRole('dialog', { name: `Purge ${id}:Q4_K_M?` })
    .getByRole('button', { name: /^Purge 48\.0 KiB/ })
    .click();
  await page.getByRole('dialog', { name: '48.0 KiB freed' }).getByRole('button', { name: 'Close' }).last().click();
  expect(await weightsIn('staging')).toEqual(['BF16']);
  await page.getByRole('button', { name: `Actions for ${id}:Q4_K_M` }).click();
  await page.getByRole('button', { name: 'Delete Q4_K_M…' }).click();
  await page
    .getByRole('dialog', { name: `Delete ${id}:Q4_K_M?` })
    .getByRole('button', { name: 'Delete everywhere' })
    .click();
  await page
    .getByRole('dialog', { name: `${id}:Q4_K_M was deleted` })
    .getByRole('button', { name: 'Close' })
    .last()
    .click();
  await page.getByRole('button', { name: `Add ${id}:Q4_K_M` }).waitFor();
  expect([await weightsIn('store'), await weightsIn('staging')]).toEqual([['BF16'], ['BF16']]);
});
