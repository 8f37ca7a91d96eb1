import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { openBrowser } from './browser.ts';
import { showcase } from './showcase.ts';

/*
 * Not a test but a camera: `npm run screenshots` writes the pictures of the README anew. They show the name of the machine that
 * they are made on.
 */

const isWanted = process.env['SKULK_SCREENSHOTS'] !== undefined;
const directory = process.env['SKULK_SCREENSHOTS'] || fileURLToPath(new URL('../../docs/', import.meta.url));

async function take(page: Page, name: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  // What was said in passing is over by then.
  await page.screenshot({ path: join(directory, `${name}.png`), animations: 'disabled' });
}

test.runIf(isWanted)('pictures of a store in use', { timeout: 180_000 }, async () => {
  const { host, world } = await showcase();
  world.hub.rate = 40 * 1024 * 1024;
  const { page } = await openBrowser();
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme });
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(host.apiUrl);
    await page.getByRole('button', { name: 'Add a model' }).click();
    await page.getByLabel('Model on Hugging Face').fill('unsloth/Qwen3-8B-GGUF');
    await page.getByRole('button', { name: 'Look it up' }).click();
    await page.getByLabel('UD-Q4_K_XL').check();
    await take(page, `add-${theme}`);
    if (theme === 'light') await page.getByRole('button', { name: /^Download 4/ }).click();
    else await page.keyboard.press('Escape');
    await page.getByText(/MiB\/s, .* left/).waitFor();
    await page
      .getByRole('button', { name: 'Dismiss', exact: true })
      .click({ timeout: 2000 })
      .catch(() => {});
    await take(page, `store-${theme}`);
    await page.setViewportSize({ width: 390, height: 844 });
    await take(page, `store-narrow-${theme}`);
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByRole('link', { name: 'mlx-community/Qwen3-30B-A3B-4bit' }).click();
    await page.getByRole('heading', { name: 'Files' }).waitFor();
    await take(page, `details-${theme}`);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Delete mlx-community/Qwen3-30B-A3B-4bit' }).click();
    await take(page, `delete-${theme}`);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Nodes' }).click();
    await page.getByRole('heading', { name: 'gpu-box-1' }).waitFor();
    await take(page, `nodes-${theme}`);
    await page.setViewportSize({ width: 390, height: 844 });
    await take(page, `nodes-narrow-${theme}`);
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByLabel('Budget for idle copies').fill('100');
    await take(page, `settings-${theme}`);
  }
  expect(await page.title()).toBe('Settings · skulk');
});

test.runIf(isWanted)('pictures of a first start', { timeout: 60_000 }, async () => {
  const world = await hubWorld();
  const host = await world.serve();
  const { page } = await openBrowser();
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme });
    await page.goto(host.apiUrl);
    await page.getByRole('heading', { name: 'Welcome' }).waitFor();
    await take(page, `first-start-${theme}`);
  }
  expect(await page.title()).toBe('Store · skulk');
});
