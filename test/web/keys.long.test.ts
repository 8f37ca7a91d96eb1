import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';
import { looksWell } from './model-store.ts';

test(
  'every key that ? lists does what it says on the page, not in a field, and single characters can be switched off',
  wants('chromium'),
  async () => {
    const world = await fleetWorld();
    await world.add('org/one');
    await writeFiles(join(world.home, 'two'), { 'two-Q8_0.gguf': 'twice the bytes', 'two-Q4_K_M.gguf': 'bytes' });
    expect(await world.host('add', join(world.home, 'two'), '--as', 'org/two')).toMatchObject({ status: 0 });
    const host = await world.hostInProcess();
    const { page } = await openBrowser();
    await page.goto(host.apiUrl);
    const filter = page.getByLabel('Filter models');
    await filter.waitFor();
    await page.getByRole('link', { name: 'org/two' }).waitFor();
    const isFocused = (): Promise<boolean> => page.evaluate("document.activeElement?.getAttribute('type') === 'search'");
    const row = (): Promise<unknown> => page.evaluate("document.activeElement?.closest('tr')?.dataset.reference");
    const heading = (name: string): Promise<void> => page.getByRole('heading', { level: 1, name }).waitFor();
    await page.keyboard.press('/');
    await expect.poll(isFocused).toBe(true);
    // In a field they are text.
    await page.keyboard.type('o/?');
    expect(await filter.inputValue()).toBe('o/?');
    await filter.fill('');
    await filter.blur();

    // Rows: the largest model is the first.
    for (const [key, reference] of [
      ['j', 'org/two'],
      ['j', 'org/one'],
      ['k', 'org/two'],
      ['o', 'org/two'],
      ['ArrowDown', 'org/two:Q8_0'],
      ['j', 'org/two:Q4_K_M'],
      ['ArrowUp', 'org/two:Q8_0'],
    ] as const) {
      await page.keyboard.press(key);
      await expect.poll(row, { message: key }).toBe(reference);
      if (key === 'o') await expect.poll(() => page.locator('tr.sub .row-link').count()).toBe(2);
    }
    await page.keyboard.press('c');
    await page.getByText('Copied org/two:Q8_0.').waitFor();
    await page.keyboard.press('s');
    await page.getByRole('dialog', { name: 'Stage org/two:Q8_0' }).waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    await page.keyboard.press('o');
    await expect.poll(() => page.locator('tr.sub').count()).toBe(0);
    await expect.poll(row).toBe('org/two');
    await page.keyboard.press('Enter');
    await heading('org/two');

    // Pages. Both keys come in one moment, because the second one may come late on a busy machine.
    for (const [key, name] of [
      ['n', 'Nodes'],
      ['a', 'Activity'],
      ['t', 'Settings'],
      ['s', 'Store'],
    ] as const) {
      const press = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))";
      await page.evaluate(`for (const key of ['g', '${key}']) ${press}`);
      await heading(name);
    }
    await page.keyboard.press('a');
    await heading('Add a model');
    await page.goto(host.apiUrl);
    await page.getByRole('link', { name: 'org/one' }).waitFor();
    await page.keyboard.press('?');
    const dialog = page.getByRole('dialog', { name: 'Keyboard' });
    await dialog.getByText('Go to the filter of the page').waitFor();
    await looksWell(page);
    const box = dialog.getByLabel('Use single characters as keys in this browser');
    await box.uncheck();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    await page.getByRole('link', { name: 'org/one' }).focus();
    for (const key of ['/', '?', 'a', 'j', 'k', 's', 'c', 'g', 'n']) await page.keyboard.press(key);
    expect([await isFocused(), await dialog.count(), await row()]).toEqual([false, 0, 'org/one']);
    // An arrow is not a character.
    await page.keyboard.press('ArrowUp');
    await expect.poll(row).toBe('org/two');

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
  },
);
