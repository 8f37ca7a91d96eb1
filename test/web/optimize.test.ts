import { expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { fullWeights, gatedQuantizer } from '../helpers/quantizer.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';

test(
  'a model is optimized from its details, with the size first, then the progress, then the result',
  wants('chromium', 'llama-quantize'),
  async () => {
    const gated = await gatedQuantizer();
    const world = await hubWorld({ SKULK_ENGINE_LLAMA: gated.program });
    expect(await world.host('add', await fullWeights(), '--as', 'acme/Tiny-GGUF')).toMatchObject({ status: 0 });
    const host = await world.serveInProcess();
    const { page } = await openBrowser();
    await page.goto(`${host.apiUrl}/acme/Tiny-GGUF`);
    await page.getByRole('button', { name: 'Optimize…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Optimize acme/Tiny-GGUF' });
    await dialog
      .getByText(/bits per weight$/)
      .first()
      .waitFor();
    await dialog.getByLabel('Maximum bits per weight').selectOption('8.6');
    await dialog.getByText('acme/Tiny-Q8_0-GGUF').waitFor();
    await dialog.getByRole('button', { name: 'Start' }).click();
    const section = page.getByRole('region', { name: 'Optimizations' });
    await section.getByText('acme/Tiny-Q8_0-GGUF').waitFor();
    await gated.arrived();

    await section.getByRole('button', { name: 'Cancel the optimization acme/Tiny-Q8_0-GGUF' }).click();
    await section.waitFor({ state: 'detached' });
    await page.goto(`${host.apiUrl}/acme/Tiny-GGUF`);

    await page.getByRole('button', { name: 'Optimize…' }).click();
    const id = await dialog.getByText(/^acme\/Tiny-.*-GGUF$/).innerText();
    await dialog.getByRole('button', { name: 'Start' }).click();
    await section.waitFor();
    await gated.open();
    await section.waitFor({ state: 'detached' });
    await page.goto(`${host.apiUrl}/${id}`);
    await page.getByText('by llama').waitFor();
    // A quantized model cannot be quantized again.
    expect(await page.getByRole('button', { name: 'Optimize…' }).count()).toBe(0);
  },
);
