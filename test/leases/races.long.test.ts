import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { noise } from '../helpers/model-files.ts';
import { rounds, seededRandom, testSeed } from '../helpers/seeded.ts';
import { serveThroughProxy } from '../helpers/staging-node.ts';
import { leaseNode } from './lease-node.ts';

const names = ['a', 'b', 'c', 'd', 'e'];
const version = (number: number) =>
  Object.fromEntries(
    names.map((name, index) => [`org/${name}`, { 'model.bin': noise(200_000, 100 * number + index), version: `${number}` }]),
  );

/** Checks the copy repeatedly: it must stay the same directory with the same files. */
const watch = `
  cd / || exit 40
  before=$(stat -c %i "$SKULK_MODEL_PATH" "$SKULK_MODEL_PATH/model.bin") || exit 41
  for look in 1 2 3 4 5 6; do
    after=$(stat -c %i "$SKULK_MODEL_PATH" "$SKULK_MODEL_PATH/model.bin") || exit 42
    [ "$before" = "$after" ] || exit 43
    sleep 0.03
  done`;

test('twenty processes on five models never see a copy disappear or change while they use it', async () => {
  const { proxy, replace } = await serveThroughProxy(version(1));
  const node = await leaseNode(proxy.url);
  const random = seededRandom(testSeed);
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
  let left = rounds({ few: 24, many: 300 });
  const ends: Record<string, number> = {};

  const step = async (): Promise<void> => {
    const model = `org/${pick(names)}`;
    const verb = pick(['run', 'run', 'run', 'stage', 'stage', 'purge', 'purge one', 'reconcile', 'deactivate', 'replace']);
    if (verb === 'replace') return replace(version(1 + Math.floor(random() * 3)));
    const args = {
      run: ['run', model, '--', 'sh', '-c', watch],
      stage: ['stage', model, pick(names) === 'a' ? '--force' : '-q'],
      purge: ['purge-staging'],
      'purge one': ['purge-staging', '--model', model],
      reconcile: ['reconcile'],
      deactivate: ['deactivate', model],
    }[verb];
    const { status, stderr } = await node.start(...(args ?? [])).exited;
    ends[`${verb}: ${status}`] = (ends[`${verb}: ${status}`] ?? 0) + 1;
    // 5: the model has changed, and another process uses the local copy. 3: there is no copy to purge.
    const fine = { run: [0, 5], stage: [0, 5], 'purge one': [0, 3] }[verb] ?? [0];
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
