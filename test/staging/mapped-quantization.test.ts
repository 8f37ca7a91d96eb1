import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { parseModelRef } from '../../src/core/kernel/model-id.ts';
import { purgeStaging } from '../../src/core/operations/nodes/purge-staging.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { mapFile } from '../helpers/mapped-file.ts';
import { digestsBelow, digestsOfFiles, noise, sha256, writeFiles } from '../helpers/model-files.ts';
import { killPoints, seededRandom, testSeed } from '../helpers/seeded.ts';
import { runSkulk } from '../helpers/spawn-skulk.ts';
import { copyOf, serveThroughProxy, stagingNode } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

const killer = pathToFileURL(join(import.meta.dirname, '../helpers/kill-at-write.mjs')).href;
const a = { 'm-Q4_K_M.gguf': noise(300_000, 1) };
const b = { 'm-Q8_0-00001-of-00002.gguf': noise(400_000, 2), 'm-Q8_0-00002-of-00002.gguf': noise(100_000, 3) };
const [firstOfB = ''] = Object.keys(b);
const mapped = sha256(Object.values(b)[0] as Buffer);
const shared = { 'config.json': '{"version":1}' };

test('a mapped quantization keeps its bytes on a node during any change of it or of another one', wants('llama-quantize'), async () => {
  const { proxy, replace } = await serveThroughProxy({ 'org/m': { ...a, ...b, ...shared } });
  const node = await stagingNode(proxy.url);
  await node.stage('org/m:Q8_0');
  const held = await mapFile(join(copyOf(node, 'org/m'), firstOfB));
  const here = () => digestsBelow(copyOf(node, 'org/m'));
  const purge = (ref: string) => purgeStaging(node.deps, { refs: [parseModelRef(ref)], dryRun: false, force: true });
  await node.stage('org/m:Q4_K_M');
  expect([await held.digest(), await here()]).toEqual([mapped, digestsOfFiles({ ...a, ...b, ...shared })]);
  await purge('org/m:Q4_K_M');
  expect([await held.digest(), await here()]).toEqual([mapped, digestsOfFiles({ ...b, ...shared })]);
  await node.stage('org/m:Q8_0', { force: true });
  expect([await held.digest(), await here()]).toEqual([mapped, digestsOfFiles({ ...b, ...shared })]);
  // A new revision replaces all files.
  const next = { ...a, ...Object.fromEntries(Object.keys(b).map((path, index) => [path, noise(200_000, 20 + index)])), 'config.json': '2' };
  await replace({ 'org/m': next });
  await node.request(['org/m:Q8_0', 'org/m:Q4_K_M']);
  expect([await held.digest(), await here()]).toEqual([mapped, digestsOfFiles(next)]);
  await purge('org/m:Q8_0');
  await purge('org/m:Q4_K_M');
  expect([await held.digest(), await readdir(node.root)]).toEqual([mapped, ['.skulk']]);
});

test(
  'a mapped quantization keeps its bytes in the store while another is added and removed, and all are replaced',
  wants('llama-quantize'),
  async () => {
    const world = await hubWorld();
    world.hub.push('org/m', { files: { ...a, ...b, ...shared } });
    expect(await world.host('download', 'org/m:Q8_0')).toMatchObject({ status: 0 });
    const place = join(world.storePath, 'org--m');
    const held = await mapFile(join(place, firstOfB));
    expect(await world.host('download', 'org/m:Q4_K_M')).toMatchObject({ status: 0 });
    expect([await held.digest(), await digestsBelow(place)]).toEqual([mapped, digestsOfFiles({ ...a, ...b, ...shared })]);
    expect(await world.host('delete', 'org/m:Q4_K_M', '--yes')).toMatchObject({ status: 0 });
    expect([await held.digest(), await digestsBelow(place)]).toEqual([mapped, digestsOfFiles({ ...b, ...shared })]);
    const other = { ...a, [firstOfB]: noise(5_000, 9), 'm-Q8_0-00002-of-00002.gguf': noise(5_000, 10) };
    await writeFiles(join(world.home, 'other'), other);
    expect(await world.host('add', join(world.home, 'other'), '--as', 'org/m', '--force')).toMatchObject({ status: 0 });
    expect([await held.digest(), await digestsBelow(place)]).toEqual([mapped, digestsOfFiles(other)]);
    expect(await world.host('delete', 'org/m', '--yes')).toMatchObject({ status: 0 });
    expect(await held.digest()).toBe(mapped);
  },
);

test.each([
  ['delete org/m:Q4_K_M --yes', true],
  ['download org/m:Q4_K_M', false],
  ['add SOURCE --as org/m --force', false],
] as const)(
  'a kill at any write of `skulk %s` in the store leaves that quantization complete or absent, and the mapped one unchanged',
  wants('llama-quantize'),
  async (line, isThere) => {
    const world = await hubWorld();
    world.hub.push('org/m', { files: { ...a, ...b, ...shared } });
    const source = join(world.home, 'both');
    await writeFiles(source, { ...a, ...b, ...shared });
    const counted = join(await temporaryDirectory(), 'writes');
    const place = join(world.storePath, 'org--m');
    const prepare = async (): Promise<void> => {
      const ended = isThere ? await world.host('download', 'org/m:Q4_K_M') : await world.host('delete', 'org/m:Q4_K_M', '--yes');
      expect([0, 3], ended.stderr).toContain(ended.status);
    };
    const run = (killAt: number) =>
      runSkulk(line.replace('SOURCE', source).split(' '), {
        env: {
          SKULK_HOME: join(world.home, 'host'),
          HF_ENDPOINT: world.hub.url,
          NODE_OPTIONS: `--import=${killer}`,
          SKULK_TEST_KILL_AT: String(killAt),
          SKULK_TEST_WRITES: counted,
        },
      });
    await mkdir(world.storePath, { recursive: true });
    expect(await world.host('download', 'org/m:Q8_0')).toMatchObject({ status: 0 });
    await prepare();
    expect(await run(0)).toMatchObject({ status: 0 });
    const writes = Number(await readFile(counted, 'utf8'));
    expect(writes).toBeGreaterThan(3);
    const random = seededRandom(testSeed);
    for (const point of killPoints(writes, 2, random)) {
      const what = `write ${point}, SKULK_TEST_SEED=${testSeed}`;
      await prepare();
      const held = await mapFile(join(place, firstOfB));
      const { signal, status, stderr } = await run(point);
      expect(signal === 'SIGKILL' || status === 0, `${what}: ${stderr}`).toBe(true);
      // The next command completes the change.
      const verified = await world.host('verify', '--json');
      expect([verified.status, JSON.parse(verified.stdout)], what).toMatchObject([
        0,
        { ok: true, models: [{ model_id: 'org/m', status: 'ok' }] },
      ]);
      const files = await digestsBelow(place);
      const isWhole = 'm-Q4_K_M.gguf' in files;
      expect(files, what).toEqual(digestsOfFiles(isWhole ? { ...a, ...b, ...shared } : { ...b, ...shared }));
      expect(await held.digest(), what).toBe(mapped);
    }
    await prepare();
    expect(await run(0)).toMatchObject({ status: 0 });
    expect(await digestsBelow(place)).toEqual(digestsOfFiles(isThere ? { ...b, ...shared } : { ...a, ...b, ...shared }));
  },
);
