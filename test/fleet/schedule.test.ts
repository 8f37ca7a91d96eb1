import { expect, test } from 'vitest';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { ask } from '../helpers/raw-http.ts';
import { rounds as howMany, seededRandom, testSeed } from '../helpers/seeded.ts';
import type { Served } from '../helpers/spawn-skulk.ts';

const rounds = howMany({ few: 50, many: 100 });
const models = ['org/a', 'org/b', 'org/c'] as const;
const agents = ['n1', 'n2', 'n3'] as const;

test(`${rounds} rounds of deletes and purges while nodes stage, die and come back (seed ${testSeed})`, { timeout: 600_000 }, async () => {
  const random = seededRandom(testSeed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const world = await fleetWorld();
  for (const model of models) await world.add(model);
  const canonical = new Set<string>(models);
  let host = await world.serveHost();
  const { port } = new URL(host.url);
  const running = new Map<string, Served>();
  for (const name of agents) running.set(name, await world.serveNode(name, host.url));

  const actions: Readonly<Record<string, () => Promise<void>>> = {
    stage: async () => {
      const [name, model] = [pick([...agents, 'laptop']), pick(models)];
      const { status } = await world.node(name, host.url, 'stage', model);
      expect(status, `stage ${model} on ${name}`).toBe(canonical.has(model) ? 0 : 3);
    },
    delete: async () => {
      const model = pick(models);
      const { status } = await ask(host.url, `/models/${model}?wait_ms=0`, { method: 'DELETE' });
      expect(status).toBe(canonical.has(model) ? 200 : 404);
      canonical.delete(model);
    },
    add: async () => {
      const model = pick(models);
      await world.add(model);
      canonical.add(model);
    },
    purge: async () => {
      const body = JSON.stringify({ kind: 'purge', ...(random() < 0.5 && { model_id: pick(models) }), force: random() < 0.3 });
      expect((await ask(host.url, '/orders', { method: 'POST', body, headers: { 'content-type': 'application/json' } })).status).toBe(200);
    },
    kill: async () => {
      const name = pick(agents);
      await running.get(name)?.kill();
      running.delete(name);
    },
    start: async () => {
      for (const name of agents) if (!running.has(name)) running.set(name, await world.serveNode(name, host.url));
    },
    restart: async () => {
      await host.kill();
      host = await world.serveHost({ port: Number(port) });
    },
  };
  for (let round = 0; round < rounds; round += 1) await actions[pick(Object.keys(actions))]?.();

  await actions['start']?.();
  const pending = async (): Promise<number> => {
    const nodes = (await ask(host.url, '/nodes')).json() as { pending_orders: number }[];
    return nodes.reduce((sum, { pending_orders }) => sum + pending_orders, 0);
  };
  await world.node('laptop', host.url, 'reconcile');
  await expect.poll(pending, { timeout: 60_000, interval: 200 }).toBe(0);
  // Nothing canonical is lost, nothing deleted is staged.
  const names = [...canonical].map((id) => id.replace('/', '--')).toSorted();
  expect(await world.canonical()).toEqual(names);
  for (const name of [...agents, 'laptop'])
    for (const copy of await world.copies(name)) expect(names, `${copy} on ${name}`).toContain(copy);
  expect(await world.host('verify')).toMatchObject({ status: 0 });
});
