import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { digestsBelow, noise, writeFiles } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { rounds, seededRandom, sized, testSeed } from '../helpers/seeded.ts';
import { type Ended, runSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const random = seededRandom(testSeed);
const said = ({ status, stderr }: Ended): string => `SKULK_TEST_SEED=${testSeed}, status ${status}: ${stderr}`;
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** A host with two versions of a model to choose from, and a node. */
async function hostAndNode() {
  const home = await temporaryDirectory();
  const sources = [join(home, 'v1'), join(home, 'v2')] as const;
  for (const [index, path] of sources.entries())
    await writeFiles(path, { 'model.bin': noise(sized({ small: 2e6, large: 8e6 }), index + 1), same: 'stays', [`only-${index}`]: 'x' });
  const served = await serveInProcess({ home: join(home, 'host') });
  const hostEnv = { SKULK_HOME: join(home, 'host') };
  const nodeEnv = { SKULK_HOME: join(home, 'node'), SKULK_STORE: served.url };
  const later = async (args: readonly string[], env: Record<string, string>): Promise<Ended> => {
    await sleep(random() * 250);
    return runSkulk(args, { env });
  };
  return {
    sources,
    digests: await Promise.all(sources.map((path) => digestsBelow(path))),
    host: (...args: string[]) => runInProcess(args, { env: hostEnv }),
    node: (...args: string[]) => runInProcess(args, { env: nodeEnv }),
    hostLater: (...args: string[]) => later(args, hostEnv),
    nodeLater: (...args: string[]) => later(args, nodeEnv),
    copy: join(home, 'node', 'staging', 'org--m'),
    own: join(home, 'node', 'staging', '.skulk', 'v1'),
  };
}

test('a stage and a purge at the same time leave a whole copy or no copy, and both report it', async () => {
  const { sources, digests, host, node, nodeLater, copy, own } = await hostAndNode();
  expect((await host('add', sources[0], '--as', 'org/m')).status).toBe(0);
  for (let round = 0; round < rounds({ few: 1, many: 15 }); round += 1) {
    const [staged, purged] = await Promise.all([nodeLater('stage', 'org/m'), nodeLater('purge-staging')]);
    expect(staged.status, said(staged)).toBe(0);
    expect(purged.status, said(purged)).toBe(0);
    if (await exists(copy)) expect(await digestsBelow(copy)).toEqual(digests[0]);
  }
  expect((await node('stage', 'org/m')).status).toBe(0);
  for (const place of ['incoming', 'trash']) expect(await readdir(join(own, place)).catch(() => [])).toEqual([]);
});

test('a stage and a delete at the same time give a whole copy or a clear error', async () => {
  const { sources, digests, host, hostLater, node, nodeLater, copy } = await hostAndNode();
  for (let round = 0; round < rounds({ few: 1, many: 15 }); round += 1) {
    expect((await host('add', sources[0], '--as', 'org/m')).status).toBe(0);
    const [staged, deleted] = await Promise.all([nodeLater('stage', 'org/m'), hostLater('delete', 'org/m', '--yes')]);
    // The node has no agent, so its orders are pending until its next stage.
    expect([0, 9], said(deleted)).toContain(deleted.status);
    expect([0, 3], said(staged)).toContain(staged.status);
    if (staged.status === 3) expect(staged.stderr).toMatch(/org\/m.*(not in the store|was deleted from the store)/);
    if (await exists(copy)) expect(await digestsBelow(copy)).toEqual(digests[0]);
    else expect(staged.status, said(staged)).toBe(3);
    expect((await node('purge-staging')).status).toBe(0);
  }
});

test('a stage and an add that replaces the model give one of the two versions, never a mixture', async () => {
  const { sources, digests, host, hostLater, node, nodeLater, copy } = await hostAndNode();
  expect((await host('add', sources[0], '--as', 'org/m')).status).toBe(0);
  for (let round = 1; round <= rounds({ few: 1, many: 15 }); round += 1) {
    const source = sources[round % 2 === 0 ? 0 : 1];
    const [staged, added] = await Promise.all([nodeLater('stage', 'org/m'), hostLater('add', source, '--as', 'org/m', '--force')]);
    expect(added.status, said(added)).toBe(0);
    expect(staged.status, said(staged)).toBe(0);
    expect(digests).toContainEqual(await digestsBelow(copy));
    expect((await node('stage', 'org/m')).status).toBe(0);
    expect(await digestsBelow(copy)).toEqual(digests[round % 2 === 0 ? 0 : 1]);
    if (round % 3 === 0) expect((await node('purge-staging')).status).toBe(0);
  }
});

test('writers of every kind beside a server succeed or fail as expected, and the store stays complete', async () => {
  const { sources, host, hostLater } = await hostAndNode();
  const ends: string[] = [];
  for (let round = 0; round < rounds({ few: 1, many: 15 }); round += 1) {
    const all = await Promise.all([
      hostLater('add', sources[0], '--as', 'org/a'),
      hostLater('add', sources[1], '--as', 'org/b'),
      hostLater('delete', 'org/a', '--yes'),
      hostLater('verify'),
      hostLater('verify', '--repair'),
      hostLater('registry', '--json'),
    ]);
    for (const ended of all) {
      // 3: nothing to delete yet; 5: it is being added or hashed right now.
      expect([0, 3, 5], said(ended)).toContain(ended.status);
      ends.push(String(ended.status));
    }
    expect(await host('verify'), ends.join(' ')).toMatchObject({ status: 0 });
    await host('delete', 'org/a', '--yes');
    await host('delete', 'org/b', '--yes');
  }
});
