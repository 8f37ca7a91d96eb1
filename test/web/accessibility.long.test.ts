import { hostname } from 'node:os';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { makeManifest } from '../../src/core/catalog/manifest.ts';
import type { ModelId } from '../../src/core/kernel/model-id.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { sha256 } from '../helpers/model-files.ts';
import { adminKeyOf, pageLink } from '../helpers/page-link.ts';
import { ask } from '../helpers/raw-http.ts';
import { isLong } from '../helpers/seeded.ts';
import { wants } from '../helpers/wants.ts';
import { findViolations } from './accessibility.ts';
import { openBrowser } from './browser.ts';
import { showcase } from './showcase.ts';

/** Announces a model without sending any data. */
async function beginUpload(url: string, key: string): Promise<void> {
  const file = { path: 'a.bin', size: 5, sha256: sha256('bytes') };
  const manifest = makeManifest('mlx-community/Qwen3-Coder-30B-A3B-Instruct-4bit' as ModelId, [file] as never, {
    source: 'add',
    createdAt: new Date(),
  });
  const { status } = await ask(url, `/uploads/${encodeURIComponent(manifest.model_id)}`, {
    method: 'PUT',
    body: JSON.stringify(manifest),
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
  });
  expect(status).toBe(200);
}

const isTooWide = (page: Page): Promise<unknown> =>
  page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');

/** Each theme in one width, or in all. */
const widths = { light: isLong ? [1280, 320] : [320], dark: isLong ? [1280, 320] : [1280] } as const;

/** The colours of a theme; in the short form the second theme is checked only for these. */
const rulesOf = { light: undefined, dark: isLong ? undefined : ['color-contrast'] } as const;

/** Checks the page in both themes, wide and narrow; the short form checks the second theme where all colours are: at the store. */
async function look(page: Page, what: string): Promise<void> {
  for (const colorScheme of isLong || what === 'the store' ? (['light', 'dark'] as const) : (['light'] as const)) {
    for (const width of widths[colorScheme]) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 800 });
      expect([what, colorScheme, width, await findViolations(page, rulesOf[colorScheme])]).toEqual([what, colorScheme, width, []]);
      expect([what, width, await isTooWide(page)]).toEqual([what, width, false]);
    }
  }
  await page.setViewportSize({ width: 1280, height: 800 });
}

/** Dialogs, and pages in another state, are made of the same parts as the rest; the short form looks at each page once. */
const lookAtMore = isLong ? look : async (): Promise<void> => {};

test(
  'axe-core finds no problem on any page and dialog of a used store, in light and dark, wide and narrow',
  wants('chromium'),
  async () => {
    const { host, world } = await showcase();
    world.hub.rate = 4_000_000;
    const { page } = await openBrowser();
    await page.goto(await pageLink(host));
    await page.getByRole('button', { name: 'Add a model' }).click();
    await page.getByLabel('Model on Hugging Face').fill('mlx');
    await page.getByRole('list', { name: 'Models on Hugging Face' }).waitFor();
    await lookAtMore(page, 'what a search found');
    await page.getByLabel('Model on Hugging Face').fill('unsloth/Qwen3-8B-GGUF');
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await page.getByRole('button', { name: /^Add Q4_K_M/ }).waitFor();
    await lookAtMore(page, 'the choice of quantizations');
    await page.getByRole('button', { name: /^Add Q4_K_M/ }).click();
    await page.getByText(/ left$/).waitFor();
    await lookAtMore(page, 'a model that is being added');
    await page.getByRole('link', { name: 'Store' }).first().click();
    await page.getByText(/ left$/).waitFor();
    await look(page, 'the store');
    await page.getByRole('link', { name: 'mlx-community/Qwen3-30B-A3B-4bit' }).click();
    await page.getByRole('heading', { name: 'Files' }).waitFor();
    await page.getByRole('tab', { name: 'MLX' }).click();
    await page.getByText('This model has no README in the store.').waitFor();
    await look(page, 'the page of a model');
    await page.getByRole('link', { name: 'Store' }).first().click();
    await page.getByRole('button', { name: 'Actions for mlx-community/Qwen3-30B-A3B-4bit' }).click();
    await lookAtMore(page, 'the actions of a model');
    await page.getByRole('button', { name: 'Delete the model…' }).click();
    await lookAtMore(page, 'the question before a delete');
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Nodes' }).click();
    await page.getByRole('row', { name: /gpu-box-1/ }).waitFor();
    await look(page, 'the nodes');
    await page.getByRole('link', { name: 'gpu-box-1' }).click();
    await page.getByRole('heading', { level: 1, name: 'gpu-box-1' }).waitFor();
    await look(page, 'a node');
    await page.getByRole('button', { name: 'Purge all on gpu-box-1' }).click();
    await lookAtMore(page, 'the question before a purge');
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: /^Activity/ }).click();
    await page.getByRole('region', { name: 'Log' }).waitFor();
    await look(page, 'the activity');
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByLabel('Budget for idle copies').fill('-1');
    await page.getByText('This must be 0 or more.').waitFor();
    await page.getByLabel('Name of a new token').fill('laptop');
    await page.getByRole('button', { name: 'Create a token' }).click();
    await page.getByText('it is not shown again').waitFor();
    await look(page, 'the settings');
    await page.getByRole('button', { name: 'Revoke the token laptop' }).click();
    await lookAtMore(page, 'the question before a token ends');
    await page.keyboard.press('Escape');
    await page.getByRole('radio', { name: /^List and fetch/ }).check();
    await page.getByRole('button', { name: 'Update access' }).click();
    await page.getByText(/^Access control saved/).waitFor();
    await page.getByRole('button', { name: 'Browse for: Directory of the copies' }).click();
    await page.getByRole('dialog').getByRole('list').waitFor();
    await lookAtMore(page, 'the directories');
    await page.keyboard.press('Escape');
    await beginUpload(host.url, await adminKeyOf(host.home));
    await page.getByRole('button', { name: /^Access: / }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Give back the key' }).click();
    await page.getByRole('button', { name: 'Access: Read only' }).click();
    await lookAtMore(page, 'what one may do');
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Store' }).click();
    await page.getByRole('region', { name: 'Unfinished uploads' }).waitFor();
    await lookAtMore(page, 'a store that may only be looked at');
    await host.kill();
    await page.getByText(/This server does not answer/).waitFor();
    await look(page, 'a server that is gone');
  },
);

test('axe-core finds no problem on a first start, on a page without the key, and after a wrong token', wants('chromium'), async () => {
  const world = await hubWorld();
  const host = await world.serveInProcess();
  const { page } = await openBrowser();
  await page.goto(host.apiUrl);
  await page.getByRole('heading', { name: 'Welcome' }).waitFor();
  await look(page, 'the first start');
  await page.getByRole('link', { name: 'Nodes' }).click();
  await page.getByRole('heading', { name: 'Nodes' }).waitFor();
  await look(page, 'no nodes');
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('region', { name: 'Read-only' }).waitFor();
  await look(page, 'settings without the key');
  await host.stop();
  const closed = await world.serveInProcess({ SKULK_TOKEN: 'a-good-token' });
  await page.goto(closed.apiUrl);
  await page.getByLabel('Token').fill('a-bad-token');
  await page.keyboard.press('Enter');
  await page.getByText('This token is invalid or was revoked.').waitFor();
  await look(page, 'a wrong token');
});

/** What is pressed and is lower than a finger needs, with its height; a link within a text does not count. */
const lowTargets = (page: Page): Promise<unknown> =>
  page.evaluate(`[...document.querySelectorAll('button, summary, select, input, nav a')]
    .map((one) => one.closest('label') ?? one)
    .filter((one) => one.offsetParent !== null)
    .map((one) => [one.getBoundingClientRect().height, one.getAttribute('aria-label') ?? one.textContent])
    .filter(([height]) => height < 40)`);

/** What is wider than the card that it is in, or lies outside of it, so that its end cannot be seen. The tabs of programs scroll in their own box. */
const cutOff = (page: Page): Promise<unknown> =>
  page.evaluate(`[...document.querySelectorAll('.card :is(p, h2, button, td, th, input, select, .label, .badge)')]
    .filter((one) => one.checkVisibility() && one.closest('.visually-hidden, pre, .readme, dialog, .program-tabs') === null)
    .filter((one) => one.getBoundingClientRect().right > one.closest('.card').getBoundingClientRect().right + 1)
    .map((one) => one.outerHTML.slice(0, 120))`);

test(
  'no page of a store in use scrolls sideways, on any screen, and on a phone a finger can press everything',
  wants('chromium'),
  async () => {
    const { host } = await showcase();
    const { page } = await openBrowser();
    for (const [path, heading] of [
      ['/', 'Store'],
      ['/add', 'Add a model'],
      ['/bartowski/gemma-3-12b-it-GGUF', 'bartowski/gemma-3-12b-it-GGUF'],
      ['/nodes', 'Nodes'],
      ['/nodes/mac-studio-1', hostname()],
      ['/activity', 'Activity'],
      ['/settings', 'Settings'],
    ] as const) {
      await page.goto(host.apiUrl + path);
      await page.getByRole('heading', { level: 1, name: heading }).waitFor();
      await expect.poll(() => page.locator('.card').count()).toBeGreaterThan(0);
      // A window of 1280 pixels at 200 % has 640.
      for (const width of [320, 390, 640, 760, 850, 1000, 1280, 1920]) {
        await page.setViewportSize({ width, height: 800 });
        expect([path, width, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([path, width, width]);
        expect([path, width, await cutOff(page)]).toEqual([path, width, []]);
        if (width <= 760) expect([path, width, await lowTargets(page)]).toEqual([path, width, []]);
      }
    }
    // Where the system chooses the colours, a bar has an edge, and a filling in it.
    await page.goto(host.apiUrl);
    await page.emulateMedia({ forcedColors: 'active' });
    await page.locator('.share').first().waitFor();
    expect(await page.evaluate("getComputedStyle(document.querySelector('.bar')).borderTopStyle")).toBe('solid');
    expect(await page.evaluate("getComputedStyle(document.querySelector('.bar-part')).forcedColorAdjust")).toBe('none');
    expect(await page.evaluate("getComputedStyle(document.querySelector('.share')).borderTopStyle")).toBe('solid');
    expect(await page.evaluate("getComputedStyle(document.querySelector('.share > span')).forcedColorAdjust")).toBe('none');
    await page.emulateMedia({ forcedColors: 'none' });
  },
);

test('every action works with the keyboard, and a dialog keeps the focus and returns it', wants('chromium'), async () => {
  const { host } = await showcase();
  const { page } = await openBrowser();
  await page.goto(host.apiUrl);
  await page.getByRole('link', { name: 'mlx-community/Qwen3-4B-4bit' }).waitFor();
  const focused = (): Promise<unknown> =>
    page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent");
  await page.keyboard.press('Tab');
  expect(await focused()).toBe('Skip to the content');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  expect(await focused()).toBe('Add a model');
  const opener = 'Access: LAN: may change models';
  await page.getByRole('button', { name: opener }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  for (let step = 0; step < 8; step += 1) {
    await page.keyboard.press('Tab');
    expect(await page.evaluate("document.activeElement === document.body || document.activeElement.closest('dialog') !== null")).toBe(true);
  }
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await focused()).toBe(opener);
  await page.getByRole('link', { name: 'mlx-community/Qwen3-4B-4bit' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'mlx-community/Qwen3-4B-4bit' }).waitFor();
  // The next page begins at its beginning.
  expect(await page.evaluate('document.activeElement.id')).toBe('main');
});
