import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type HubWorld, hubWorld } from '../helpers/hub-world.ts';
import { digestsBelow, digestsOfFiles, noise } from '../helpers/model-files.ts';
import { isLong } from '../helpers/seeded.ts';
import { until } from '../helpers/waiting.ts';

const mib = 1024 * 1024;
/** Long enough that its start is recorded before its end is downloaded. */
const four = { 'Foo-Q4_K_M.gguf': noise(24 * mib, 1) };
const eight = { 'Foo-Q8_0.gguf': noise(300_000, 4) };
const shared = { 'config.json': '{"model_type":"llama"}' };

/** A world whose Hub sends all but the last bytes of the first file, until the fault is removed. */
async function brokenWorld() {
  const world = await hubWorld();
  world.hub.push('org/g', { files: { ...four, ...eight, ...shared } });
  const gate = Promise.withResolvers<void>();
  /** The starts of the requested ranges of the first file. */
  const starts: number[] = [];
  world.hub.fault = async ({ path, request }) => {
    const first = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (path !== 'Foo-Q4_K_M.gguf') return false;
    starts.push(first);
    if (first >= 16 * mib) await gate.promise;
    return false;
  };
  const heal = (): void => {
    starts.length = 0;
    gate.resolve();
  };
  return { world, heal, starts };
}

const downloads = (world: HubWorld) => join(world.storePath, '.skulk/v1/downloads');
const places = async (world: HubWorld) => (await readdir(downloads(world))).filter((name) => name.includes('~'));
const canonical = (world: HubWorld) => digestsBelow(join(world.storePath, 'org--g'));

/** Starts a download, and cancels it after 16 MiB. */
async function cancelHalfway(world: HubWorld, ref: string): Promise<void> {
  expect(await world.host('download', ref, '--no-wait')).toMatchObject({ status: 0 });
  await until('the first 16 MiB', async () => {
    const { downloads: all } = JSON.parse((await world.host('downloads', '--json')).stdout) as { downloads: { bytes_done: number }[] };
    return all.some(({ bytes_done }) => bytes_done >= 16 * mib);
  });
  expect(await world.host('cancel', ref)).toMatchObject({ status: 0 });
}

/** What uses the data of a download of `org/g:Q4_K_M`; the short form has the first two. */
const requests = [
  ['org/g:Q4_K_M', [], 'the same command'],
  ['org/g', [], 'a download of the model'],
  ['org/g', ['--whole'], 'a download of the whole repo'],
  ['org/g', ['--gguf-file', 'Foo-Q4_K_M.gguf'], 'a download of its file'],
] as const;

describe('the data of a cancelled download of a quantization', () => {
  test.for(isLong ? requests : requests.slice(0, 2))('is used by %s %s: %s', async ([ref, flags]) => {
    const { world, heal, starts } = await brokenWorld();
    await world.serveInProcess();
    await cancelHalfway(world, 'org/g:Q4_K_M');
    heal();
    expect(await world.host('download', ref, ...flags)).toMatchObject({ status: 0 });
    expect(starts.filter((start) => start < 16 * mib)).toEqual([]);
    expect(await canonical(world)).toMatchObject(digestsOfFiles({ ...four, ...shared }));
    expect(await places(world)).toEqual([]);
  });

  test('is used by the quantization when the model was cancelled', async () => {
    const { world, heal, starts } = await brokenWorld();
    await world.serveInProcess();
    await cancelHalfway(world, 'org/g');
    heal();
    expect(await world.host('download', 'org/g:Q4_K_M')).toMatchObject({ status: 0 });
    expect(starts.filter((start) => start < 16 * mib)).toEqual([]);
    expect((await readdir(join(downloads(world), 'org--g'))).toSorted()).toEqual(['lock']);
  });
});

test('the data of a cancelled download is removed after a week without use, with its entry in the list, and other files stay', async () => {
  const { world, heal } = await brokenWorld();
  const first = await world.serveInProcess();
  await cancelHalfway(world, 'org/g:Q4_K_M');
  await first[Symbol.asyncDispose]();
  const [place = ''] = await places(world);
  const mine = join(downloads(world), 'my--notes');
  await mkdir(mine);
  await writeFile(join(mine, 'a.txt'), 'mine');
  await writeFile(join(downloads(world), place, 'b.txt'), 'mine too');
  const longAgo = new Date(Date.now() - 8 * 24 * 3600_000);
  // A server that starts keeps newer data.
  const second = await world.serveInProcess();
  expect(await world.host('downloads', '--json')).toMatchObject({ stdout: expect.stringContaining('Q4_K_M') });
  await second[Symbol.asyncDispose]();
  const paths = Object.keys(await digestsBelow(downloads(world)));
  expect(paths).toContain(`${place}/files/Foo-Q4_K_M.gguf`);
  for (const path of paths) await utimes(join(downloads(world), path), longAgo, longAgo);
  await world.serveInProcess();
  await until('the place to be cleared', async () => (await readdir(join(downloads(world), place))).length === 1);
  expect(await readdir(join(downloads(world), place))).toEqual(['b.txt']);
  expect(await readdir(mine)).toEqual(['a.txt']);
  await until('its row to go', async () => !(await world.host('downloads', '--json')).stdout.includes('Q4_K_M'));
  heal();
});
