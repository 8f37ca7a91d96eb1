import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, writeFiles } from '../helpers/model-files.ts';
import { longTest } from '../helpers/seeded.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';

/** Whether everything is within the window, at the widths of a desktop and of a phone. */
async function fits(page: Page): Promise<void> {
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    expect([width, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([width, width]);
    expect([width, await page.evaluate("(document.querySelector('dialog .dialog-body')?.scrollWidth ?? 0) > innerWidth")]).toEqual([
      width,
      false,
    ]);
  }
}

test('the page adds quantizations one by one, and shows the existing ones and the selected files', wants('chromium'), async () => {
  const world = await hubWorld();
  world.hub.push('org/seer-GGUF', {
    files: {
      'seer-Q4_K_M.gguf': noise(3_000_000),
      'seer-Q8_0.gguf': noise(6_000_000, 2),
      'config.json': '{}',
      'imatrix.dat': noise(2000),
    },
  });
  const host = await world.serveInProcess();
  const { page } = await openBrowser();
  await page.goto(host.apiUrl);
  const dialog = page.getByRole('dialog', { name: 'Add a model' });
  const look = async (text: string): Promise<void> => {
    await page.getByRole('button', { name: 'Add a model' }).first().click();
    await dialog.getByLabel('Model on Hugging Face').fill(text);
    await page.keyboard.press('Enter');
    await dialog.getByRole('radio').first().waitFor();
  };
  const chosen = (): Promise<string | null> => dialog.getByRole('radio', { checked: true }).getAttribute('value');

  // A typo shows the existing ones beside the field.
  await look('org/seer-GGUF:Q5_K_X');
  await dialog
    .getByRole('alert')
    .getByText(/Q4_K_M.*Q8_0|Q8_0.*Q4_K_M/)
    .waitFor();
  expect(await chosen()).toBe('seer-Q4_K_M.gguf');
  await dialog.getByText('Which files, and why').click();
  await dialog.getByRole('row', { name: /seer-Q8_0\.gguf another quantization 5\.72 MiB/ }).waitFor();
  await dialog.getByRole('row', { name: /seer-Q4_K_M\.gguf the chosen weights 2\.86 MiB/ }).waitFor();
  await fits(page);
  world.hub.holdsEnds = true;
  await dialog.getByRole('button', { name: 'Download 2.86 MiB' }).click();
  await page.getByRole('progressbar', { name: 'Download of org/seer-GGUF' }).waitFor();

  // A quantization that is being downloaded cannot be chosen again.
  await look('https://huggingface.co/org/seer-GGUF');
  await dialog.getByRole('radio', { name: /^Q4_K_M recommended downloading/ }).waitFor();
  expect(await chosen()).toBe('seer-Q8_0.gguf');
  await page.keyboard.press('Escape');
  world.hub.holdsEnds = false;
  await page.getByRole('status').getByText('org/seer-GGUF:seer-Q4_K_M.gguf is in the store.').waitFor();
  await look('hf.co/org/seer-GGUF:q8_0');
  await dialog.getByRole('radio', { name: /^Q4_K_M recommended in the store/ }).waitFor();
  expect(await chosen()).toBe('seer-Q8_0.gguf');
  const sent = world.hub.sent('seer-Q4_K_M.gguf');
  await dialog.getByRole('button', { name: 'Download 5.72 MiB' }).click();
  await expect.poll(() => world.hub.sent('seer-Q8_0.gguf')).toBeGreaterThanOrEqual(6_000_000);
  expect(world.hub.sent('seer-Q4_K_M.gguf')).toBe(sent);

  await expect
    .poll(async () => {
      await look('org/seer-GGUF');
      const count = await dialog.getByText('in the store', { exact: true }).count();
      if (count < 2) await page.keyboard.press('Escape');
      return count;
    })
    .toBe(2);
  await dialog.getByText(/Every quantization is in the store/).waitFor();
  expect(await dialog.getByRole('button', { name: 'Download' }).isDisabled()).toBe(true);
});

test('the page of a model lists its quantizations, and each is staged and deleted alone', wants('chromium'), async () => {
  const world = await fleetWorld();
  await writeFiles(join(world.home, 'seer'), { 'seer-Q4_K_M.gguf': noise(3000), 'seer-Q8_0.gguf': noise(6000, 2), 'config.json': '{}' });
  expect(await world.host('add', join(world.home, 'seer'), '--as', 'org/seer')).toMatchObject({ status: 0 });
  const host = await world.hostInProcess();
  const { page } = await openBrowser();
  await page.goto(`${host.apiUrl}/org/seer`);
  await page.getByRole('row', { name: /^Q4_K_M 4\.\d\d 2\.93 KiB –/ }).waitFor();
  await page.getByRole('row', { name: /^Q8_0 8\.\d\d 5\.86 KiB –/ }).waitFor();
  await fits(page);

  const staged = (): Promise<readonly string[]> =>
    readdir(join(world.home, 'host/staging/org--seer')).then(
      (names) => names.filter((name) => name.endsWith('.gguf')).toSorted(),
      () => [],
    );
  for (const [selector, files] of [
    ['Q8_0', ['seer-Q8_0.gguf']],
    ['Q4_K_M', ['seer-Q4_K_M.gguf', 'seer-Q8_0.gguf']],
  ] as const) {
    await page.getByRole('button', { name: `Stage org/seer:${selector} on ${hostname()}` }).click();
    await expect.poll(staged).toEqual(files);
    await page.getByRole('row', { name: new RegExp(`^${selector} .* ${hostname()} `) }).waitFor();
  }
  // One of them is purged, and the other stays as it is.
  await page.getByRole('button', { name: 'Purge staged copies of org/seer:Q8_0' }).click();
  await page.getByRole('dialog', { name: 'Purge org/seer:Q8_0?' }).getByRole('button', { name: 'Purge 5.86 KiB' }).click();
  await page.getByRole('dialog', { name: '5.86 KiB freed' }).getByRole('button', { name: 'Close' }).last().click();
  expect(await staged()).toEqual(['seer-Q4_K_M.gguf']);
  await page.getByRole('row', { name: /^Q8_0 .* –/ }).waitFor();
  // The row knows it at once, and the button when this machine has reported it to the store.
  await expect.poll(() => page.getByRole('button', { name: 'Purge staged copies of org/seer:Q8_0' }).isDisabled()).toBe(true);

  await page.getByRole('button', { name: 'Delete org/seer:Q4_K_M' }).click();
  const question = page.getByRole('dialog', { name: 'Delete org/seer:Q4_K_M?' });
  await question.getByText(/Q8_0 stays\./).waitFor();
  expect(await question.locator('.freed').innerText()).toMatch(/^The store\s+2\.93 KiB/);
  await question.getByRole('button', { name: 'Delete everywhere' }).click();
  await page.getByRole('dialog', { name: 'org/seer:Q4_K_M was deleted' }).getByRole('button', { name: 'Close' }).last().click();
  await page.getByRole('row', { name: /^Q4_K_M/ }).waitFor({ state: 'detached' });
  expect((await readdir(join(world.home, 'host/store/org--seer'))).toSorted()).toEqual(['config.json', 'seer-Q8_0.gguf']);
  await page.getByRole('button', { name: 'Add a quantization' }).click();
  expect(await page.getByRole('dialog', { name: 'Add a model' }).getByLabel('Model on Hugging Face').inputValue()).toBe('org/seer');
});

longTest('a quantization with an outdated copy is marked, and no other one, until it is staged again', wants('chromium'), async () => {
  const world = await fleetWorld();
  const add = async (four: Buffer): Promise<void> => {
    await writeFiles(join(world.home, 'seer'), { 'seer-Q4_K_M.gguf': four, 'seer-Q8_0.gguf': noise(6000, 2), 'config.json': '{}' });
    expect(await world.host('add', join(world.home, 'seer'), '--as', 'org/seer', '--force')).toMatchObject({ status: 0 });
  };
  await add(noise(3000));
  const host = await world.hostInProcess();
  expect(await world.host('stage', 'org/seer:Q4_K_M', 'org/seer:Q8_0')).toMatchObject({ status: 0 });
  await add(noise(3000, 3));
  const { page } = await openBrowser();
  await page.goto(`${host.apiUrl}/org/seer`);
  await page.getByRole('row', { name: new RegExp(`^Q4_K_M older copy .* ${hostname()} \\(older\\) `) }).waitFor();
  await page.getByRole('row', { name: new RegExp(`^Q8_0 8.* ${hostname()} `) }).waitFor();
  await page.getByText('On this machine, Q4_K_M is older than in the store.').waitFor();
  await page.getByRole('listitem').filter({ hasText: hostname() }).getByText('older: Q4_K_M').waitFor();
  await fits(page);
  await page.getByRole('button', { name: `Stage org/seer:Q4_K_M on ${hostname()}` }).click();
  await page.getByText('older copy').waitFor({ state: 'detached' });
});
