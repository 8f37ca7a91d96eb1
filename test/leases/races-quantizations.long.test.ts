import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { noise, sha256 } from '../helpers/model-files.ts';
import { rounds, seededRandom, testSeed } from '../helpers/seeded.ts';
import { serveThroughProxy } from '../helpers/staging-node.ts';
import { until, within } from '../helpers/waiting.ts';
import { leaseNode } from './lease-node.ts';

const selectors = ['Q2_K', 'Q3_K_M', 'Q4_K_M', 'Q5_K_M', 'Q8_0'];
const weightsOf = (selector: string, number: number): Buffer => noise(200_000, 100 * number + selectors.indexOf(selector));
const version = (number: number) => ({
  'org/m': {
    ...Object.fromEntries(selectors.map((selector) => [`m-${selector}.gguf`, weightsOf(selector, number)])),
    'config.json': `{"version":${number}}`,
  },
});

/** Checks the quantization repeatedly: it must stay the same file, with the bytes that it had when it was opened. */
const watch = `
  cd / || exit 40
  exec 3< "$SKULK_GGUF_FILE" || exit 41
  before=$(stat -c %i "$SKULK_MODEL_PATH" "$SKULK_GGUF_FILE") || exit 42
  sum=$(sha256sum < "$SKULK_GGUF_FILE") || exit 43
  for look in 1 2 3 4 5 6; do
    after=$(stat -c %i "$SKULK_MODEL_PATH" "$SKULK_GGUF_FILE") || exit 44
    [ "$before" = "$after" ] || exit 45
    [ -e "$SKULK_MODEL_PATH/config.json" ] || exit 46
    sleep 0.03
  done
  [ "$sum" = "$(sha256sum <&3)" ] || exit 47`;

test('processes on five quantizations of one model never see one disappear or change while they use it', async () => {
  const { proxy, replace } = await serveThroughProxy(version(1));
  const node = await leaseNode(proxy.url);
  const random = seededRandom(testSeed);
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
  let left = rounds({ few: 24, many: 300 });
  const ends: Record<string, number> = {};
  const step = async (): Promise<void> => {
    const model = `org/m:${pick(selectors)}`;
    const verb = pick(['run', 'run', 'run', 'stage', 'stage', 'two', 'purge', 'purge one', 'reconcile', 'deactivate', 'repair', 'replace']);
    if (verb === 'replace') return replace(version(1 + Math.floor(random() * 3)));
    const args = {
      run: ['run', model, '--', 'sh', '-c', watch],
      stage: ['stage', model, pick(selectors) === 'Q2_K' ? '--force' : '-q'],
      two: ['stage', model, `org/m:${pick(selectors)}`],
      purge: ['purge-staging'],
      'purge one': ['purge-staging', model],
      reconcile: ['reconcile'],
      deactivate: ['deactivate', model],
      repair: ['verify', '--staging', '--repair'],
    }[verb];
    const { status, stderr } = await node.start(...(args ?? [])).exited;
    ends[`${verb}: ${status}`] = (ends[`${verb}: ${status}`] ?? 0) + 1;
    // 5: it has changed, and another process uses the local version. 3: it is not here.
    const fine = { run: [0, 5], stage: [0, 5], two: [0, 5], 'purge one': [0, 3], repair: [0, 6] }[verb] ?? [0];
    expect(fine, `skulk ${args?.join(' ')}: ${status}, SKULK_TEST_SEED=${testSeed}: ${stderr}`).toContain(status);
  };
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await step();
    }
  };
  await Promise.all(Array.from({ length: 20 }, work));

  expect(ends['run: 0'], JSON.stringify(ends)).toBeGreaterThan(0);
  expect(await node.leases()).toEqual({});
  expect(await node.json('verify', '--staging')).toMatchObject({ ok: true });
  expect((await node.run('purge-staging')).status).toBe(0);
  const own = join(node.root, '.skulk', 'v1');
  expect((await readdir(node.root)).filter((name) => name !== '.skulk')).toEqual([]);
  expect([await readdir(join(own, 'incoming')), await readdir(join(own, 'trash'))]).toEqual([[], []]);
});

test('a program with an open quantization keeps its bytes while another is added and a third removed', async () => {
  const { url } = (await serveThroughProxy(version(1))).proxy;
  const node = await leaseNode(url);
  await node.run('stage', 'org/m:Q4_K_M', 'org/m:Q8_0', '--keep', '1h');
  const script =
    'exec 3< "$SKULK_GGUF_FILE"; echo "holds $SKULK_GGUF_FILE"; for wait in $(seq 1000); do [ -e go ] && break; sleep 0.05; done; sha256sum <&3';
  const running = node.start('run', 'org/m:Q4_K_M', '--', 'sh', '-c', script);
  await until('the program', () => running.stdout().includes('holds'), running.stderr);
  expect(await node.start('stage', 'org/m:Q5_K_M', '--keep', '1h').exited).toMatchObject({ status: 0 });
  expect(await node.start('purge-staging', 'org/m:Q8_0', '--force').exited).toMatchObject({ status: 0 });
  // The budget is zero, so idle ones are evicted; used ones stay.
  await node.run('deactivate', 'org/m');
  expect(await node.run('purge-staging', 'org/m')).toMatchObject({ stdout: expect.stringContaining('kept org/m:Q4_K_M: in use') });
  expect((await readdir(join(node.root, 'org--m'))).filter((name) => name.endsWith('.gguf'))).toEqual(['m-Q4_K_M.gguf']);
  await writeFile(join(node.home, 'go'), '');
  const { stdout, status } = await within('the end of the program', running.exited);
  expect([status, stdout]).toEqual([0, expect.stringContaining(sha256(weightsOf('Q4_K_M', 1)))]);
});
