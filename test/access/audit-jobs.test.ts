import { expect } from 'vitest';
import type { ActivityEntry, AuditList } from '../../src/core/protocol/events.ts';
import { type HubWorld, hubWorld } from '../helpers/hub-world.ts';
import { fullSafetensors, installStandIn } from '../helpers/python-engines.ts';
import { ask } from '../helpers/raw-http.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';

const listed = async (world: HubWorld, ...args: readonly string[]): Promise<readonly ActivityEntry[]> =>
  (JSON.parse((await world.host('audit', '--json', ...args)).stdout) as AuditList).entries;

const post = (url: string, model: string, body: object = {}) =>
  ask(url, `/models/${encodeURIComponent(model)}/download`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });

usualTest('a request for a download is listed as accepted, and the end of the download with its result, also after a restart', async () => {
  const world = await hubWorld();
  world.hub.push('org/m', { files: { 'a-Q4_K_M.gguf': 'x'.repeat(5000), 'a-Q8_0.gguf': 'y'.repeat(5000) } });
  const first = await world.serveInProcess();
  expect((await post(first.url, 'org/none')).status).toBe(200);
  await expect.poll(() => listed(world)).toHaveLength(2);
  const [ended, accepted] = await listed(world);
  expect(accepted).toMatchObject({
    who: 'lan',
    from: '127.0.0.1',
    action: 'download',
    model_id: 'org/none',
    code: null,
    state: 'accepted',
  });
  expect(ended).toEqual({ ...accepted, at: expect.any(String), code: 'MODEL_NOT_FOUND', state: 'ended' });
  expect(await listed(world, '--failed')).toEqual([ended]);

  // Two quantizations are two downloads, and a second request joins the first of them.
  world.hub.holdsEnds = true;
  const both = { gguf_file: 'a-Q4_K_M.gguf', extra_gguf_files: ['a-Q8_0.gguf'] };
  expect((await post(first.url, 'org/m', both)).status).toBe(200);
  await expect.poll(() => listed(world)).toHaveLength(4);
  expect((await post(first.url, 'org/m', { gguf_file: 'a-Q4_K_M.gguf' })).status).toBe(200);
  await expect.poll(() => listed(world)).toHaveLength(5);
  expect((await world.host('audit', '--limit', '1')).stdout).toMatch(/ download +org\/m:a-Q4_K_M\.gguf +accepted *\n$/);
  await first.stop();
  world.hub.holdsEnds = false;
  const second = await world.serveInProcess();
  await expect.poll(() => listed(world)).toHaveLength(7);
  const after = await listed(world);
  expect(after.slice(0, 2).every(({ state, code, model_id }) => state === 'ended' && code === null && model_id === 'org/m')).toBe(true);
  expect(new Set(after.slice(0, 2).map(({ selector }) => selector))).toEqual(new Set(['a-Q4_K_M.gguf', 'a-Q8_0.gguf']));
  expect(after.slice(2, 5).map(({ selector, state }) => [selector, state])).toEqual([
    ['a-Q4_K_M.gguf', 'accepted'],
    ['a-Q8_0.gguf', 'accepted'],
    ['a-Q4_K_M.gguf', 'accepted'],
  ]);
  expect(new Set(after.slice(0, 5).map(({ job }) => job)).size).toBe(2);
  // What the store has already is done at once.
  expect((await post(second.url, 'org/m', { gguf_file: 'a-Q4_K_M.gguf' })).json()).toMatchObject({ status: 'complete' });
  await expect.poll(() => listed(world)).toHaveLength(8);
  const [done] = await listed(world);
  expect([done?.code, done?.state]).toEqual([null, undefined]);
});

usualTest('a cancelled download is listed as accepted and as cancelled, and has no other end', async () => {
  const world = await hubWorld();
  world.hub.push('org/m', { files: { 'config.json': '{}', 'model.safetensors': 'x'.repeat(5000) } });
  world.hub.holdsEnds = true;
  const host = await world.serveInProcess();
  expect((await post(host.url, 'org/m')).status).toBe(200);
  await expect.poll(() => listed(world)).toHaveLength(1);
  expect((await ask(host.url, '/models/org%2Fm/download', { method: 'DELETE' })).status).toBe(200);
  await expect.poll(() => listed(world)).toHaveLength(2);
  world.hub.holdsEnds = false;
  expect((await post(host.url, 'org/m')).status).toBe(200);
  await expect.poll(() => listed(world)).toHaveLength(4);
  expect((await listed(world)).map(({ action, state }) => [action, state])).toEqual([
    ['download', 'ended'],
    ['download', 'accepted'],
    ['cancel-download', undefined],
    ['download', 'accepted'],
  ]);
});

usualTest('a download by a command without a server is one entry with its result', async () => {
  const world = await hubWorld();
  world.hub.push('org/m', { files: { 'config.json': '{}', 'model.safetensors': 'x'.repeat(5000) } });
  expect((await world.host('download', 'org/m')).status).toBe(0);
  expect((await world.host('download', 'org/none')).status).toBe(3);
  expect((await listed(world)).map(({ model_id, code, state }) => [model_id, code, state])).toEqual([
    ['org/none', 'MODEL_NOT_FOUND', undefined],
    ['org/m', null, undefined],
  ]);
});

usualTest('a cancel that finds nothing is one failed entry, with and without a server', async () => {
  const world = await hubWorld();
  const cancel = () => world.host('cancel', 'org/none');
  const entries = async () => (await listed(world)).map(({ action, code }) => [action, code]);
  const nothing = ['cancel-download', 'JOB_NOT_FOUND'];
  world.hub.push('org/m', { files: { 'config.json': '{}' } });
  expect((await world.host('download', 'org/m')).status).toBe(0);
  const download = await entries();
  expect(await cancel()).toMatchObject({ status: 3, stderr: expect.stringContaining('no download job for org/none') });
  expect(await entries()).toEqual([nothing, ...download]);
  await world.serveInProcess();
  expect((await cancel()).status).toBe(3);
  expect(await entries()).toEqual([nothing, nothing, ...download]);
});

longTest('a request for an optimization is listed as accepted, and its end with its result', async () => {
  const world = await hubWorld({ SKULK_ENGINE_MLX: await installStandIn('mlx') });
  expect((await world.host('add', await fullSafetensors(), '--as', 'acme/Tiny')).status).toBe(0);
  const host = await world.serveInProcess();
  const asked = await ask(host.url, '/store/models/acme%2FTiny/optimize', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ engine: 'mlx' }),
  });
  expect(asked.json()).toMatchObject({ modelId: 'acme/Tiny' });
  await expect.poll(() => listed(world, '--kind', 'optimize')).toHaveLength(2);
  const [ended, accepted] = await listed(world, '--kind', 'optimize');
  expect(accepted).toMatchObject({ who: 'lan', model_id: 'acme/Tiny', code: null, state: 'accepted' });
  expect(ended).toEqual({ ...accepted, at: expect.any(String), state: 'ended' });
});
