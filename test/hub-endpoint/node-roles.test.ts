import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { countedDoor } from '../helpers/counted-door.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, writeFiles } from '../helpers/model-files.ts';
import { adminKeyOf } from '../helpers/page-link.ts';
import { ask } from '../helpers/raw-http.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { until } from '../helpers/waiting.ts';

usualTest('a node sends its copy only to clients that may read the store, and its caching headers agree', async () => {
  const world = await hubWorld();
  const weights = noise(1_000_000, 1);
  await writeFiles(join(world.home, 'model'), { 'model.safetensors': weights });
  expect(await world.host('add', join(world.home, 'model'), '--as', 'org/m')).toMatchObject({ status: 0 });
  const host = await world.serveInProcess();
  const door = await countedDoor(host.url);
  expect(await world.nodeInProcess(door, 'n1', 'stage', 'org/m')).toMatchObject({ status: 0 });
  const made = await world.host('token', 'create', 'reader', '--role', 'read', '--json');
  const { token } = JSON.parse(made.stdout) as { token: string };
  expect(await world.host('policy', 'set', 'lan', 'none')).toMatchObject({ status: 0 });
  const node = await serveInProcess({ home: join(world.home, 'n1'), args: ['--role', 'node'], env: { SKULK_STORE: door.url } });
  const read = (headers: Record<string, string>) => ask(node.apiUrl, '/org/m/resolve/main/model.safetensors', { headers });
  expect(await read({})).toMatchObject({ status: 401 });
  expect(await read({ Authorization: 'Bearer hf_of_somebody' })).toMatchObject({ status: 401 });
  const before = door.bytes();
  const answer = await read({ Authorization: `Bearer ${token}` });
  expect(answer.body.equals(weights)).toBe(true);
  expect(answer.headers['access-control-allow-origin']).toBe('*');
  expect(door.bytes() - before).toBeLessThan(weights.length / 2);
  // The rights of the LAN are remembered while the store is away, and a recently checked token counts.
  await door.shut();
  expect(await read({})).toMatchObject({ status: 401 });
  expect(await read({ Authorization: 'Bearer skulk_unknown' })).toMatchObject({ status: 503 });
});

longTest('an idle node learns that the LAN may not read any more, before its store disappears', async () => {
  const { world, door, node, read } = await openNode();
  expect(await read({})).toMatchObject({ status: 200 });
  const list = (target: string) => ask(node.apiUrl, target);
  expect((await list('/models')).json()).toEqual((await list('/v1/models')).json());
  expect(await world.host('policy', 'set', 'lan', 'none')).toMatchObject({ status: 0 });
  await until('the store to be closed', async () => (await list('/v1/models')).status === 401);
  expect((await list('/models')).status).toBe(401);
  const known = () => readFile(join(node.home, 'known-stores.json'), 'utf8');
  await until('the node to remember it', async () => /"lan": ?"none"/.test(await known()), known);
  await door.shut();
  expect(await read({})).toMatchObject({ status: 401 });
});

usualTest('a node that never received the rights of the LAN serves it no copy while its store is away', async () => {
  const { world, door, node } = await openNode();
  await node[Symbol.asyncDispose]();
  await door.shut();
  await rm(join(node.home, 'known-stores.json'), { force: true });
  const again = await serveInProcess({ home: join(world.home, 'n1'), args: ['--role', 'node'], env: { SKULK_STORE: door.url } });
  const read = (headers: Record<string, string>) => ask(again.apiUrl, '/org/m/resolve/main/model.safetensors', { headers });
  expect(await read({})).toMatchObject({ status: 503 });
  expect(await read({ Authorization: `Bearer ${await adminKeyOf(again.home)}` })).toMatchObject({ status: 200 });
});

/** A host whose LAN may read, and a node with a copy of its model. */
async function openNode() {
  const world = await hubWorld();
  await writeFiles(join(world.home, 'model'), { 'model.safetensors': noise(10_000, 1) });
  expect(await world.host('add', join(world.home, 'model'), '--as', 'org/m')).toMatchObject({ status: 0 });
  const host = await world.serveInProcess();
  const door = await countedDoor(host.url);
  expect(await world.nodeInProcess(door, 'n1', 'stage', 'org/m')).toMatchObject({ status: 0 });
  const node = await serveInProcess({ home: join(world.home, 'n1'), args: ['--role', 'node'], env: { SKULK_STORE: door.url } });
  onTestFinished(() => node[Symbol.asyncDispose]());
  const read = (headers: Record<string, string>) => ask(node.apiUrl, '/org/m/resolve/main/model.safetensors', { headers });
  return { world, door, node, read };
}
