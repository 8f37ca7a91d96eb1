import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { type HubWorld, hubWorld } from '../helpers/hub-world.ts';
import { digestsBelow, digestsOfFiles, noise } from '../helpers/model-files.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { until, within } from '../helpers/waiting.ts';

const four = { 'Foo-Q4_K_M.gguf': noise(200_000, 1) };
const five = { 'Foo-Q5_K_M.gguf': noise(100_000, 2) };
const eight = { 'Foo-Q8_0.gguf': noise(300_000, 4) };
const shared = { 'config.json': '{"model_type":"llama"}' };
const repo = { ...four, ...five, ...eight, ...shared };

/** A world whose Hub holds one file back until it is released. */
async function heldWorld(held: string) {
  const world = await hubWorld();
  world.hub.push('org/g', { files: repo });
  const gate = Promise.withResolvers<void>();
  world.hub.fault = async ({ path }) => {
    if (path === held) await gate.promise;
    return false;
  };
  return { world, release: gate.resolve };
}

const canonical = (world: HubWorld) => digestsBelow(join(world.storePath, 'org--g'));
const asked = (world: HubWorld, path: string) =>
  until(`a request for ${path}`, () => world.hub.requests.some((line) => line.includes(path)));
const isComplete = async (world: HubWorld, selector: string): Promise<boolean> => {
  const { downloads } = JSON.parse((await world.host('downloads', `org/g:${selector}`, '--json')).stdout) as {
    downloads: { status: string }[];
  };
  return downloads.every(({ status }) => status === 'complete');
};

describe('a quantization that is deleted while another one is downloaded', () => {
  usualTest('is removed at once and stays deleted, and the other is downloaded once', async () => {
    const { world, release } = await heldWorld('Foo-Q8_0.gguf');
    await world.serveInProcess();
    for (const selector of ['Q4_K_M', 'Q5_K_M']) await world.host('download', `org/g:${selector}`);
    await world.host('download', 'org/g:Q8_0', '--no-wait');
    await asked(world, 'Foo-Q8_0');
    expect(await world.host('delete', 'org/g:Q4_K_M', '--yes')).toMatchObject({ status: 0 });
    expect(await canonical(world)).toEqual(digestsOfFiles({ ...five, ...shared }));
    // No other copy has its bytes, so their space is free.
    // The download moves its files meanwhile: a path that disappears during the check is read again.
    const under = () => readdir(join(world.storePath, '.skulk/v1/downloads'), { recursive: true }).catch(() => ['Q4_K_M']);
    await until('its link to go', async () => !(await under()).some((path) => path.includes('Q4_K_M')));
    release();
    await until('the other one', () => isComplete(world, 'Q8_0'));
    expect(await canonical(world)).toEqual(digestsOfFiles({ ...five, ...eight, ...shared }));
    expect(world.hub.sent('Foo-Q8_0.gguf')).toBe(300_000);
    expect(await world.host('verify')).toMatchObject({ status: 0 });
  });

  longTest('is removed with its model if it was the only one, and the other adds the model again', async () => {
    const { world, release } = await heldWorld('Foo-Q8_0.gguf');
    await world.serveInProcess();
    await world.host('download', 'org/g:Q4_K_M');
    await world.host('download', 'org/g:Q8_0', '--no-wait');
    await asked(world, 'Foo-Q8_0');
    expect(await world.host('delete', 'org/g:Q4_K_M', '--yes')).toMatchObject({ status: 0 });
    release();
    await until('the other one', () => isComplete(world, 'Q8_0'));
    expect(await canonical(world)).toEqual(digestsOfFiles({ ...eight, ...shared }));
  });

  longTest('stays deleted when another process without a server deletes it', async () => {
    const { world, release } = await heldWorld('Foo-Q8_0.gguf');
    for (const selector of ['Q4_K_M', 'Q5_K_M']) await world.host('download', `org/g:${selector}`);
    const downloading = world.startHost('download', 'org/g:Q8_0');
    await asked(world, 'Foo-Q8_0');
    expect(await world.host('delete', 'org/g:Q4_K_M', '--yes')).toMatchObject({ status: 0 });
    release();
    expect(await within('the download', downloading.exited)).toMatchObject({ status: 0 });
    expect(await canonical(world)).toEqual(digestsOfFiles({ ...five, ...eight, ...shared }));
    expect(world.hub.sent('Foo-Q8_0.gguf')).toBe(300_000);
  });

  longTest('cannot be deleted when the download may add it again', async () => {
    const { world, release } = await heldWorld('Foo-Q8_0.gguf');
    await world.serveInProcess();
    await world.host('download', 'org/g:Q4_K_M');
    await world.host('download', 'org/g', '--whole', '--no-wait');
    await asked(world, 'Foo-Q8_0');
    expect(await world.host('delete', 'org/g:Q4_K_M', '--yes')).toMatchObject({
      status: 5,
      stderr: expect.stringMatching(/org\/g:Q4_K_M is being downloaded\n.*skulk cancel org\/g/s),
    });
    release();
  });
});

usualTest('a quantization that is being downloaded at one revision is refused at another, with a hint', async () => {
  const { world, release } = await heldWorld('Foo-Q8_0.gguf');
  world.hub.push('org/g', { files: { ...repo, 'Foo-Q8_0.gguf': noise(300_000, 5) } }, 'v2');
  await world.serveInProcess();
  await world.host('download', 'org/g:Q8_0', '--no-wait');
  await asked(world, 'Foo-Q8_0');
  expect(await world.host('download', 'org/g@v2:Q8_0')).toMatchObject({
    status: 5,
    stderr: expect.stringMatching(/org\/g:Q8_0 is already being downloaded at revision main, not at v2\n.*skulk cancel org\/g:Q8_0/s),
  });
  expect(await world.host('download', 'org/g:Q8_0', '--strict')).toMatchObject({
    status: 5,
    stderr: expect.stringContaining('org/g:Q8_0 is already being downloaded without --strict'),
  });
  release();
});
