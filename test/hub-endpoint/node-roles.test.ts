import { join } from 'node:path';
import { expect, test } from 'vitest';
import { countedDoor } from '../helpers/counted-door.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, writeFiles } from '../helpers/model-files.ts';
import { ask } from '../helpers/raw-http.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';

test('a node sends its copy only to those who may read the store, and says so to caches', async () => {
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
  // What the LAN may do is remembered while the store is away, and a token that was asked about a moment ago counts.
  await door.shut();
  expect(await read({})).toMatchObject({ status: 401 });
  expect(await read({ Authorization: 'Bearer skulk_unknown' })).toMatchObject({ status: 503 });
});
