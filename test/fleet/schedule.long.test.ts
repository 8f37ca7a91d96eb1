import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { ask } from '../helpers/raw-http.ts';
import { rounds, seededRandom, testSeed } from '../helpers/seeded.ts';
import type { Ended, Served } from '../helpers/spawn-skulk.ts';
import { type Wire, wireTo } from '../helpers/wire.ts';

const count = rounds({ few: 5, many: 80 });
const models = ['org/a', 'org/b', 'org/c'] as const;
const agents = ['n1', 'n2', 'n3', 'n4', 'n5'].slice(0, 5);
const everybody = [...agents, 'laptop'] as const;

/** An order in the store's log: its nodes, and how often each reported it as done. */
interface LoggedOrder {
  readonly model_id: string | null;
  readonly asked: readonly string[];
  readonly done: Map<string, number>;
}

/** The orders of the store's log, oldest first; a schedule without a delete or a purge gives none. */
async function readOrders(home: string): Promise<ReadonlyMap<string, LoggedOrder>> {
  const log = join(home, 'host/store/.skulk/v1/fleet/orders.ndjson');
  const text = existsSync(log) ? await readFile(log, 'utf8') : '';
  const orders = new Map<string, LoggedOrder>();
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const entry = JSON.parse(line) as {
      order?: { order_id: string; model_id: string | null };
      nodes?: string[];
      drop?: string;
      ack?: string;
      node?: string;
      outcome?: { status: string };
    };
    if (entry.order !== undefined)
      orders.set(entry.order.order_id, { model_id: entry.order.model_id, asked: entry.nodes ?? [], done: new Map() });
    if (entry.drop !== undefined) orders.delete(entry.drop);
    const done = orders.get(entry.ack ?? '')?.done;
    if (entry.outcome?.status === 'done') done?.set(entry.node ?? '', (done.get(entry.node ?? '') ?? 0) + 1);
  }
  return orders;
}

/** Whether a newer order covers this one for a node, so that it need not answer this one. */
const isCovered = (orders: ReadonlyMap<string, LoggedOrder>, id: string, node: string): boolean => {
  const all = [...orders];
  const { model_id } = orders.get(id) as LoggedOrder;
  return all
    .slice(all.findIndex(([one]) => one === id) + 1)
    .some(([, newer]) => (newer.model_id === null || newer.model_id === model_id) && newer.asked.includes(node));
};

test(`${count} rounds of deletes and purges while nodes stage, run, stop, are cut off and come back (seed ${testSeed})`, async () => {
  const random = seededRandom(testSeed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const world = await fleetWorld();
  for (const model of models) await world.add(model);
  const canonical = new Set<string>(models);
  let host = await world.serveHost();
  const { port } = new URL(host.url);
  const wires = new Map<string, Wire>();
  for (const name of everybody) wires.set(name, await wireTo(host.url));
  const wire = (name: string): Wire => wires.get(name) as Wire;
  const cut = new Set<string>();
  const running = new Map<string, Served>();
  for (const name of agents) running.set(name, await world.serveNode(name, wire(name).url));

  /** Work that runs during the rounds; at most four at a time. */
  const background = new Set<Promise<void>>();
  const begin = async (what: string, allowed: readonly number[], work: Promise<Ended>): Promise<void> => {
    const watched = work.then(({ status, stderr }) => {
      background.delete(watched);
      expect(allowed, `${what}: ${status}: ${stderr}`).toContain(status);
    });
    watched.catch(() => {});
    background.add(watched);
    if (background.size >= 4) await Promise.race(background);
  };
  /** Done, not in the store (any more), store away, in use by another process. */
  const usual = [0, 3, 4, 5];

  const actions: Readonly<Record<string, () => Promise<void>>> = {
    stage: async () => {
      const [name, model] = [pick(everybody), pick(models)];
      await begin(`stage ${model} on ${name}`, usual, world.node(name, wire(name).url, 'stage', model));
    },
    run: async () => {
      const [name, model] = [pick(everybody), pick(models)];
      const program = ['sh', '-c', 'test -e "$1/a.gguf" && sleep 0.5 && test -e "$1/a.gguf"', 'sh', '{path}'];
      await begin(`run ${model} on ${name}`, usual, world.node(name, wire(name).url, 'run', model, '--', ...program));
    },
    delete: async () => {
      const model = pick(models);
      const { status } = await ask(host.url, `/models/${model}?wait_ms=0`, { method: 'DELETE' });
      expect(status).toBe(canonical.has(model) ? 200 : 404);
      canonical.delete(model);
    },
    deleteByCommand: async () => {
      const present = [...canonical];
      if (present.length === 0) return;
      const model = pick(present);
      canonical.delete(model);
      const { status, stderr } = await world.host('delete', model, '--yes');
      expect([0, 9], stderr).toContain(status);
    },
    add: async () => {
      const model = pick(models);
      await world.add(model);
      canonical.add(model);
    },
    purge: async () => {
      // A running program must not lose its model here, so nothing is forced.
      const body = JSON.stringify({ kind: 'purge', ...(random() < 0.5 && { model_id: pick(models) }) });
      expect((await ask(host.url, '/orders', { method: 'POST', body, headers: { 'content-type': 'application/json' } })).status).toBe(200);
    },
    stop: async () => {
      const name = pick(agents);
      await (random() < 0.5 ? running.get(name)?.kill() : running.get(name)?.stop());
      running.delete(name);
    },
    start: async () => {
      for (const name of agents) if (!running.has(name)) running.set(name, await world.serveNode(name, wire(name).url));
    },
    cut: async () => {
      const name = pick(everybody);
      wire(name).cut(random() < 0.5 ? 'closed' : 'silent');
      cut.add(name);
    },
    mend: async () => {
      for (const name of cut) wire(name).mend();
      cut.clear();
    },
    restart: async () => {
      await host.kill();
      host = await world.serveHost({ port: Number(port) });
    },
    catchUp: async () => {
      const name = pick(everybody);
      await begin(`reconcile on ${name}`, [0, 5, 9], world.node(name, wire(name).url, 'reconcile'));
    },
  };
  const often = ['stage', 'stage', 'run', 'delete', 'add', 'add', 'purge', 'mend', 'start'];
  for (let round = 0; round < count; round += 1) await actions[pick([...Object.keys(actions), ...often])]?.();

  await actions['mend']?.();
  await actions['start']?.();
  await Promise.all(background);
  const pending = async (): Promise<readonly string[]> => {
    const nodes = (await ask(host.url, '/nodes')).json() as { node_id: string; pending_orders: number }[];
    return nodes.filter(({ pending_orders }) => pending_orders > 0).map(({ node_id }) => node_id);
  };
  expect(await world.node('laptop', host.url, 'reconcile')).toMatchObject({ status: 0 });
  await expect.poll(pending, { interval: 200 }).toEqual([]);

  // Every node did every order, or a newer order covers it; no node reported it twice.
  const orders = await readOrders(world.home);
  for (const [id, { asked, done }] of orders)
    for (const node of asked)
      expect(done.get(node) === 1 || (!done.has(node) && isCovered(orders, id, node)), `${id} on ${node}: ${done.get(node)}`).toBe(true);
  // No canonical copy is lost, and no deleted model is staged, not even partially.
  const names = [...canonical].map((id) => id.replace('/', '--')).toSorted();
  expect(await world.canonical()).toEqual(names);
  expect(await world.host('verify')).toMatchObject({ status: 0 });
  for (const name of everybody) {
    for (const copy of await world.copies(name)) expect(names, `${copy} on ${name}`).toContain(copy);
    const partial = await readdir(join(world.home, name, 'staging/.skulk/v1/incoming')).catch(() => []);
    for (const copy of partial) expect(names, `part of ${copy} on ${name}`).toContain(copy);
    expect(await world.node(name, host.url, 'verify', '--staging')).toMatchObject({ status: 0 });
  }
  // No order is pending any more: models staged now stay.
  for (const name of everybody)
    for (const model of canonical) expect(await world.node(name, host.url, 'stage', model)).toMatchObject({ status: 0 });
  for (const name of agents) await running.get(name)?.stop();
  running.clear();
  await actions['start']?.();
  for (const name of everybody) expect(await world.node(name, host.url, 'reconcile')).toMatchObject({ status: 0 });
  for (const name of everybody) expect(await world.copies(name)).toEqual(names);
});
