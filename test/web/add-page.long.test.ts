import { expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise } from '../helpers/model-files.ts';
import { pageLink } from '../helpers/page-link.ts';
import { files, id } from '../helpers/twelve-quantizations.ts';
import { wants } from '../helpers/wants.ts';
import { findViolations } from './accessibility.ts';
import { openBrowser } from './browser.ts';

test(
  'the pages that add models are accessible and fit at every width, in light and dark, in each of their states',
  wants('chromium'),
  async () => {
    const world = await hubWorld();
    world.hub.push(id, { files });
    world.hub.push('bartowski/closed', { files: { 'w.safetensors': noise(1000) }, gated: true });
    world.hub.push(`bartowski/${'long-'.repeat(18)}name`, { files: { 'w.safetensors': noise(1000) } });
    const host = await world.serveInProcess();
    expect(await world.host('download', `${id}:Q2_K`)).toMatchObject({ status: 0 });
    world.hub.holdsEnds = true;
    const { page } = await openBrowser();
    const look = async (what: string): Promise<void> => {
      for (const colorScheme of ['light', 'dark'] as const) {
        for (const width of [320, 390, 760, 900, 1280, 1920]) {
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
          await page.setViewportSize({ width, height: 800 });
          const isTooWide = await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');
          expect([what, colorScheme, width, isTooWide, await findViolations(page)]).toEqual([what, colorScheme, width, false, []]);
        }
      }
    };
    await page.goto(await pageLink(host, '/add'));
    await page.getByLabel('Model on Hugging Face').waitFor();
    await look('nothing asked');
    await page.getByLabel('Model on Hugging Face').fill('bartowski');
    await page.getByRole('list', { name: 'Models on Hugging Face' }).waitFor();
    await look('what was found');
    await page.getByRole('link', { name: /closed/ }).click();
    await page.getByRole('region', { name: 'Hugging Face token' }).waitFor();
    await look('a gated model');
    await page.goto(`${host.apiUrl}/add/${id}?part=NONE`);
    for (const label of ['BF16', 'Q8_0']) await page.getByRole('checkbox', { name: label }).check();
    await page.getByText('Which files of BF16, and why').click();
    await page
      .getByRole('row', { name: /another quantization/ })
      .first()
      .waitFor();
    await look('the choice');
    await page.getByRole('button', { name: /^Add 3/ }).click();
    await page
      .getByRole('row', { name: /^Q4_K_M/ })
      .getByRole('progressbar')
      .waitFor();
    await look('what is being added');
    await page.goto(`${host.apiUrl}/${id}`);
    await page.getByText('1 of 12 in the store').waitFor();
    await look('the page of a model that is being added to');
    world.hub.holdsEnds = false;
    await page.getByText('4 of 12 in the store').waitFor();
  },
);
