import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise } from '../helpers/model-files.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';
import { looksWell } from './model-store.ts';

/** What has the focus: its row, and its text. */
const focused = (page: Page): Promise<unknown> =>
  page.evaluate("[document.activeElement.closest('tr')?.dataset.reference, document.activeElement.textContent]");

test(
  'the quantizations of a model open below it, with the columns and the actions of a model, and stay open in this tab',
  wants('chromium'),
  async () => {
    const world = await hubWorld();
    world.hub.push('org/seer-GGUF', {
      files: {
        'seer-Q4_K_M.gguf': noise(3_000, 1),
        'seer-Q8_0.gguf': noise(6_000, 2),
        'seer-Q2_K.gguf': noise(1_000, 3),
        'config.json': '{}',
      },
    });
    world.hub.push('org/plain', { files: { 'model.safetensors': noise(500, 4) } });
    for (const name of ['org/seer-GGUF:Q4_K_M', 'org/seer-GGUF:Q8_0', 'org/plain'])
      expect(await world.host('download', name)).toMatchObject({ status: 0 });
    const host = await world.serveInProcess();
    const { page, newTab } = await openBrowser();
    await page.goto(host.apiUrl);
    const opener = page.getByRole('button', { name: 'Quantizations of org/seer-GGUF', exact: true });
    await page.getByRole('row', { name: /^Quantizations of org\/seer-GGUF .* 2 of 3 / }).waitFor();
    expect(await opener.getAttribute('aria-expanded')).toBe('false');
    const rows = page.locator('tr.sub');
    await opener.click();
    await page.getByRole('row', { name: /^Q8_0 8\.\d bits per weight 5\.86 KiB not staged never/ }).waitFor();
    await page.getByRole('row', { name: /^Q4_K_M 4\.\d bits per weight 2\.93 KiB not staged never/ }).waitFor();
    expect(await rows.locator('.row-link').allTextContents()).toEqual(['Q8_0', 'Q4_K_M']);
    expect(await page.getByRole('button', { name: /^Quantizations of / }).count()).toBe(1);
    await looksWell(page);

    // Another tab has its own rows, and a reload keeps those of this one.
    const other = await newTab();
    await other.goto(host.apiUrl);
    await other.getByRole('row', { name: /org\/seer-GGUF/ }).waitFor();
    expect(await other.locator('tr.sub').count()).toBe(0);
    await page.bringToFront();
    await page.reload();
    await page.getByRole('row', { name: /^Q8_0/ }).waitFor();

    // One quantization is staged alone.
    await page.getByRole('button', { name: 'Stage org/seer-GGUF:Q8_0' }).click();
    const menu = page.getByRole('dialog', { name: 'Stage org/seer-GGUF:Q8_0' });
    await menu.getByRole('button', { name: /^Stage on .* this machine/ }).click();
    await menu.getByRole('button', { name: /^Stage again on .* has it/ }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('row', { name: new RegExp(`^Q8_0 .* ${hostname()} `) }).waitFor();
    await page.getByRole('row', { name: /^Q4_K_M .* not staged / }).waitFor();
    expect(await readdir(join(world.home, 'host/staging/org--seer-GGUF'))).not.toContain('seer-Q4_K_M.gguf');

    // Keys go from row to row, and open and close the quantizations from each of their rows.
    await page.keyboard.press('k');
    await expect.poll(() => focused(page)).toEqual(['org/seer-GGUF', 'org/seer-GGUF']);
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => focused(page)).toEqual(['org/seer-GGUF:Q8_0', 'Q8_0']);
    await page.keyboard.press('s');
    await menu.waitFor();
    await page.keyboard.press('Escape');
    await menu.waitFor({ state: 'detached' });
    await page.keyboard.press('j');
    await expect.poll(() => focused(page)).toEqual(['org/seer-GGUF:Q4_K_M', 'Q4_K_M']);
    await page.keyboard.press('o');
    await expect.poll(() => rows.count()).toBe(0);
    await expect.poll(() => focused(page)).toEqual(['org/seer-GGUF', 'org/seer-GGUF']);
    await page.keyboard.press('o');
    await page.getByRole('row', { name: /^Q4_K_M/ }).waitFor();

    // On a phone one button of the row has every action, from the bottom edge.
    await page.setViewportSize({ width: 390, height: 800 });
    await page.getByRole('button', { name: '2 of 3 quantizations of org/seer-GGUF' }).waitFor();
    const row = page.getByRole('row', { name: /^Q4_K_M/ });
    expect(await row.getByRole('button').allTextContents()).toEqual(['']);
    await row.getByRole('button', { name: 'Actions for org/seer-GGUF:Q4_K_M' }).click();
    const sheet = page.getByRole('dialog', { name: 'org/seer-GGUF:Q4_K_M', exact: true });
    expect(await sheet.evaluate('((one) => Math.round(one.getBoundingClientRect().bottom))(document.querySelector("dialog"))')).toBe(800);
    await looksWell(page);
    await page.setViewportSize({ width: 390, height: 800 });
    await sheet.getByRole('button', { name: 'Stage…' }).click();
    await page.getByRole('dialog', { name: 'Stage org/seer-GGUF:Q4_K_M' }).waitFor();
    await page.keyboard.press('Escape');
    await row.getByRole('button', { name: 'Actions for org/seer-GGUF:Q4_K_M' }).click();
    await sheet.getByRole('button', { name: 'Delete Q4_K_M…' }).click();
    const question = page.getByRole('dialog', { name: 'Delete org/seer-GGUF:Q4_K_M?' });
    await question.getByText(/Q8_0 stays\./).waitFor();
    await question.getByRole('button', { name: 'Delete everywhere' }).click();
    await page
      .getByRole('dialog', { name: /was deleted$/ })
      .getByRole('button', { name: 'Close' })
      .last()
      .click();
    // The only quantization that is left needs no rows of its own.
    await expect.poll(() => rows.count()).toBe(0);
  },
);
