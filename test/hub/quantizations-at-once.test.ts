import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { type HubWorld, hubWorld } from '../helpers/hub-world.ts';
import { digestsBelow, digestsOfFiles, noise } from '../helpers/model-files.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { until, within } from '../helpers/waiting.ts';

const four = { 'Foo-Q4_K_M.gguf': noise(200_000, 1) };
const five = { 'Foo-Q5_K_M-00001-of-00002.gguf': noise(100_000, 2), 'Foo-Q5_K_M-00002-of-00002.gguf': noise(100_001, 3) };
const eight = { 'Foo-Q8_0.gguf': noise(300_000, 4) };
const shared = { 'config.json': '{"model_type":"llama"}' };
const repo = { ...four, ...five, ...eight, ...shared };

interface Listed {
  readonly modelId: string;
  readonly selector: string | null;
  readonly status: string;
  readonly download_id: string;
  readonly bytes_done: number;
}

/** A world whose Hub holds some files back until they are released. */
async function heldWorld(held: readonly string[]) {
  const world = await hubWorld();
  world.hub.push('org/g', { files: repo });
  const gates = new Map(held.map((name) => [name, Promise.withResolvers<void>()]));
  world.hub.fault = async ({ path }) => {
    await gates.get(path)?.promise;
    return false;
  };
  const release = (name: string): void => gates.get(name)?.resolve();
  return { world, release };
}

const listed = async (world: HubWorld, ...args: string[]): Promise<Listed[]> =>
  (JSON.parse((await world.host('downloads', ...args, '--json')).stdout) as { downloads: Listed[] }).downloads;
const states = async (world: HubWorld) => Object.fromEntries((await listed(world)).map((one) => [one.selector ?? '', one.status]));
const canonical = (world: HubWorld) => digestsBelow(join(world.storePath, 'org--g'));
const asked = (world: HubWorld, path: string) =>
  until(`a request for ${path}`, () => world.hub.requests.some((line) => line.includes(path)));

describe('quantizations of one model that are requested at the same time', () => {
  longTest('are downloaded one after the other, each with its own status, and every byte once', async () => {
    const { world, release } = await heldWorld(['Foo-Q8_0.gguf']);
    const served = await world.serveInProcess();
    for (const selector of ['Q8_0', 'q4_k_m', 'Q5_K_M'])
      expect(await world.host('download', `org/g:${selector}`, '--no-wait')).toMatchObject({ status: 0 });
    await asked(world, 'Foo-Q8_0');
    expect(await states(world)).toEqual({ Q8_0: 'downloading', q4_k_m: 'pending', Q5_K_M: 'pending' });
    const table = (await world.host('downloads')).stdout;
    for (const selector of ['Q8_0', 'q4_k_m', 'Q5_K_M']) expect(table).toContain(`org/g:${selector}`);
    // The same request joins, and a request for the whole model accepts this download.
    const [q8] = await listed(world, 'org/g:Q8_0');
    const ask = async (body: object) =>
      (await (
        await fetch(`${served.url}/models/org%2Fg/download`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify(body),
        })
      ).json()) as Listed;
    expect(await ask({ selector: 'Q4_K_M' })).toMatchObject({ status: 'pending', selector: 'q4_k_m' });
    expect(await ask({})).toMatchObject({ download_id: q8?.download_id, status: 'downloading' });
    // The Python program knows one status for each model: that of the running one.
    const status = async (query = '') => (await fetch(`${served.url}/models/org%2Fg/download/status${query}`)).json();
    expect(await status()).toMatchObject({ modelId: 'org/g', status: 'downloading', selector: 'Q8_0' });
    const [q4] = await listed(world, 'org/g:Q4_K_M');
    expect(await status(`?download_id=${q4?.download_id}`)).toMatchObject({ status: 'pending', selector: 'q4_k_m' });
    expect((await fetch(`${served.url}/models/org%2Fg/download/status?download_id=../x`)).status).toBe(400);
    const waiting = world.startHost('download', 'org/g:Q5_K_M');
    await until('a word about the queue', () => waiting.stderr().includes('org/g:Q5_K_M is waiting in the queue'));
    release('Foo-Q8_0.gguf');
    expect(await within('the last one', waiting.exited)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('the weights are Foo-Q5_K_M-00001-of-00002.gguf'),
    });
    expect(await states(world)).toEqual({ Q8_0: 'complete', q4_k_m: 'complete', Q5_K_M: 'complete' });
    expect(await canonical(world)).toEqual(digestsOfFiles(repo));
    for (const [name, content] of Object.entries({ ...four, ...five, ...eight })) expect(world.hub.sent(name), name).toBe(content.length);
    expect(await world.host('verify')).toMatchObject({ status: 0 });
    expect(await readdir(join(world.storePath, '.skulk/v1/downloads'))).toEqual(['org--g']);
  });

  longTest('can be cancelled separately, a waiting one and a running one', async () => {
    const { world, release } = await heldWorld(['Foo-Q8_0.gguf']);
    await world.serveInProcess();
    for (const selector of ['Q8_0', 'Q4_K_M', 'Q5_K_M']) await world.host('download', `org/g:${selector}`, '--no-wait');
    await asked(world, 'Foo-Q8_0');
    expect(await world.host('cancel', 'org/g:q4_k_m')).toMatchObject({
      status: 0,
      stdout: 'org/g:Q4_K_M: download stopped\nto resume it: skulk download org/g:Q4_K_M\n',
    });
    expect(await world.host('cancel', 'org/g:Q2_K')).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('org/g:Q8_0, org/g:Q5_K_M'),
    });
    expect(await states(world)).toEqual({ Q8_0: 'downloading', Q4_K_M: 'failed', Q5_K_M: 'pending' });
    expect(await world.host('cancel', 'org/g:Q8_0')).toMatchObject({ status: 0 });
    expect(await world.host('download', 'org/g:Q5_K_M')).toMatchObject({ status: 0 });
    expect(await canonical(world)).toEqual(digestsOfFiles({ ...five, ...shared }));
    expect(await world.host('cancel', 'org/g:Q5_K_M')).toMatchObject({ status: 5 });
    release('Foo-Q8_0.gguf');
    expect(await world.host('download', 'org/g:Q8_0')).toMatchObject({ status: 0 });
    expect(await canonical(world)).toEqual(digestsOfFiles({ ...five, ...eight, ...shared }));
  });

  usualTest('are all stopped by a cancel of the model', async () => {
    const { world } = await heldWorld(['Foo-Q8_0.gguf']);
    await world.serveInProcess();
    for (const selector of ['Q8_0', 'Q4_K_M', 'Q5_K_M']) await world.host('download', `org/g:${selector}`, '--no-wait');
    await asked(world, 'Foo-Q8_0');
    expect(await world.host('cancel', 'org/g')).toMatchObject({ status: 0 });
    expect(await states(world)).toEqual({ Q8_0: 'failed', Q4_K_M: 'failed', Q5_K_M: 'failed' });
    expect(await world.host('cancel', 'org/g')).toMatchObject({ status: 5 });
    expect(world.hub.sent('Foo-Q4_K_M.gguf')).toBe(0);
  });

  longTest('are downloaded beside the whole repo', async () => {
    const { world, release } = await heldWorld(['Foo-Q4_K_M.gguf']);
    await world.serveInProcess();
    await world.host('download', 'org/g:Q4_K_M', '--no-wait');
    await asked(world, 'Foo-Q4_K_M');
    expect(await world.host('download', 'org/g', '--whole', '--no-wait')).toMatchObject({ status: 0 });
    expect(await world.host('download', 'org/g:Q8_0', '--no-wait')).toMatchObject({ status: 0 });
    release('Foo-Q4_K_M.gguf');
    expect(await within('the last one', world.host('download', 'org/g:Q8_0'))).toMatchObject({ status: 0 });
    expect(await canonical(world)).toEqual(digestsOfFiles(repo));
    for (const [name, content] of Object.entries({ ...four, ...eight })) expect(world.hub.sent(name), name).toBe(content.length);
  });

  longTest('continue after a kill of the server, in their order', async () => {
    const { world, release } = await heldWorld(['Foo-Q8_0.gguf']);
    const first = await world.serve();
    for (const selector of ['Q8_0', 'Q4_K_M']) await world.host('download', `org/g:${selector}`, '--no-wait');
    await asked(world, 'Foo-Q8_0');
    await first.kill();
    expect(await states(world)).toEqual({ Q8_0: 'downloading', Q4_K_M: 'pending' });
    await world.serveInProcess();
    release('Foo-Q8_0.gguf');
    await until('both', async () => Object.values(await states(world)).every((status) => status === 'complete'));
    expect(await canonical(world)).toEqual(digestsOfFiles({ ...four, ...eight, ...shared }));
  });

  longTest('are downloaded one after the other by two processes without a server too', async () => {
    const { world, release } = await heldWorld(['Foo-Q8_0.gguf']);
    const first = world.startHost('download', 'org/g:Q8_0');
    await asked(world, 'Foo-Q8_0');
    const second = world.startHost('download', 'org/g:Q4_K_M');
    await until('a word about the other process', () => second.stderr().includes(`pid ${first.pid}`));
    release('Foo-Q8_0.gguf');
    expect(await within('the first', first.exited)).toMatchObject({ status: 0 });
    expect(await within('the second', second.exited)).toMatchObject({ status: 0 });
    expect(await canonical(world)).toEqual(digestsOfFiles({ ...four, ...eight, ...shared }));
  });

  longTest('are refused to a second process without a server if it asks for the same one, with the process that downloads it', async () => {
    const { world, release } = await heldWorld(['Foo-Q8_0.gguf']);
    const first = world.startHost('download', 'org/g:Q8_0');
    await asked(world, 'Foo-Q8_0');
    const second = await world.host('download', 'org/g:q8_0', '--quiet');
    expect(second).toMatchObject({ status: 5, stdout: '' });
    expect(second.stderr).toContain(`skulk: another command is downloading org/g (pid ${first.pid})`);
    release('Foo-Q8_0.gguf');
    expect(await within('the first', first.exited)).toMatchObject({ status: 0 });
    expect(await world.host('download', 'org/g:q8_0', '--quiet')).toMatchObject({ status: 0 });
  });

  longTest('are staged by two nodes at the same time, each with its own bytes', async () => {
    const { world, release } = await heldWorld(['Foo-Q8_0.gguf', 'Foo-Q4_K_M.gguf']);
    const served = await world.serveInProcess();
    const eights = world.node(served, 'one', 'stage', 'org/g:Q8_0', '--json');
    await asked(world, 'Foo-Q8_0');
    const fours = world.node(served, 'two', 'stage', 'org/g:Q4_K_M', '--json');
    await until('the second one in the queue', async () => (await listed(world)).length === 2);
    release('Foo-Q8_0.gguf');
    expect(await within('the first stage', eights.exited)).toMatchObject({ status: 0 });
    release('Foo-Q4_K_M.gguf');
    const ended = await within('the second stage', fours.exited);
    expect(ended, ended.stderr).toMatchObject({ status: 0 });
    const [staged] = (JSON.parse(ended.stdout) as { staged: { path: string; bytes_transferred: number }[] }).staged;
    expect(staged?.bytes_transferred).toBe(200_000 + 22);
    expect(await digestsBelow(staged?.path ?? '')).toEqual(digestsOfFiles({ ...four, ...shared }));
  });
});
