import { watch } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { type Observer, silenceMs } from '../../src/core/kernel/process/observe.ts';
import { addModel } from '../../src/core/operations/models/add.ts';
import { verifyModels } from '../../src/core/operations/models/verify-models.ts';
import { clearAbandonedPlaces } from '../../src/core/store/ingest/incoming.ts';
import { storeLayout } from '../../src/core/store/layout.ts';
import { digestsBelow, digestsOfFiles, noise, writeFiles } from '../helpers/model-files.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { rounds, seededRandom, testSeed } from '../helpers/seeded.ts';
import { type Ended, type RunningSkulk, startServe, startSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { testDeps, testWorld } from '../helpers/world.ts';

/*
 * A process is killed at the n-th event below the store, with a random n for each round. After a kill at any moment, the registry is
 * readable and names the earlier model. The current model is completely old, completely new or absent. No moved file is lost, and the same
 * command completes the change.
 */
const seed = testSeed;
/** The rounds of each change, and of a change that is much like another one. */
const [few, fewer] = [rounds({ few: 1, many: 12 }), rounds({ few: 0, many: 8 })];
const old = { 'a.gguf': noise(1_500_000, 1), 'sub/b.txt': 'old' };
const next = { 'a.gguf': noise(1_500_000, 2), 'sub/b.txt': 'new', 'sub/c.gguf': noise(300_000, 3) };
const bystander = parseModelId('by/stander');
const target = parseModelId('org/target');

async function makeHome() {
  const home = await temporaryDirectory();
  const [root, source, first] = [join(home, 'store'), join(home, 'source'), join(home, 'first')];
  await mkdir(root);
  await writeFiles(source, next);
  await writeFiles(first, old);
  const world = testWorld(home);
  const deps = testDeps(world);
  const add = (path: string, modelId: typeof target) => addModel(deps, { path, modelId, move: false, force: false });
  await add(first, bystander);
  return {
    home,
    root,
    source,
    deps,
    env: { SKULK_HOME: home },
    addOld: () => add(first, target),
    whole: { old: await digestsBelow(first), next: await digestsBelow(source) },
  };
}
type Home = Awaited<ReturnType<typeof makeHome>>;

/** Kills a process at the n-th event below a directory; it may end before that. */
async function killAtEvent(root: string, n: number, running: () => RunningSkulk, victim?: number): Promise<Ended> {
  let count = 0;
  let pid: number | undefined;
  const watcher = watch(root, { recursive: true }, () => {
    count += 1;
    if (count < n || pid === undefined) return;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  });
  onTestFinished(() => watcher.close());
  try {
    const skulk = running();
    pid = victim ?? skulk.pid;
    return await skulk.exited;
  } finally {
    watcher.close();
  }
}

/** The states that are allowed at any moment; the check itself is the next command, which repairs. */
async function checkStore(
  { root, deps, whole }: Home,
  allowed: readonly ('old' | 'next' | 'absent')[],
): Promise<'old' | 'next' | 'absent'> {
  expect(Object.keys(JSON.parse(await readFile(join(root, 'registry.json'), 'utf8')))).toContain(bystander);
  const { models } = await verifyModels(deps, { refs: [], staging: false, repair: false });
  expect(models.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect(models.map(({ model_id }) => model_id)).toContain(bystander);
  expect(await digestsBelow(join(root, 'by--stander'))).toEqual(whole.old);
  const place = await stat(join(root, 'org--target')).then(Boolean, () => false);
  expect(place).toBe(models.some(({ model_id }) => model_id === target));
  const files = place ? await digestsBelow(join(root, 'org--target')) : undefined;
  const is = files === undefined ? 'absent' : files['sub/b.txt'] === whole.old['sub/b.txt'] ? 'old' : 'next';
  if (is !== 'absent') expect(files).toEqual(whole[is]);
  expect(allowed).toContain(is);
  expect(await readdir(join(root, '.skulk/v1/intents')).catch(() => [])).toEqual([]);
  return is;
}

/**
 * Incoming directories that may remain: a draft without an owner may belong to another container, and stays until it was silent for long
 * enough. It contains no data of a model.
 */
async function checkDrafts(root: string): Promise<void> {
  const layout = storeLayout(root);
  const left = async () => (await readdir(layout.incoming).catch(() => [])).filter((name) => !/^\.seen-.*\.note$/.test(name));
  for (const draft of await left()) {
    expect(draft).toMatch(/^\.\d+\.[0-9a-f]{16}\.tmp$/);
    expect(await readdir(join(layout.incoming, draft, 'files')).catch(() => [])).toEqual([]);
  }
  const silences: Observer['silences'] = async (_directory, pulses) =>
    new Map([...pulses.keys()].map((holder) => [holder, { ms: silenceMs, hasMoved: false }]));
  await clearAbandonedPlaces(layout, new Date(), () => undefined, { silences });
  expect(await left()).toEqual([]);
}

async function checkClean({ root }: Home): Promise<void> {
  const own = join(root, '.skulk/v1');
  await checkDrafts(root);
  expect(await readdir(join(own, 'trash')).catch(() => [])).toEqual([]);
  const names = await readdir(root, { recursive: true });
  // A draft of a lock's claim is removed when the lock is next taken.
  expect(names.filter((name) => name.endsWith('.tmp') && !/\/locks?\//.test(name))).toEqual([]);
}

const rounding = (name: string, round: (random: () => number) => Promise<void>, length = few): void => {
  test.each(Array.from({ length }, (_, n) => n + 1))(`${name}, round %i (SKULK_TEST_SEED=${seed})`, (n) =>
    round(seededRandom(seed + n * 7919 + name.length * 104_729)),
  );
};
const draw = (random: () => number, most: number): number => 1 + Math.floor(random() * most);

describe('kill -9', () => {
  rounding('add, copying', async (random) => {
    const home = await makeHome();
    const args = ['add', home.source, '--as', target];
    await killAtEvent(home.root, draw(random, 45), () => startSkulk(args, { env: home.env }));
    await checkStore(home, ['absent', 'next']);
    expect((await runInProcess(args, { env: home.env })).stderr).not.toContain('Error');
    expect(await checkStore(home, ['next'])).toBe('next');
    await checkClean(home);
  });

  rounding(
    'add --force, replacing',
    async (random) => {
      const home = await makeHome();
      await home.addOld();
      const args = ['add', home.source, '--as', target, '--force'];
      await killAtEvent(home.root, draw(random, 50), () => startSkulk(args, { env: home.env }));
      await checkStore(home, ['old', 'next']);
      await runInProcess(args, { env: home.env });
      await checkStore(home, ['next']);
      await checkClean(home);
    },
    fewer,
  );

  rounding('add --move', async (random) => {
    const home = await makeHome();
    const args = ['add', home.source, '--as', target, '--move'];
    await killAtEvent(home.root, draw(random, 30), () => startSkulk(args, { env: home.env }));
    const is = await checkStore(home, ['absent', 'next']);
    if (is === 'absent') expect(await digestsBelow(home.source)).toEqual(home.whole.next);
    if (is === 'absent') expect((await runInProcess(args, { env: home.env })).status).toBe(0);
    await checkStore(home, ['next']);
    await checkClean(home);
  });

  rounding(
    'the client of add while a server takes the files',
    async (random) => {
      const home = await makeHome();
      const server = await startServe({ home: home.home });
      const args = ['add', home.source, '--as', target, '--move'];
      await killAtEvent(home.root, draw(random, 30), () => startSkulk(args, { env: home.env }));
      // The server may still work on it; a change through the server follows.
      const other = await runInProcess(['add', join(home.home, 'first'), '--as', 'another'], { env: home.env });
      expect(other.stderr + other.status).toMatch(/0$/);
      const is = (await stat(join(home.root, 'org--target')).then(Boolean, () => false)) ? 'next' : 'absent';
      if (is === 'absent') expect(await digestsBelow(home.source)).toEqual(home.whole.next);
      if (is === 'absent') expect((await runInProcess(args, { env: home.env })).status).toBe(0);
      expect((await server.stop()).status).toBe(0);
      await checkStore(home, ['next']);
      await checkClean(home);
    },
    fewer,
  );

  rounding('the server while it takes files of add', async (random) => {
    const home = await makeHome();
    await home.addOld();
    const server = await startServe({ home: home.home });
    const args = ['add', home.source, '--as', target, '--force', '--move'];
    const ended = await killAtEvent(home.root, draw(random, 50), () => startSkulk(args, { env: home.env }), server.pid);
    await server.kill();
    await using again = await startServe({ home: home.home });
    const answer = await fetch(`${again.url}/models/${target}/sub/b.txt`);
    expect(['old', 'new']).toContain(await answer.text());
    const is = await checkStore({ ...home, deps: { ...home.deps } }, ['old', 'next']);
    if (ended.status === 0) expect(is).toBe('next');
    if (is === 'old') expect(await digestsBelow(home.source)).toEqual(home.whole.next);
    if (is === 'old') expect((await runInProcess(args, { env: home.env })).status).toBe(0);
    await again.stop();
    await checkStore(home, ['next']);
    await checkClean(home);
  });

  rounding('delete', async (random) => {
    const home = await makeHome();
    await home.addOld();
    const args = ['delete', target, '--yes'];
    await killAtEvent(home.root, draw(random, 18), () => startSkulk(args, { env: home.env }));
    const is = await checkStore(home, ['old', 'absent']);
    expect((await runInProcess(args, { env: home.env })).status).toBe(is === 'old' ? 0 : 3);
    await checkStore(home, ['absent']);
    await checkClean(home);
  });

  rounding('delete of one quantization', async (random) => {
    const home = await makeHome();
    const kept = { 'm-Q4_K_M.gguf': noise(400_000, 4), 'config.json': '{}' };
    const gone = { 'm-Q8_0-00001-of-00002.gguf': noise(700_000, 5), 'm-Q8_0-00002-of-00002.gguf': noise(300_000, 6) };
    const source = join(home.home, 'two');
    await writeFiles(source, { ...kept, ...gone });
    await addModel(home.deps, { path: source, modelId: target, move: false, force: false });
    const place = join(home.root, 'org--target');
    const { ino } = await stat(join(place, 'm-Q4_K_M.gguf'));
    const args = ['delete', `${target}:Q8_0`, '--yes'];
    await killAtEvent(home.root, draw(random, 18), () => startSkulk(args, { env: home.env }));
    // Repairs an interrupted change.
    const { models } = await verifyModels(home.deps, { refs: [], staging: false, repair: false });
    expect(models.map(({ status }) => status)).toEqual(['ok', 'ok']);
    const files = await digestsBelow(place);
    const isGone = files['m-Q8_0-00001-of-00002.gguf'] === undefined;
    expect(files).toEqual(digestsOfFiles(isGone ? kept : { ...kept, ...gone }));
    const entries = JSON.parse(await readFile(join(home.root, 'registry.json'), 'utf8')) as Record<string, { files: string[] }>;
    expect(entries[target]?.files.toSorted()).toEqual(Object.keys(files).toSorted());
    expect((await runInProcess(args, { env: home.env })).status).toBe(isGone ? 3 : 0);
    expect(await digestsBelow(place)).toEqual(digestsOfFiles(kept));
    expect((await stat(join(place, 'm-Q4_K_M.gguf'))).ino).toBe(ino);
    expect(await digestsBelow(join(home.root, 'by--stander'))).toEqual(home.whole.old);
    await checkClean(home);
  });

  rounding('verify --repair', async (random) => {
    const home = await makeHome();
    await home.addOld();
    await rm(join(home.root, '.skulk/v1/manifests/org--target.json'));
    await rm(join(home.root, '.skulk/v1/seen'), { recursive: true });
    const args = ['verify', '--repair'];
    await killAtEvent(home.root, draw(random, 20), () => startSkulk(args, { env: home.env }));
    await checkStore(home, ['old']);
    expect((await runInProcess(args, { env: home.env })).status).toBe(0);
    await checkStore(home, ['old']);
  });

  rounding(
    'add of a directory that lies in its place already',
    async (random) => {
      const home = await makeHome();
      const place = join(home.root, 'org--target');
      await writeFiles(place, next);
      const args = ['add', place, '--as', target];
      await killAtEvent(home.root, draw(random, 12), () => startSkulk(args, { env: home.env }));
      // After a kill at any moment, its files are unchanged, and no other model is damaged.
      expect(await digestsBelow(place)).toEqual(home.whole.next);
      const { models } = await verifyModels(home.deps, { refs: [], staging: false, repair: false });
      expect(models.find(({ model_id }) => model_id === bystander)?.status).toBe('ok');
      expect(['ok', 'unregistered']).toContain(models.find(({ model_id }) => model_id === target)?.status);
      expect((await runInProcess(args, { env: home.env })).status).toBe(0);
      await checkStore(home, ['next']);
      await checkClean(home);
    },
    fewer,
  );

  rounding('verify --repair of a registry that is not JSON', async (random) => {
    const home = await makeHome();
    await home.addOld();
    const registry = join(home.root, 'registry.json');
    const text = await readFile(registry, 'utf8');
    await writeFile(registry, text.slice(0, text.length / 2));
    const args = ['verify', '--repair'];
    await killAtEvent(home.root, draw(random, 20), () => startSkulk(args, { env: home.env }));
    // It is either unchanged and kept for the user, or it names every model.
    expect(await digestsBelow(join(home.root, 'org--target'))).toEqual(home.whole.old);
    expect((await runInProcess(args, { env: home.env })).status).toBe(0);
    expect(Object.keys(JSON.parse(await readFile(registry, 'utf8'))).sort()).toEqual([bystander, target].sort());
    const aside = (await readdir(home.root)).filter((name) => name.startsWith('registry.json.'));
    expect(await Promise.all(aside.map((name) => readFile(join(home.root, name), 'utf8')))).toContain(text.slice(0, text.length / 2));
    await checkStore(home, ['old']);
  });
});
