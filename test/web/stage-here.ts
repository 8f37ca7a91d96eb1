import type { Page } from 'playwright-core';

/** Stages on the machine of the page, by the menu of a button that is named after the model or quantization. */
export async function stageHere(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: `Stage ${name}`, exact: true }).click();
  const menu = page.getByRole('dialog', { name: `Stage ${name}`, exact: true });
  await menu.getByRole('button', { name: /^Stage (?:again )?on .* this machine/ }).click();
  await menu.getByRole('button', { name: /^Stage again on .* has it/ }).waitFor();
  await page.keyboard.press('Escape');
}
