import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { noise } from '../helpers/model-files.ts';
import { pageLink } from '../helpers/page-link.ts';
import { ask } from '../helpers/raw-http.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';

test(
  'each node shows its copies, their use and the next evictions, and can be purged for one model or for all',
  wants('chromium'),
  async () => {
    const world = await fleetWorld();
    await world.add('org/used', noise(2048));
    await world.add('org/large', noise(8192));
    await world.add('org/small', noise(1024));
    const host = await world.hostInProcess();
    const config = join(world.home, 'small.yaml');
    await writeFile(config, `model_store:\n  staging: {staging_keep_recent_gb: ${4096 / 1024 ** 3}}\n`);
    const env = { SKULK_STORE: host.url, SKULK_NODE_ID: 'n1', SKULK_CONFIG: config };
    const node = await serveInProcess({ home: join(world.home, 'n1'), args: ['--role', 'node'], env });
    onTestFinished(() => node[Symbol.asyncDispose]());
    expect(await world.node('n1', host.url, 'stage', 'org/used', 'org/large', 'org/small')).toMatchObject({ status: 0 });
    expect(await world.node('n1', host.url, 'activate', 'org/used', '--pid', String(process.pid))).toMatchObject({ status: 0 });
    expect(await world.node('laptop', host.url, 'stage', 'org/small')).toMatchObject({ status: 0 });
    const { page } = await openBrowser();
    await page.goto(`${node.apiUrl}/nodes`);
    const budget = { name: 'in use 2.00 KiB, idle 9.00 KiB, budget for idle copies 4.00 KiB' };
    const machine = page.getByRole('row').filter({ hasText: 'this machine' });
    await machine.getByRole('cell', { name: /^11\.0 KiB 3 models$/ }).waitFor();
    await machine.getByRole('img', budget).waitFor();
    await machine.getByText('8.00 KiB over budget').waitFor();
    await page.getByText('3 machines, 12.0 KiB staged in total').waitFor();

    // Its name leads to its page, which has its copies and their paths, and a link back.
    const toNodes = page.getByRole('navigation', { name: 'Where this is' }).getByRole('link', { name: 'Nodes' });
    const openNode = async (): Promise<void> => {
      await machine.getByRole('link').click();
      await page.getByRole('heading', { level: 1, name: /this machine$/ }).waitFor();
    };
    await openNode();
    expect([new URL(page.url()).pathname, await page.title()]).toEqual(['/nodes/n1', 'Node n1 · skulk']);
    const row = (model: string) => page.getByRole('row', { name: new RegExp(model) });
    await row('org/large').getByText('over budget').waitFor();
    await row('org/small').getByText('idle').waitFor();
    await page.getByRole('img', budget).waitFor();
    await page.getByText('Removed first, when a program there ends or its server starts: org/large').waitFor();
    await page.getByText(join(world.home, 'n1/staging/org--large'), { exact: true }).waitFor();
    await row('org/used').getByText('in use').waitFor();
    await page.getByRole('button', { name: 'Stage org/used' }).click();
    await page.getByRole('dialog', { name: 'Stage org/used' }).getByText('this machine').waitFor();
    await page.keyboard.press('Escape');
    // A phone has both actions of the row in one menu.
    const wide = page.viewportSize();
    await page.setViewportSize({ width: 390, height: 844 });
    const actions = page.getByRole('button', { name: 'Actions for org/used' });
    await actions.click();
    const sheet = page.getByRole('dialog', { name: 'org/used', exact: true });
    await sheet.getByRole('button', { name: /^Purge on / }).waitFor();
    await sheet.getByRole('button', { name: 'Stage…' }).click();
    await page.getByRole('dialog', { name: 'Stage org/used' }).getByText('this machine').waitFor();
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await page.setViewportSize(wide ?? { width: 1280, height: 800 });

    // One model on one node.
    await page.getByRole('button', { name: /^Purge org\/small on/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/one copy, 1\.00 KiB\. The store keeps the canonical copy/).waitFor();
    await dialog.getByRole('button', { name: 'Purge 1.00 KiB' }).click();
    await dialog.getByRole('status').getByText('freed 1.00 KiB').waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Close');
    await page.keyboard.press('Enter');
    await row('org/small').waitFor({ state: 'detached' });
    expect([await world.copies('n1'), await world.copies('laptop')]).toEqual([['org--large', 'org--used'], ['org--small']]);

    // No other node got a request.
    expect((await ask(host.apiUrl, '/store/orders')).json()).toEqual({ orders: [] });

    // All models on all nodes: copies in use stay, and a node that is away has a pending order. The answer comes before that of any node, as
    // on a slow machine, and the dialog shows what each node answers later.
    await page.route(/purge-staging/, (route) => route.continue({ url: route.request().url().replace('wait_ms=5000', 'wait_ms=0') }));
    await toNodes.click();
    await page.getByRole('button', { name: 'Purge everywhere…' }).click();
    await dialog.getByRole('button', { name: /^Purge \d/ }).click();
    await dialog.getByText(/will remove it later: org\/used:a\.gguf is in use by pid/).waitFor();
    await dialog.getByRole('heading', { name: '8.00 KiB freed' }).waitFor();
    await dialog.getByText('not answered yet').waitFor();
    await page.keyboard.press('Escape');
    await machine.getByRole('cell', { name: '2.00 KiB 1 model', exact: true }).waitFor();
    expect(await world.copies('n1')).toEqual(['org--used']);
    const away = page.getByRole('row').filter({ hasText: 'laptop' });
    await away.getByRole('cell', { name: '1 order waits', exact: true }).waitFor();
    await openNode();
    const pending = page.getByRole('list', { name: /^Pending orders of/ });
    await pending.getByText(/every copy.*asked .*: later, org\/used:a\.gguf is in use/).waitFor();
    // The order is carried out later, and then is not pending any more.
    expect(await world.node('n1', host.url, 'deactivate', 'org/used')).toMatchObject({ status: 0 });
    expect(await world.node('laptop', host.url, 'reconcile')).toMatchObject({ status: 0 });
    await pending.waitFor({ state: 'detached' });
    await expect.poll(() => world.copies('n1')).toEqual([]);
    await page.getByText('Nothing is staged here.').waitFor();
    await toNodes.click();
    await away.getByRole('cell', { name: '–', exact: true }).last().waitFor();
  },
);

test('a machine that is away is forgotten by an admin alone, with its pending orders', wants('chromium'), async () => {
  const world = await fleetWorld();
  await world.add('org/one', noise(2048));
  const host = await world.hostInProcess();
  expect(await world.node('laptop', host.url, 'stage', 'org/one')).toMatchObject({ status: 0 });
  expect((await ask(host.apiUrl, '/store/purge-staging?wait_ms=0', { method: 'POST' })).status).toBe(200);
  expect((await ask(host.apiUrl, '/store/nodes/laptop', { method: 'DELETE' })).status).toBe(403);
  const { page } = await openBrowser();
  await page.goto(`${host.apiUrl}/nodes/laptop`);
  const forget = page.getByRole('button', { name: /^Forget / });
  await forget.waitFor();
  expect(await forget.getAttribute('aria-disabled')).toBe('true');
  await page.goto(await pageLink(host, '/nodes/laptop'));
  await page
    .getByRole('list', { name: /^Pending orders of/ })
    .getByText(/^Purge every copy/)
    .waitFor();
  await expect.poll(() => forget.getAttribute('aria-disabled')).toBeNull();
  await forget.click();
  const dialog = page.getByRole('dialog', { name: /^Forget / });
  await dialog.getByText(/and 1 order that it has not carried out is dropped\. Its copies stay on its disk/).waitFor();
  await dialog.getByRole('button', { name: /^Forget / }).click();
  await page.getByText('The store does not know the machine laptop').waitFor();
  expect((await ask(host.apiUrl, '/store/orders')).json()).toEqual({ orders: [] });
  expect((await ask(host.apiUrl, '/store/nodes')).body.toString()).not.toContain('laptop');
});
