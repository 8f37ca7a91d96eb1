import { expect, test } from 'vitest';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';
import { looksWell } from './model-store.ts';

test('/ goes to the filter, a adds a model, ? lists the keys, and single characters can be switched off', wants('chromium'), async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  const host = await world.hostInProcess();
  const { page } = await openBrowser();
  await page.goto(host.apiUrl);
  const filter = page.getByLabel('Filter models');
  await filter.waitFor();
  const isFocused = (): Promise<boolean> => page.evaluate("document.activeElement?.getAttribute('type') === 'search'");
  await page.keyboard.press('/');
  await expect.poll(isFocused).toBe(true);
  // In a field they are text.
  await page.keyboard.type('o/?');
  expect(await filter.inputValue()).toBe('o/?');

  await filter.fill('');
  await filter.blur();
  await page.keyboard.press('?');
  const dialog = page.getByRole('dialog', { name: 'Keyboard' });
  await dialog.getByText('Go to the filter of the page').waitFor();
  await looksWell(page);
  const box = dialog.getByLabel('Use single characters as keys in this browser');
  await box.uncheck();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  for (const key of ['/', '?', 'a']) await page.keyboard.press(key);
  expect([await isFocused(), await dialog.count()]).toEqual([false, 0]);

  await page.reload();
  await filter.waitFor();
  await page.keyboard.press('?');
  await page.keyboard.press('Control+/');
  await dialog.waitFor();
  expect(await box.isChecked()).toBe(false);
  await box.check();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await page.keyboard.press('/');
  await expect.poll(isFocused).toBe(true);
  await filter.blur();
  await page.keyboard.press('a');
  await page.getByRole('heading', { level: 1, name: 'Add a model' }).waitFor();
});
