import { readdir, statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, writeFiles } from '../helpers/model-files.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';
import { looksWell } from './model-store.ts';
import { stageHere } from './stage-here.ts';

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
  const look = async (text: string): Promise<void> => {
    await page.goto(`${host.apiUrl}/add`);
    await page.getByLabel('Model on Hugging Face').fill(text);
    await page.keyboard.press('Enter');
    await page.getByRole('row', { name: /^Q8_0/ }).waitFor();
  };
  const box = (label: string, checked: boolean) => page.getByRole('checkbox', { name: new RegExp(`^${label}`), checked });

  // A typo shows the existing ones beside the field.
  await look('org/seer-GGUF:Q5_K_X');
  await page
    .getByRole('alert')
    .getByText(/Q4_K_M.*Q8_0|Q8_0.*Q4_K_M/)
    .waitFor();
  await box('Q4_K_M', true).waitFor();
  await page.getByText('Which files, and why').click();
  await page.getByRole('row', { name: /seer-Q8_0\.gguf another quantization 5\.72 MiB/ }).waitFor();
  await page.getByRole('row', { name: /seer-Q4_K_M\.gguf the chosen weights 2\.86 MiB/ }).waitFor();
  // Several have one sum, in which what they share counts once.
  await box('Q8_0', false).check();
  await page.getByRole('button', { name: 'Add 2 (8.58 MiB)' }).waitFor();
  await page.getByText(/ free on /).waitFor();
  await fits(page);
  await box('Q8_0', true).uncheck();
  world.hub.holdsEnds = true;
  await page.getByRole('button', { name: 'Add Q4_K_M (2.86 MiB)' }).click();

  // It is followed in its row; one that is being downloaded cannot be chosen again.
  await page
    .getByRole('row', { name: /^Q4_K_M/ })
    .getByRole('progressbar', { name: /^Download of org\/seer-GGUF/ })
    .waitFor();
  await look('https://huggingface.co/org/seer-GGUF');
  await page
    .getByRole('row', { name: /^Q4_K_M recommended/ })
    .getByRole('progressbar')
    .waitFor();
  expect(await page.getByRole('checkbox').count()).toBe(1);
  await box('Q8_0', false).waitFor();
  world.hub.holdsEnds = false;
  await page.getByRole('row', { name: /^Q4_K_M recommended .* in the store$/ }).waitFor();
  await look('hf.co/org/seer-GGUF:q8_0');
  await box('Q8_0', true).waitFor();
  const sent = world.hub.sent('seer-Q4_K_M.gguf');
  await page.getByRole('button', { name: 'Add Q8_0 (5.72 MiB)' }).click();
  await page.getByText('Every quantization is in the store or downloading.').waitFor();
  await page.getByRole('row', { name: /^Q8_0 .* in the store$/ }).waitFor();
  expect(world.hub.sent('seer-Q4_K_M.gguf')).toBe(sent);
  expect(await page.getByRole('button', { name: 'Add', exact: true }).isDisabled()).toBe(true);
});

test(
  'the page of a model adds quantizations of its repo in their rows, and asks first if one does not fit',
  wants('chromium'),
  async () => {
    const world = await hubWorld();
    const { bavail, bsize } = await statfs(world.home);
    world.hub.push('org/seer-GGUF', {
      files: {
        'seer-Q4_K_M.gguf': noise(3000),
        'seer-Q8_0.gguf': noise(6000, 2),
        'seer-BF16.gguf': { size: 4 * bavail * bsize, read: () => Buffer.alloc(0), sha256: 'b'.repeat(64) },
      },
    });
    const host = await world.serveInProcess();
    expect(await world.host('download', 'org/seer-GGUF')).toMatchObject({ status: 0 });
    const { page } = await openBrowser();
    await page.goto(`${host.apiUrl}/org/seer-GGUF`);
    await page.getByText('1 of 3 in the store, 2.93 KiB').waitFor();
    const rows = page.getByRole('region', { name: 'Quantizations' }).getByRole('row');
    await expect.poll(() => rows.getByRole('rowheader').allInnerTexts()).toEqual(['BF16', 'Q8_0', expect.stringMatching(/^Q4_K_M/)]);
    await looksWell(page);
    await page.getByRole('button', { name: 'In the store 1' }).click();
    expect([await rows.count(), new URL(page.url()).search]).toEqual([2, '?show=stored']);
    await page.getByRole('button', { name: 'All 3' }).click();

    // It starts at once, and its row follows it.
    world.hub.holdsEnds = true;
    await page.getByRole('button', { name: 'Add org/seer-GGUF:Q8_0' }).click();
    await rows.filter({ hasText: 'Q8_0' }).getByRole('progressbar').waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
    world.hub.holdsEnds = false;
    await page.getByText('2 of 3 in the store, 8.79 KiB').waitFor();

    // One that is larger than the disk is a question.
    await page.getByRole('button', { name: 'Add org/seer-GGUF:BF16' }).click();
    const question = page.getByRole('dialog', { name: 'Add org/seer-GGUF:BF16?' });
    await question.getByText(/^BF16 needs [\d.]+ [GTP]iB; .* are free on /).waitFor();
    await question.getByRole('button', { name: 'Add BF16' }).click();
    // The row shows the failure.
    await rows
      .filter({ hasText: 'BF16' })
      .getByRole('alert')
      .getByText(/needs .* are free/)
      .waitFor();

    // Without Hugging Face there is what the store has, and a way to ask again.
    world.hub.apiFault = (_, response) => {
      response.writeHead(503, { 'Content-Length': '0' }).end();
      return true;
    };
    await page.reload();
    await page.getByText(/ Only quantizations in the store are shown\.$/).waitFor();
    expect(await rows.count()).toBe(3);
    world.hub.apiFault = undefined;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('2 of 3 in the store, 8.79 KiB').waitFor();
  },
);

test('nothing moves under the pointer while a quantization is staged, and a menu scrolls nothing', wants('chromium'), async () => {
  const world = await fleetWorld();
  const names = ['Q8_0', 'Q6_K', 'Q5_K_M', 'Q4_K_M', 'Q3_K_M', 'Q2_K'];
  const files = names.map((name, at) => [`seer-${name}.gguf`, noise(60_000 - at * 9000, at)]);
  await writeFiles(join(world.home, 'seer'), Object.fromEntries(files));
  expect(await world.host('add', join(world.home, 'seer'), '--as', 'org/seer')).toMatchObject({ status: 0 });
  const host = await world.hostInProcess();
  const { page } = await openBrowser({ height: 500 });
  await page.goto(`${host.apiUrl}/org/seer`);
  const last = page.getByRole('button', { name: 'Stage org/seer:Q2_K', exact: true });
  await last.scrollIntoViewIfNeeded();
  await last.focus();
  // On the page, not in the window: what scrolls is asked below.
  await page.evaluate(`
    const last = document.activeElement, seen = new Set();
    const look = () => { seen.add(last.isConnected ? last.getBoundingClientRect().top + scrollY : 'gone'); requestAnimationFrame(look); };
    look();
    globalThis.seenAt = () => [...seen];
  `);
  const [scrolled, places] = await Promise.all([page.evaluate('scrollY'), page.evaluate('seenAt()')]);
  expect(scrolled).toBeGreaterThan(0);

  await page.getByRole('button', { name: 'Stage org/seer:Q3_K_M', exact: true }).dispatchEvent('click');
  const menu = page.getByRole('dialog', { name: 'Stage org/seer:Q3_K_M' });
  await menu.waitFor();
  expect(await page.evaluate('scrollY')).toBe(scrolled);
  await page.keyboard.press('Enter');
  await menu.getByRole('button', { name: /^Stage again on .* has it/ }).waitFor();
  await page.keyboard.press('Escape');
  await menu.waitFor({ state: 'detached' });
  await page.getByRole('row', { name: new RegExp(`^Q3_K_M .* ${hostname()} `) }).waitFor();
  await page.getByRole('button', { name: 'Copy the path' }).waitFor();
  expect(await page.evaluate('seenAt()')).toEqual(places);

  // What moves all the same, because news came above it, is pressed where the press began; a pointer that leaves it presses nothing.
  const one = page.getByRole('button', { name: 'Stage org/seer:Q3_K_M', exact: true });
  for (const [pointer, opened] of [
    [0, 1],
    [60, 0],
  ] as const) {
    const { x, y, width, height } = (await one.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const [atX, atY] = [x + width / 2, y + height / 2];
    await page.mouse.move(atX, atY);
    await page.mouse.down();
    await page.evaluate("document.querySelector('table.quantizations').style.marginTop = '70px'");
    await page.mouse.move(atX - pointer, atY);
    await page.mouse.up();
    expect([pointer, await menu.count()]).toEqual([pointer, opened]);
    await page.keyboard.press('Escape');
    await menu.waitFor({ state: 'detached' });
    await page.evaluate("document.querySelector('table.quantizations').style.marginTop = ''");
  }
});

test('the page of a model that the store lacks leads to the page that adds it', wants('chromium'), async () => {
  const world = await hubWorld();
  world.hub.push('org/other', { files: { 'w.safetensors': noise(1000) } });
  const host = await world.serveInProcess();
  const { page } = await openBrowser();
  await page.goto(`${host.apiUrl}/org/other`);
  await page.getByText('org/other is not in the store').waitFor();
  await looksWell(page);
  // The name leaves this network only when a person asks for it.
  expect(world.hub.requests).toEqual([]);
  await page.getByRole('button', { name: 'Look on Hugging Face' }).click();
  await page.getByRole('button', { name: 'Add the model (1000 B)' }).click();
  await page.getByText('in the store', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'Open its page' }).click();
  await page.getByRole('heading', { name: 'Files' }).waitFor();
});

test('the page of a model lists its quantizations, and each is staged and deleted alone', wants('chromium'), async () => {
  const world = await fleetWorld();
  await writeFiles(join(world.home, 'seer'), { 'seer-Q4_K_M.gguf': noise(3000), 'seer-Q8_0.gguf': noise(6000, 2), 'config.json': '{}' });
  expect(await world.host('add', join(world.home, 'seer'), '--as', 'org/seer')).toMatchObject({ status: 0 });
  const host = await world.hostInProcess();
  const { page } = await openBrowser();
  await page.goto(`${host.apiUrl}/org/seer`);
  await page.getByRole('row', { name: /^Q4_K_M 4\.\d\d 2\.93 KiB in the store –/ }).waitFor();
  await page.getByRole('row', { name: /^Q8_0 8\.\d\d 5\.86 KiB in the store –/ }).waitFor();
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
    await stageHere(page, `org/seer:${selector}`);
    await expect.poll(staged).toEqual(files);
    await page.getByRole('row', { name: new RegExp(`^${selector} .* ${hostname()} `) }).waitFor();
  }
  // One of them is purged, and the other stays as it is.
  await page.getByRole('button', { name: 'Actions for org/seer:Q8_0' }).click();
  await page.getByRole('button', { name: 'Purge staged copies…' }).click();
  await page.getByRole('dialog', { name: 'Purge org/seer:Q8_0?' }).getByRole('button', { name: 'Purge 5.86 KiB' }).click();
  await page.getByRole('dialog', { name: '5.86 KiB freed' }).getByRole('button', { name: 'Close' }).last().click();
  expect(await staged()).toEqual(['seer-Q4_K_M.gguf']);
  await page.getByRole('row', { name: /^Q8_0 .* –/ }).waitFor();
  // The row knows it at once, and the action when this machine has reported it to the store.
  await page.getByRole('button', { name: 'Actions for org/seer:Q8_0' }).click();
  await page.getByRole('button', { name: 'Purge staged copies… No machine has reported a copy.', disabled: true }).waitFor();
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'Actions for org/seer:Q4_K_M' }).click();
  await page.getByRole('button', { name: 'Delete Q4_K_M…' }).click();
  const question = page.getByRole('dialog', { name: 'Delete org/seer:Q4_K_M?' });
  await question.getByText(/Q8_0 stays\./).waitFor();
  expect(await question.locator('.freed').innerText()).toMatch(/^The store\s+2\.93 KiB/);
  await question.getByRole('button', { name: 'Delete everywhere' }).click();
  await page.getByRole('dialog', { name: 'org/seer:Q4_K_M was deleted' }).getByRole('button', { name: 'Close' }).last().click();
  await page.getByRole('row', { name: /^Q4_K_M/ }).waitFor({ state: 'detached' });
  expect((await readdir(join(world.home, 'host/store/org--seer'))).toSorted()).toEqual(['config.json', 'seer-Q8_0.gguf']);
  // It was added from a folder, so that its name is not sent to Hugging Face by itself.
  await page.getByRole('link', { name: 'Look for other quantizations on Hugging Face' }).click();
  expect(await page.getByLabel('Model on Hugging Face').inputValue()).toBe('org/seer');
});

test('a quantization with an outdated copy is marked, and no other one, until it is staged again', wants('chromium'), async () => {
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
  await page.getByRole('listitem').filter({ hasText: hostname() }).getByText('older copy: Q4_K_M').waitFor();
  await fits(page);
  // The list of models says it of the model, and of this quantization alone.
  await page.getByRole('link', { name: 'Store' }).first().click();
  await page.getByRole('row', { name: new RegExp(`org/seer .* ${hostname()} older copy `) }).waitFor();
  await page.getByRole('button', { name: 'Quantizations of org/seer', exact: true }).click();
  await page.getByRole('row', { name: /^Q4_K_M .* older copy / }).waitFor();
  expect(await page.getByRole('row', { name: /^Q8_0 / }).innerText()).not.toContain('older');
  await page.getByRole('link', { name: 'org/seer' }).first().click();
  await stageHere(page, 'org/seer:Q4_K_M');
  await page.getByText('older copy', { exact: true }).waitFor({ state: 'detached' });
  // Machines with the same host name have different names here, this one too.
  expect(await world.node('laptop', host.url, 'stage', 'org/seer:Q8_0')).toMatchObject({ status: 0 });
  await page.getByRole('row', { name: new RegExp(`^Q8_0 8.* ${hostname()} \\(host\\), ${hostname()} \\(laptop\\) `) }).waitFor();
});
