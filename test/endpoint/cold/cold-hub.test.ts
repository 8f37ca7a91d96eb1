import { expect, test } from 'vitest';
import { coldWorld } from '../../helpers/cold-world.ts';
import { noise, sha256 } from '../../helpers/model-files.ts';
import { until, within } from '../../helpers/waiting.ts';

const weights = noise(12 * 1024 * 1024, 7);
const files = { 'config.json': '{"a":1}', 'README.md': '# m\n', 'model.safetensors': weights };

test('the listing of a model that the store lacks is the one of the Hub, and its small file comes through', async () => {
  const { hub, repo, read, queue } = await coldWorld();
  const commit = hub.push('org/m', { files });
  const found = await repo('org/m');
  expect(found).toMatchObject({ id: 'org/m', commit, isComplete: true });
  expect([...found.byPath.keys()].sort()).toEqual(Object.keys(files).sort());
  const config = await read('org/m', 'config.json');
  expect((await config.all).toString()).toBe('{"a":1}');
  expect(hub.requests.filter((one) => one.includes('/api/'))).toHaveLength(2);
  // A file of the size of a configuration has nothing downloaded.
  expect(await queue.list({ recent: true })).toEqual([]);
});

test('two readers of weights cost one request, the download takes their bytes over, and the store has the model', async () => {
  const { hub, read, downloaded, gets, manifest, store } = await coldWorld();
  const commit = hub.push('org/m', { files });
  const gate = Promise.withResolvers<void>();
  hub.fault = async ({ path, host }) => {
    if (path === 'model.safetensors' && host === 'cdn') await gate.promise;
    return false;
  };
  const [one, two] = await within('both answers', Promise.all([read('org/m', 'model.safetensors'), read('org/m', 'model.safetensors')]));
  expect(one.kind).toBe('stream');
  gate.resolve();
  expect(sha256(await within('the first reader', one.all))).toBe(sha256(weights));
  expect(sha256(await within('the second reader', two.all))).toBe(sha256(weights));
  expect(await downloaded('org/m')).toMatchObject({ status: 'complete', error: null });
  expect(gets('model.safetensors')).toHaveLength(1);
  expect(hub.sent('model.safetensors')).toBe(weights.length);
  const { files: kept, upstream } = await manifest('org/m');
  expect(kept.map(({ path }) => path)).toEqual(['README.md', 'config.json', 'model.safetensors']);
  expect(upstream).toMatchObject({ commit });
  const again = await read('org/m', 'model.safetensors');
  expect(again.kind).toBe('file');
  await again.all;
  expect(await store.has('org/m' as never)).toBe(true);
});

test('a file with another content cuts its reader before the end, and nothing of it stays', async () => {
  const { hub, read, world } = await coldWorld();
  hub.push('org/m', { files: { 'tokenizer.json': noise(300_000, 9) } });
  hub.fault = async ({ path, host, response }) => {
    if (path !== 'tokenizer.json' || host !== 'cdn') return false;
    response.writeHead(200, { 'Content-Length': '300000' }).end(noise(300_000, 10));
    return true;
  };
  const one = await read('org/m', 'tokenizer.json');
  await expect(within('the end', one.all)).rejects.toThrow(/another content/);
  expect(one.got().length).toBeLessThan(300_000);
  await until('the warning', () => world.warnings().some((text) => /tokenizer\.json of org\/m could not be fetched/.test(text)));
  hub.fault = undefined;
  const two = await read('org/m', 'tokenizer.json');
  expect(sha256(await within('the next reader', two.all))).toBe(sha256(noise(300_000, 9)));
});
