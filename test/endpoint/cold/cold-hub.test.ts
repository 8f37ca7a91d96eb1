import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { HubFile } from '../../../src/core/endpoint/contract.ts';
import { parseModelId } from '../../../src/core/kernel/model-id.ts';
import { coldWorld, windClock } from '../../helpers/cold-world.ts';
import { noise, sha256 } from '../../helpers/model-files.ts';
import { longTest, usualTest } from '../../helpers/seeded.ts';
import { until, within } from '../../helpers/waiting.ts';

const weights = noise(12 * 1024 * 1024, 7);
const files = { 'config.json': '{"a":1}', 'README.md': '# m\n', 'model.safetensors': weights };

usualTest('the listing of a missing model is the listing of the Hub, and its small file is passed through', async () => {
  const { hub, repo, read, queue } = await coldWorld();
  const commit = hub.push('org/m', { files });
  const found = await repo('org/m');
  expect(found).toMatchObject({ id: 'org/m', commit, isComplete: true });
  expect([...found.byPath.keys()].sort()).toEqual(Object.keys(files).sort());
  const config = await read('org/m', 'config.json');
  expect((await config.all).toString()).toBe('{"a":1}');
  expect(hub.requests.filter((one) => one.includes('/api/'))).toHaveLength(2);
  // A small file such as a configuration does not start a download.
  expect(await queue.list({ recent: true })).toEqual([]);
});

longTest('two readers of weights cause one request, the download reuses their bytes, and the store gets the model', async () => {
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

usualTest('a file with wrong content disconnects its reader before the end, and nothing of it is kept', async () => {
  const { hub, read, world } = await coldWorld();
  hub.push('org/m', { files: { 'tokenizer.json': noise(300_000, 9) } });
  hub.fault = async ({ path, host, response }) => {
    if (path !== 'tokenizer.json' || host !== 'cdn') return false;
    response.writeHead(200, { 'Content-Length': '300000' }).end(noise(300_000, 10));
    return true;
  };
  const one = await read('org/m', 'tokenizer.json');
  await expect(within('the end', one.all)).rejects.toThrow(/the expected content/);
  expect(one.got().length).toBeLessThan(300_000);
  await until('the warning', () => world.warnings().some((text) => /tokenizer\.json of org\/m could not be fetched/.test(text)));
  hub.fault = undefined;
  const two = await read('org/m', 'tokenizer.json');
  expect(sha256(await within('the next reader', two.all))).toBe(sha256(noise(300_000, 9)));
});

usualTest('a stalled upstream is hidden by a second connection, and the fetch continues for a while after its reader leaves', async () => {
  const clock = windClock();
  const { hub, read, gets } = await coldWorld({ after: clock.after });
  hub.push('org/m', { files: { 'tokenizer.json': noise(300_000, 9) } });
  const closed: number[] = [];
  hub.fault = ({ path, host, response }) => {
    if (path !== 'tokenizer.json' || host !== 'cdn') return false;
    const number = gets('tokenizer.json').length;
    response.on('close', () => closed.push(number));
    if (number !== 1) return false;
    response.writeHead(200, { 'Content-Length': '300000' }).write(noise(300_000, 9).subarray(0, 1000));
    return true;
  };
  const reading = read('org/m', 'tokenizer.json');
  const one = await within('the answer', reading);
  await until('the first bytes', () => one.got().length === 1000);
  await until('the second connection', () => {
    clock.ring(4_000);
    return gets('tokenizer.json').length === 2;
  });
  expect(sha256(await within('the end', one.all))).toBe(sha256(noise(300_000, 9)));
  await until('the end of the first', () => closed.includes(1));
});

usualTest('a fetch that ended with its last reader resumes for the next one, and no byte is fetched twice', async () => {
  const clock = windClock();
  const { hub, read, gets } = await coldWorld({ after: clock.after });
  const content = noise(3 * 1024 * 1024 + 5, 4);
  hub.push('org/m', { files: { 'tokenizer.json': content } });
  const requested: (string | undefined)[] = [];
  hub.fault = ({ path, host, request, response }) => {
    if (path !== 'tokenizer.json' || host !== 'cdn') return false;
    const number = gets('tokenizer.json').length;
    requested.push(request.headers.range);
    if (number !== 1) return false;
    response.writeHead(200, { 'Content-Length': String(content.length) }).write(content.subarray(0, 2 * 1024 * 1024 + 10));
    return true;
  };
  const one = await within('the answer', read('org/m', 'tokenizer.json'));
  await until('two blocks', () => one.got().length >= 2 * 1024 * 1024);
  one.leave();
  await expect(one.all).rejects.toThrow('the client left');
  clock.ring(60_000);
  const two = await within('the next answer', read('org/m', 'tokenizer.json'));
  expect(sha256(await within('the end', two.all))).toBe(sha256(content));
  expect(gets('tokenizer.json')).toHaveLength(2);
  // The recorded blocks are not requested again.
  const [, second] = requested;
  expect(Number(/^bytes=(\d+)-/.exec(second ?? '')?.[1] ?? 0)).toBeGreaterThanOrEqual(1024 * 1024);
});

usualTest.each([1, 2, 3, 4, 5])('a reader gets its file even if the reader before it is cancelled at step %i', async (step) => {
  const clock = windClock();
  const { hub, read, hooks, gets } = await coldWorld({ after: clock.after });
  const content = noise(300_000, 4);
  hub.push('org/m', { files: { 'tokenizer.json': content } });
  hub.fault = ({ path, host, response }) => {
    if (path !== 'tokenizer.json' || host !== 'cdn' || gets('tokenizer.json').length !== 1) return false;
    response.writeHead(200, { 'Content-Length': String(content.length) }).write(content.subarray(0, 1000));
    return true;
  };
  const one = await within('the answer', read('org/m', 'tokenizer.json'));
  await until('its first bytes', () => one.got().length === 1000);
  one.leave();
  await expect(one.all).rejects.toThrow('the client left');
  let steps = 0;
  hooks.settings = () => {
    steps += 1;
    // Nobody has read for a minute.
    if (steps === step) clock.ring(60_000);
  };
  const two = await within('the next answer', read('org/m', 'tokenizer.json'));
  expect(sha256(await within('the end', two.all))).toBe(sha256(content));
  expect(steps).toBeGreaterThanOrEqual(step);
});

usualTest('a reader waits while a download moves its file into the store', async () => {
  const { hub, home, read, repo, cold } = await coldWorld();
  const id = parseModelId('org/m');
  const commit = hub.push('org/m', { files });
  const { path, size, oid } = (await repo('org/m')).byPath.get('README.md') as HubFile;
  const download = await cold.share(id);
  download.listed(commit);
  download.begun({ path, size, id: { kind: 'git', value: oid } }, join(home, 'moved away'), []);
  const reading = read('org/m', 'README.md');
  let isAnswered = false;
  const answered = reading.finally(() => {
    isAnswered = true;
  });
  // A request that does not wait is refused while another request is processed.
  for (let turn = 0; turn < 3; turn += 1) await (await read('org/m', 'config.json')).all;
  expect(isAnswered).toBe(false);
  await download.end(false);
  expect((await within('the file', (await within('the answer', answered)).all)).toString()).toBe('# m\n');
});

usualTest('a gated or private model is available only after an explicit download, and share_gated hides it', async () => {
  const { hub, repo, read } = await coldWorld({ env: { HF_TOKEN: 'hf_owner' } });
  hub.tokens.add('hf_owner');
  hub.push('org/closed', { files, gated: true });
  hub.push('org/secret', { files, private: true });
  for (const id of ['org/closed', 'org/secret'])
    await expect(repo(id)).rejects.toMatchObject({ kind: 'gated', message: expect.stringContaining(`skulk download ${id}`) });
  await expect(repo('org/none')).rejects.toMatchObject({ kind: 'repoNotFound' });
  await expect(read('org/closed', 'config.json')).rejects.toMatchObject({ kind: 'gated' });
  expect(hub.sent('config.json')).toBe(0);
});

usualTest('share_gated: false hides a gated model, whether or not the store has it', async () => {
  const { hub, repo, queue, downloaded } = await coldWorld({ env: { HF_TOKEN: 'hf_owner' }, settings: { shareGated: false } });
  hub.tokens.add('hf_owner');
  hub.push('org/closed', { files: { 'config.json': '{}' }, gated: true });
  hub.push('org/open', { files: { 'config.json': '{}' } });
  for (const modelId of ['org/closed', 'org/open']) {
    await queue.ask({ modelId: modelId as never });
    expect(await downloaded(modelId)).toMatchObject({ status: 'complete' });
  }
  await expect(repo('org/closed')).rejects.toMatchObject({ kind: 'repoNotFound' });
  expect(await repo('org/open')).toMatchObject({ id: 'org/open' });
});

usualTest('a fetch of more than max_fetch_bytes of a model is refused before the first byte', async () => {
  const { hub, read } = await coldWorld({ settings: { maxFetchBytes: 1_500 } });
  hub.push('org/m', { files: { 'a.txt': noise(1_000, 1), 'b.txt': noise(1_000, 2), 'config.json': '{}' } });
  expect((await (await read('org/m', 'a.txt')).all).length).toBe(1_000);
  await expect(read('org/m', 'b.txt')).rejects.toMatchObject({ kind: 'noRoom', message: expect.stringContaining('skulk download org/m') });
  expect(hub.sent('b.txt')).toBe(0);
  expect((await (await read('org/m', 'config.json')).all).length).toBe(2);
});

usualTest('the fetched bytes of a model count after a restart, until the model is deleted', async () => {
  const settings = { maxFetchBytes: 2_500 };
  const first = await coldWorld({ settings });
  first.hub.push('org/m', { files: { 'a.txt': noise(1_000, 1), 'b.txt': noise(1_000, 2), 'c.txt': noise(1_000, 3), 'config.json': '{}' } });
  expect((await (await first.read('org/m', 'a.txt')).all).length).toBe(1_000);
  expect((await (await first.read('org/m', 'b.txt')).all).length).toBe(1_000);
  await first.close();
  const { read, hub, root, queue, downloaded, store } = await coldWorld({ settings, hub: first.hub, root: first.root });
  await expect(read('org/m', 'c.txt')).rejects.toMatchObject({ kind: 'noRoom' });
  expect(hub.sent('c.txt')).toBe(0);
  await queue.ask({ modelId: 'org/m' as never });
  expect(await downloaded('org/m')).toMatchObject({ status: 'complete' });
  await store.remove('org/m' as never);
  await until('the count to be gone', () => !existsSync(join(root, '.skulk/v1/fetched/org--m.json')));
  expect((await (await read('org/m', 'c.txt')).all).length).toBe(1_000);
});

usualTest('an invalid count of fetched bytes counts as zero, and a file that blocks its path is reported', async () => {
  const { hub, read, root } = await coldWorld({ settings: { maxFetchBytes: 1_500 } });
  hub.push('org/m', { files: { 'a.txt': noise(1_000, 1) } });
  hub.push('org/n', { files: { 'a.txt': noise(1_000, 1) } });
  await mkdir(join(root, '.skulk/v1/fetched/org--n.json'), { recursive: true });
  await writeFile(join(root, '.skulk/v1/fetched/org--m.json'), '{"files":{"../x":5000,"b.txt":-1,');
  expect((await (await read('org/m', 'a.txt')).all).length).toBe(1_000);
  await expect(read('org/n', 'a.txt')).rejects.toThrow('EISDIR');
});

longTest('a small file that a download skipped is added to the model in the store, with its id', async () => {
  const { hub, read, queue, downloaded, manifest, store } = await coldWorld();
  hub.push('org/g', { files: { 'Foo-Q4_K_M.gguf': noise(2_000, 1), 'big.png': noise(11 * 1024 * 1024, 2), 'config.json': '{}' } });
  await queue.ask({ modelId: 'org/g' as never });
  expect(await downloaded('org/g')).toMatchObject({ status: 'complete' });
  const one = await read('org/g', 'big.png');
  expect(one.kind).toBe('stream');
  expect(sha256(await within('the end', one.all))).toBe(sha256(noise(11 * 1024 * 1024, 2)));
  await until('the file in the store', async () => (await manifest('org/g')).files.some(({ path }) => path === 'big.png'));
  expect((await manifest('org/g')).files.map(({ path }) => path)).toEqual(['Foo-Q4_K_M.gguf', 'big.png', 'config.json']);
  const again = await read('org/g', 'big.png');
  expect(again.kind).toBe('file');
  await again.all;
  expect(
    await store.verify({ refs: [{ modelId: 'org/g' as never }], repair: false }, { signal: new AbortController().signal }),
  ).toMatchObject({
    ok: true,
  });
});

usualTest('with `job` weights are fetched only by the download, and their reader waits for it', async () => {
  const { hub, read, downloaded, gets } = await coldWorld({ settings: { upstream: 'job' } });
  hub.push('org/m', { files });
  const one = await within('the answer', read('org/m', 'model.safetensors'));
  expect(sha256(await within('the end', one.all))).toBe(sha256(weights));
  expect(await downloaded('org/m')).toMatchObject({ status: 'complete' });
  expect(hub.sent('model.safetensors')).toBe(weights.length);
  expect(gets('model.safetensors')).toHaveLength(1);
});

usualTest('with `off` no request is sent to Hugging Face', async () => {
  const { hub, repo } = await coldWorld({ settings: { upstream: 'off' } });
  hub.push('org/m', { files });
  await expect(repo('org/m')).rejects.toMatchObject({ kind: 'repoNotFound' });
  expect(hub.requests).toEqual([]);
});

const lost: readonly (readonly [upstream: string, why: string, fail: (response: ServerResponse) => void])[] = [
  ['a lost upstream', 'cannot fetch it now: cannot reach http://127.0.0.1:', (response) => response.socket?.destroy()],
  [
    'an upstream that limits requests',
    'cannot fetch it now: Hugging Face rate limit reached',
    (response) => response.writeHead(429, { 'Retry-After': '60', 'Content-Length': '0' }).end(),
  ],
];
for (const [upstream, why, fail] of lost) {
  usualTest(`${upstream} refuses weights with 424 and small files with 503, also for HEAD, and says why`, async () => {
    const clock = windClock();
    const { hub, repo, backend, read } = await coldWorld({ after: clock.after });
    hub.push('org/m', { files });
    const model = await repo('org/m');
    hub.fault = ({ response }) => {
      fail(response);
      return true;
    };
    const asker = { mayFetch: true };
    const [config, weight] = [model.byPath.get('README.md'), model.byPath.get('model.safetensors')];
    if (config === undefined || weight === undefined) throw new Error('the listing is incomplete');
    const isKnownToBeLost = (): Promise<boolean> =>
      backend.head(model, config, asker).then(
        () => false,
        () => true,
      );
    for (const [path, kind] of [
      ['model.safetensors', 'absent'],
      ['config.json', 'unreachable'],
    ] as const) {
      const refused = read('org/m', path);
      refused.catch(() => undefined);
      await until('a request', () => hub.requests.some((one) => one.endsWith(`/${path}`)));
      // A request is still active for its reader until it is known to have failed.
      await until('its end to be noticed', isKnownToBeLost);
      let isOver = false;
      void refused.catch(() => {
        isOver = true;
      });
      await until('the refusal', () => {
        clock.ring(3_000);
        return isOver;
      });
      await expect(refused).rejects.toMatchObject({ kind, message: expect.stringContaining(why) });
    }
    await expect(backend.head(model, config, asker)).rejects.toMatchObject({ kind: 'unreachable' });
    await backend.head(model, weight, asker);
  });
}
