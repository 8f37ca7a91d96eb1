import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { pageLink } from '../helpers/page-link.ts';
import { ask } from '../helpers/raw-http.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';
import { looksWell } from './model-store.ts';

test(
  'the log of the page has fifty entries at first, keeps its place while new ones come, filters by kind, and saves what it shows as a table',
  wants('chromium'),
  async () => {
    const world = await fleetWorld();
    await world.add('org/one');
    const entry = { who: 'token ops', from: '10.0.0.2', node: null, selector: null, target: null, code: null };
    const lines = Array.from({ length: 120 }, (_, index) => {
      const at = new Date(Date.parse('2026-06-15T12:00:00Z') + index * 60_000).toISOString();
      const action = index === 60 ? 'purge' : 'delete';
      return `${JSON.stringify({ ...entry, at, action, model_id: index === 60 ? '=1+1' : `org/old-${index}` })}\n`;
    });
    const evicted = { at: '2026-06-15T14:00:00Z', who: 'node', action: 'evict', model_id: 'org/gone', budget_bytes: 40 * 1024 ** 3 };
    lines.push(`${JSON.stringify({ ...entry, ...evicted, freed_bytes: 1024 ** 3 })}\n`);
    const file = join(world.home, 'host/store/.skulk/v1/audit.ndjson');
    await writeFile(file, '');
    await appendFile(file, lines.join(''));
    const host = await world.hostInProcess();
    const { page } = await openBrowser();
    await page.goto(await pageLink(host, '/activity'));
    const log = page.getByRole('region', { name: 'Log' });
    const rows = log.getByRole('row', { name: /ops (?:deleted|purged)/ });
    await log.getByRole('row', { name: /org\/old-119 done$/ }).waitFor();
    await log
      .getByRole('row', {
        name: /^\S+ 10\.0\.0\.2 removed the staged copy of org\/gone to stay within its 40\.0 GiB budget done −1\.00 GiB$/,
      })
      .waitFor();
    expect(await rows.count()).toBe(49);
    await log.getByText('50 of 121').waitFor();
    await log.getByRole('button', { name: 'Show 50 more' }).click();
    await expect.poll(() => rows.count()).toBe(99);
    await log.getByRole('button', { name: 'Show 21 more' }).click();
    await expect.poll(() => rows.count()).toBe(120);
    await looksWell(page);

    // A new entry waits while the reader is further down.
    await log.getByRole('row', { name: /org\/old-0 done$/ }).scrollIntoViewIfNeeded();
    expect((await ask(host.url, '/models/org%2Fnone', { method: 'DELETE' })).status).toBe(404);
    const news = log.getByRole('button', { name: '1 new' });
    await news.waitFor();
    const failed = log.getByRole('row', { name: /failed to delete org\/none no such model$/ });
    expect(await failed.count()).toBe(0);
    await news.click();
    await failed.waitFor();
    await news.waitFor({ state: 'detached' });
    // At the top it is shown at once.
    await page.evaluate('window.scrollTo(0, 0)');
    expect((await ask(host.url, '/models/org%2Fnothing', { method: 'DELETE' })).status).toBe(404);
    await log.getByRole('row', { name: /failed to delete org\/nothing no such model$/ }).waitFor();

    await log.getByLabel('Kind').selectOption('purge');
    await expect.poll(() => log.getByRole('row', { name: /delete/ }).count()).toBe(0);
    expect(await rows.count()).toBe(1);
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      log.getByRole('button', { name: 'Save the listed entries as CSV' }).click(),
    ]);
    expect(saved.suggestedFilename()).toBe('skulk-log.csv');
    expect((await readFile(await saved.path(), 'utf8')).split('\r\n')).toEqual([
      '"time","who","from","action","model","quantization","target","result","freed_bytes"',
      `"2026-06-15T13:00:00.000Z","ops","10.0.0.2","purge","'=1+1","","","done",""`,
      '',
    ]);
    await page.reload();
    await log.getByRole('row', { name: /ops purged/ }).waitFor();
    expect(await rows.count()).toBe(1);
  },
);

test('the page lists copies that this machine has not finished, and discards one after a confirmation', wants('chromium'), async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  const host = await world.hostInProcess();
  const node = await world.nodeInProcess('n1', host.url);
  const work = join(world.home, 'n1/staging/.skulk/v1/incoming/org--one');
  await mkdir(join(work, 'files'), { recursive: true });
  await writeFile(join(work, 'names.json'), JSON.stringify(['a.gguf']));
  await writeFile(join(work, 'files/a.gguf'), 'x'.repeat(8192));
  const { page } = await openBrowser();
  await page.goto(`${node.apiUrl}/activity`);
  const section = page.getByRole('region', { name: 'Unfinished copies' });
  await section.getByRole('listitem').filter({ hasText: 'org/one' }).getByText('8.00 KiB').waitFor();
  await section.getByRole('button', { name: 'Discard org/one' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('This removes 8.00 KiB from').waitFor();
  await dialog.getByRole('button', { name: 'Discard' }).click();
  await section.waitFor({ state: 'detached' });
  await expect(readFile(join(work, 'names.json'))).rejects.toMatchObject({ code: 'ENOENT' });
});
