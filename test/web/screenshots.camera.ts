import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { pageLink } from '../helpers/page-link.ts';
import { openBrowser } from './browser.ts';
import { type Scenery, serveIn, showcase } from './showcase.ts';

/* Not tests but a camera: `npm run screenshots` makes the pictures of the README again, on a prepared machine (tools/screenshots.sh). */

const { SKULK_SCREENSHOTS: directory, SKULK_SCREENSHOTS_STORE: storePath, SKULK_SCREENSHOTS_HOME: home } = process.env;
const listen = ['--host', '0.0.0.0', '--advertise', '192.168.1.10'];
const scenery: Scenery | undefined = home === undefined || storePath === undefined ? undefined : { home, storePath, listen };
const wide = { width: 1280, height: 800 };
const narrow = { width: 390, height: 844 };

async function take(page: Page, name: string): Promise<void> {
  await mkdir(directory ?? '', { recursive: true });
  await page.screenshot({ path: join(directory ?? '', `${name}.png`), animations: 'disabled' });
}

test('screenshots of a used store', async () => {
  const { host, world } = await showcase(scenery);
  world.hub.rate = 60 * 1024 * 1024;
  const { page } = await openBrowser();
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme });
    // A link that differs in its fragment alone would leave the old page there until the new one is.
    await page.goto('about:blank');
    await page.goto(await pageLink(host));
    await page.getByRole('button', { name: 'Add a model' }).click();
    await page.getByLabel('Model on Hugging Face').fill('unsloth/Qwen3-8B-GGUF');
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await page.getByRole('checkbox', { name: /^Q4_K_M/ }).setChecked(false);
    if (theme === 'light') await page.getByRole('checkbox', { name: /^UD-Q4_K_XL/ }).check();
    await page.getByRole('checkbox', { name: /^Q8_0/ }).check();
    await take(page, `add-${theme}`);
    // The second time it is being downloaded.
    if (theme === 'light') {
      await page.getByRole('checkbox', { name: /^Q8_0/ }).uncheck();
      await page.getByRole('button', { name: /^Add UD-Q4_K_XL/ }).click();
      await page.getByText(/^1\d % of /).waitFor();
    }
    await page.getByRole('link', { name: 'Store' }).first().click();
    await page.mouse.move(0, 0);
    await page.getByText(/ left$/).waitFor();
    // These two come with answers of their own.
    await page.getByText('to nodes').waitFor();
    await page.getByText('older copy').filter({ visible: true }).waitFor();
    await take(page, `store-${theme}`);
    await page.setViewportSize(narrow);
    await take(page, `store-narrow-${theme}`);
    await page.setViewportSize(wide);
    await page.getByRole('link', { name: 'mlx-community/Qwen3-30B-A3B-4bit' }).click();
    await page.getByRole('heading', { name: 'Files' }).waitFor();
    await take(page, `details-${theme}`);
    await page.getByRole('link', { name: 'Store' }).first().click();
    await page.getByRole('button', { name: 'Actions for mlx-community/Qwen3-30B-A3B-4bit' }).click();
    await page.getByRole('button', { name: 'Delete the model…' }).click();
    await take(page, `delete-${theme}`);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Nodes' }).click();
    await page.getByRole('row', { name: /gpu-box-1/ }).waitFor();
    await page.mouse.move(0, 0);
    await take(page, `nodes-${theme}`);
    await page.getByRole('link', { name: /^Activity/ }).click();
    await page.getByRole('heading', { name: 'Log' }).waitFor();
    await take(page, `activity-${theme}`);
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByLabel('Budget for idle copies').fill('100');
    await page.getByText('1 change').waitFor();
    await page.evaluate('scrollTo(0, 0)');
    await take(page, `settings-${theme}`);
  }
  expect(await page.title()).toBe('Settings · skulk');
});

test('screenshots of a first start', async () => {
  const world = await hubWorld();
  const host = await serveIn(world, scenery && { ...scenery, home: join(scenery.home, '../.skulk') });
  const { page } = await openBrowser();
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme });
    // A link that differs in its fragment alone would leave the old page there until the new one is.
    await page.goto('about:blank');
    await page.goto(await pageLink(host));
    await page.getByRole('heading', { name: 'Welcome' }).waitFor();
    await page.mouse.move(0, 0);
    await take(page, `first-start-${theme}`);
  }
  expect(await page.title()).toBe('Store · skulk');
});
