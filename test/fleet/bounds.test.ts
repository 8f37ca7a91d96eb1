import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { type HostFleet, openFleet } from '../../src/core/fleet/fleet.ts';
import { nodeBounds, type Retention } from '../../src/core/fleet/retire-nodes.ts';
import type { NodeId } from '../../src/core/kernel/machine/node-id.ts';
import type { ModelId } from '../../src/core/kernel/model-id.ts';
import type { NodeReport } from '../../src/core/protocol/fleet.ts';
import { fleetWorld, type NodeStands } from '../helpers/fleet-world.ts';
import { ask } from '../helpers/raw-http.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const day = 24 * 3600_000;
const copyOf = (model_id: string) => ({
  model_id: model_id as ModelId,
  size_bytes: 1,
  last_used: '2026-01-01T00:00:00.000Z',
  in_use: false,
  over_budget: false,
});
const node = (node_id: string, models: readonly string[] = []): NodeReport => ({
  node_id: node_id as NodeId,
  hostname: node_id,
  version: '1',
  agent: false,
  staged_models: models.length,
  staged_bytes: models.length,
  free_bytes: 1,
  copies: models.map(copyOf),
  budget_bytes: 0,
});

/** A fleet with a clock of the test. */
async function fleetWithClock() {
  const directory = await temporaryDirectory();
  let time = Date.parse('2026-01-01T00:00:00.000Z');
  const store = {
    has: async () => true,
    remove: async () => ({ freedBytes: 1 }),
    planRemoval: async (_: unknown, selector: string) => ({ selector, isLast: false }),
    removeQuantization: async () => ({ freedBytes: 1 }),
  };
  const open = (retention?: () => Promise<Retention>): HostFleet =>
    openFleet({ directory, store, now: () => new Date(time), emit: () => undefined, ...(retention && { retention }) });
  return {
    directory,
    open,
    pass: (ms: number): void => {
      time += ms;
    },
  };
}

const idsOf = async (fleet: HostFleet): Promise<readonly string[]> => (await fleet.nodes()).map(({ node_id }) => node_id).toSorted();
const purge = { kind: 'purge', model_id: null, force: false } as const;

describe('the list of nodes', () => {
  usualTest('drops a node without a copy and its orders after two weeks of silence, and keeps one with copies longer', async () => {
    const { open, pass } = await fleetWithClock();
    const fleet = open();
    await fleet.report(node('container'), { address: '10.0.0.2' });
    await fleet.report(node('laptop', ['org/one']), { address: '10.0.0.3' });
    const order = await fleet.give(purge);
    pass(13 * day);
    await fleet.report(node('busy'), { address: '10.0.0.4' });
    expect(await idsOf(fleet)).toEqual(['busy', 'container', 'laptop']);
    pass(2 * day);
    await fleet.report(node('busy'), { address: '10.0.0.4' });
    expect(await idsOf(fleet)).toEqual(['busy', 'laptop']);
    const { signal } = new AbortController();
    expect((await fleet.outcome(order.order_id, { waitMs: 0, signal })).nodes.map(({ node: id }) => id)).toEqual(['laptop']);
    expect(await idsOf(open())).toEqual(['busy', 'laptop']);
    pass(100 * day);
    await fleet.report(node('busy'), { address: '10.0.0.4' });
    expect(await idsOf(fleet)).toEqual(['busy']);
  });

  usualTest('drops nodes at the time in the policy, also after a change of the policy', async () => {
    const { open, pass } = await fleetWithClock();
    let retention: Retention = { emptyForMs: 30 * day, silentForMs: 30 * day };
    const fleet = open(async () => retention);
    await fleet.report(node('container'), {});
    await fleet.report(node('laptop', ['org/one']), {});
    pass(20 * day);
    expect(await idsOf(fleet)).toEqual(['container', 'laptop']);
    retention = { emptyForMs: 10 * day, silentForMs: 30 * day };
    pass(2 * 3600_000);
    await fleet.report(node('laptop', ['org/one']), {});
    expect(await idsOf(fleet)).toEqual(['laptop']);
  });

  longTest('is not filled by nodes that one address invents, with or without copies', async () => {
    const { open, pass } = await fleetWithClock();
    const fleet = open();
    await fleet.report(node('real', ['org/one']), { address: '10.0.0.3' });
    await fleet.report(node('fresh'), { address: '10.0.0.4' });
    for (let number = 0; number < 2 * nodeBounds.emptyPerAddress; number += 1) {
      pass(1000);
      await fleet.report(node(`invented-${number}`), { address: '10.0.0.66' });
    }
    const ids = await idsOf(fleet);
    expect(ids).toHaveLength(nodeBounds.emptyPerAddress + 2);
    expect(ids).toEqual(expect.arrayContaining(['real', 'fresh', `invented-${2 * nodeBounds.emptyPerAddress - 1}`]));
    for (let number = 0; number < nodeBounds.perAddress + 10; number += 1) {
      pass(1000);
      await fleet.report(node(`liar-${number}`, ['org/one']), { address: '10.0.0.67' });
    }
    const own = (await fleet.nodes()).filter(({ address }) => address === '10.0.0.67');
    expect(own).toHaveLength(nodeBounds.perAddress);
    expect(await idsOf(fleet)).toEqual(expect.arrayContaining(['real', 'fresh']));
  });
});

describe('the orders of a store', () => {
  usualTest('are replaced by a newer order that covers them, which also gets their results', async () => {
    const { open, directory } = await fleetWithClock();
    const fleet = open();
    const { signal } = new AbortController();
    const id = 'n1' as NodeId;
    await fleet.report(node('n1', ['org/one']), { address: '10.0.0.2' });
    const one = await fleet.give({ ...purge, model_id: 'org/one' as ModelId });
    const forced = await fleet.give({ ...purge, model_id: 'org/two' as ModelId, force: true });
    const again = await fleet.give({ ...purge, model_id: 'org/one' as ModelId });
    expect((await fleet.report(node('n1'), {})).map(({ order_id }) => order_id)).toEqual([forced.order_id, again.order_id]);
    const all = await fleet.give(purge);
    // A forced order is not covered by one that waits for the last use.
    const open2 = [forced.order_id, all.order_id];
    expect((await fleet.report(node('n1'), {})).map(({ order_id }) => order_id)).toEqual(open2);
    expect((await open().report(node('n1'), {})).map(({ order_id }) => order_id)).toEqual(open2);
    await fleet.acknowledge(id, all.order_id, { status: 'done', freed_bytes: 7, reason: null });
    expect((await fleet.outcome(one.order_id, { waitMs: 0, signal })).nodes).toMatchObject([
      { node: 'n1', status: 'done', freed_bytes: 7 },
    ]);
    expect((await fleet.pendingOrders()).map(({ order_id }) => order_id)).toEqual([forced.order_id]);
    expect((await open().pendingOrders()).map(({ order_id }) => order_id)).toEqual([forced.order_id]);
    expect((await readFile(join(directory, 'orders.ndjson'), 'utf8')).length).toBeGreaterThan(0);
  });

  longTest('are limited: of very many that nobody carries out the oldest are dropped, and the log stays small', async () => {
    const { open, directory } = await fleetWithClock();
    const fleet = open();
    await fleet.report(node('n1', ['org/one']), { address: '10.0.0.2' });
    for (let number = 0; number < 2_100; number += 1) await fleet.give({ ...purge, model_id: `org/m${number}` as ModelId });
    expect((await fleet.report(node('n1'), {})).length).toBeLessThanOrEqual(2_000);
    const lines = (await readFile(join(directory, 'orders.ndjson'), 'utf8')).split('\n').length;
    expect(lines).toBeLessThan(6_000);
  });
});

longTest('a deletion is complete even if a container without a copy has disappeared', async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  await world.add('org/two');
  const host = await world.hostInProcess();
  const report = (id: string, models: readonly string[]) => {
    const { node_id: _, ...body } = node(id, models);
    return ask(host.url, `/nodes/${id}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  };
  expect((await report('departed', [])).status).toBe(200);
  expect((await report('other', ['org/two'])).status).toBe(200);
  const deleted = await world.host('delete', 'org/one', '--yes', '--json');
  expect(deleted.status, deleted.stderr).toBe(0);
  expect((JSON.parse(deleted.stdout) as { nodes: NodeStands[] }).nodes.filter(({ status }) => status === 'pending')).toEqual([]);
  const second = await world.host('delete', 'org/two', '--yes', '--json');
  expect(second.status).toBe(9);
  expect(second.stdout + second.stderr).toContain('other');
  expect(second.stdout + second.stderr).not.toContain('departed');
});
