import { expect, test } from 'vitest';
import type { GivenOrder } from '../../src/core/protocol/fleet.ts';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { noise } from '../helpers/model-files.ts';
import { ask } from '../helpers/raw-http.ts';
import { until } from '../helpers/waiting.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';

test(
  'the page of a model has other machines stage it, asks once for all that lack it, and cancels the order of one that is away',
  wants('chromium'),
  async () => {
    const world = await fleetWorld();
    await world.add('org/known', noise(512));
    const host = await world.hostInProcess();
    await using _node = await world.nodeInProcess('n1', host.url);
    // Two machines that no server runs on: they are known by their first stage.
    for (const name of ['laptop', 'tablet']) expect(await world.node(name, host.url, 'stage', 'org/known')).toMatchObject({ status: 0 });
    await world.add('org/new', noise(2048));
    await until('the node is known', async () => (await world.host('nodes', '--json')).stdout.includes('"n1"'));
    const orders = async () => ((await ask(host.apiUrl, '/store/orders')).json() as { orders: GivenOrder[] }).orders;

    const { page } = await openBrowser();
    await page.goto(`${host.apiUrl}/org/new`);
    await page.getByRole('button', { name: 'Stage org/new', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Stage org/new' });
    const row = (id: string) => dialog.getByRole('listitem').filter({ hasText: `(${id})` });
    await dialog.getByRole('listitem').nth(3).waitFor();
    expect(await dialog.getByRole('listitem').first().innerText()).toContain('this machine');

    // One that is connected stages it at once.
    await row('n1')
      .getByRole('button', { name: /^Stage on / })
      .click();
    await row('n1').getByText('has it').waitFor();
    expect(await world.copies('n1')).toEqual(['org--new']);

    // The others are asked together, after a question, and do it when they are back.
    await dialog.getByRole('button', { name: 'All 2 that lack it…' }).click();
    await dialog.getByText(/^Stage on 2 machines\? Sends up to 4\.00 KiB in total\. .* are away and get it later\.$/).waitFor();
    expect(await orders()).toEqual([]);
    await dialog.getByRole('button', { name: 'Stage on 2 machines' }).click();
    await row('laptop').getByText('away; stages it when it is back').waitFor();
    expect((await orders()).map(({ nodes }) => nodes.map(({ node }) => node).toSorted())).toEqual([['laptop', 'tablet']]);
    expect(await world.node('laptop', host.url, 'reconcile')).toMatchObject({ status: 0 });
    await row('laptop').getByText('has it').waitFor();
    await page.keyboard.press('Escape');

    // The order of the last one is cancelled beside its copies.
    const places = page.getByRole('region', { name: 'On your machines' });
    const cancel = places.getByRole('button', { name: /^Cancel staging org\/new on / });
    await cancel.click();
    await page
      .getByRole('status')
      .getByText(/^The pending stage of org\/new on /)
      .waitFor();
    await cancel.waitFor({ state: 'detached' });
    expect(await orders()).toEqual([]);
    expect(await world.node('tablet', host.url, 'reconcile')).toMatchObject({ status: 0 });
    expect(await world.copies('tablet')).toEqual(['org--known']);

    // It is the only machine that still has a button of its own.
    const later = places.getByRole('button', { name: /^Stage (?:later )?on / });
    expect(await later.allInnerTexts()).toEqual(['Stage later']);
    await later.click();
    await cancel.waitFor();
    await later.waitFor({ state: 'detached' });
    expect(await world.node('tablet', host.url, 'reconcile')).toMatchObject({ status: 0 });
    expect((await world.copies('tablet')).toSorted()).toEqual(['org--known', 'org--new']);
  },
);
