import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import { type ModelId, parseModelId, parseModelRef } from '../../src/core/kernel/model-id.ts';
import { applyBudget } from '../../src/core/node/apply-budget.ts';
import { addModel } from '../../src/core/operations/models/add.ts';
import { deleteModels } from '../../src/core/operations/models/delete-models.ts';
import { download } from '../../src/core/operations/models/downloads.ts';
import { verifyModels } from '../../src/core/operations/models/verify-models.ts';
import { purgeStaging } from '../../src/core/operations/nodes/purge-staging.ts';
import { reconcile } from '../../src/core/operations/nodes/reconcile.ts';
import { stageModels } from '../../src/core/operations/stage/stage.ts';
import { fakeHub } from '../helpers/fake-hub.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { rounds, testSeed } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { testConfig, testDeps, testWorld } from '../helpers/world.ts';

const modelId = parseModelId('org/m');
const hubModel = parseModelId('org/hub');

const names = ['notes.txt', 'deep/er/mine.bin', '._notes.txt', 'thesis.partial', '.git/HEAD', 'org--m/w.gguf', 'w.gguf', 'config.json'];
const places = {
  /** The paths of copies and models, where existing files are moved and removed. */
  models: ['staging/org--m', 'staging/org--hub', 'store/org--m', 'store/org--hub'],
  /** Directories that look like models. */
  lookalikes: ['staging/org--x', 'store/org--x'],
  /** Skulk's own directories, which it cleans up. */
  own: [
    ...['trash', 'incoming', 'incoming/org--m', 'incoming/org--m/files', 'leases', 'locks'].map((path) => `staging/.skulk/v1/${path}`),
    ...['trash', 'incoming', 'downloads/org--hub', 'downloads/org--hub/files', 'uploads', 'intents'].map(
      (path) => `store/.skulk/v1/${path}`,
    ),
  ],
};

const putIn = (directories: readonly string[]) =>
  fc.record({
    does: fc.constant('put' as const),
    path: fc.tuple(fc.constantFrom(...directories), fc.constantFrom(...names)).map((parts) => parts.join('/')),
    kind: fc.constantFrom('file', 'file', 'file', 'link', 'directory link'),
  });
const foreign = fc.oneof(
  { weight: 4, arbitrary: putIn(places.models) },
  { weight: 2, arbitrary: putIn(places.lookalikes) },
  { weight: 2, arbitrary: putIn(places.own) },
);

async function makeHost() {
  const home = await temporaryDirectory();
  const hub = await fakeHub();
  hub.push(hubModel, { files: { 'w.safetensors': 'weights', 'config.json': '{}' } });
  const source = join(home, 'source');
  await writeFiles(source, { 'w.gguf': 'some weights', 'config.json': '{}' });
  await writeFiles(join(home, 'outside'), { 'mine.txt': 'outside' });
  await mkdir(join(home, 'store'));
  const world = testWorld(home, { env: { HF_ENDPOINT: hub.url, HF_HOME: join(home, 'hf') } });
  const deps = testDeps(world, testConfig(world, { content: { model_store: { staging: { staging_keep_recent_gb: 0 } } } }));
  const stage = (force: boolean) => stageModels(deps, { refs: [parseModelRef('org/m')], dryRun: false, force, offline: false });
  const add = (force: boolean) => addModel(deps, { path: source, modelId, move: false, force });
  const remove = (id: ModelId) => deleteModels(deps, { refs: [{ modelId: id }], force: true, waitMs: 0 });
  let edition = 0;
  const verbs: Record<string, () => Promise<unknown>> = {
    change: async () => {
      edition += 1;
      await writeFile(join(source, 'w.gguf'), `weights ${edition}`);
    },
    add: () => add(false),
    'add --force': () => add(true),
    stage: () => stage(false),
    'stage --force': () => stage(true),
    download: () => download(deps, { request: { modelId: hubModel, ggufFile: undefined, revision: undefined }, wait: true }),
    budget: () => applyBudget(deps, { dryRun: false }),
    purge: () => purgeStaging(deps, { dryRun: false, force: false }),
    'purge --force': () => purgeStaging(deps, { dryRun: false, force: true }),
    reconcile: () => reconcile(deps, { dryRun: false, receiveOrders: false }),
    verify: () => verifyModels(deps, { refs: [], staging: false, repair: true }),
    'verify --staging': () => verifyModels(deps, { refs: [], staging: true, repair: true }),
    delete: () => remove(modelId),
    'delete hub': () => remove(hubModel),
    'delete lookalike': () => remove(parseModelId('org/x')),
    'damage registry': () => writeFile(join(home, 'store/registry.json'), '{'),
  };
  return { home, verbs };
}

/** Commands that create models and copies, so that other files can be beside them. */
const beginnings = [[], ['add'], ['add', 'stage'], ['add', 'stage'], ['download'], ['damage registry']];
/** Commands that remove or replace them, each alone and in the important orders. */
const attacks = [
  ...[['purge'], ['purge --force'], ['budget'], ['reconcile'], ['delete'], ['delete hub'], ['download']],
  ...[['stage'], ['stage --force'], ['add'], ['add --force'], ['verify --staging'], ['verify']],
  ...[
    ['change', 'add --force'],
    ['change', 'add --force', 'stage'],
    ['delete', 'add', 'stage'],
    ['add', 'stage', 'purge'],
  ],
  ...[
    ['damage registry', 'verify', 'delete lookalike'],
    ['damage registry', 'verify', 'delete'],
  ],
];
const run = (verb: string) => ({ does: 'run' as const, verb });
const round = fc
  .tuple(fc.array(foreign, { minLength: 1, maxLength: 4 }), fc.array(fc.constantFrom(...attacks), { minLength: 1, maxLength: 3 }))
  .map(([put, chosen]) => [...put, ...chosen.flat().map(run)]);

test('no sequence of commands changes a byte of a file that skulk did not create', async () => {
  const steps = fc
    .tuple(fc.constantFrom(...beginnings), fc.array(round, { minLength: 1, maxLength: 3 }))
    .map(([first, rounds]) => [...first.map(run), ...rounds.flat()]);
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const { home, verbs } = await makeHost();
      const mine = new Map([[join(home, 'outside/mine.txt'), 'outside']]);
      for (const [index, step] of sequence.entries()) {
        if (step.does === 'put') {
          const path = join(home, step.path);
          // A file in the way stays; a user who overwrites a file of skulk has lost no file of their own.
          try {
            await mkdir(dirname(path), { recursive: true });
            if (step.kind === 'file') await writeFile(path, `mine ${index}`, { flag: 'wx' });
            else await symlink(join(home, step.kind === 'link' ? 'outside/mine.txt' : 'outside'), path);
          } catch {
            continue;
          }
          mine.set(path, step.kind === 'file' ? `mine ${index}` : 'outside');
          if (step.kind === 'directory link') mine.delete(path);
          continue;
        }
        await verbs[step.verb]?.().catch((error: unknown) => {
          if (!(error instanceof SkulkError)) throw error;
        });
        for (const [path, content] of mine)
          expect(await readFile(path, 'utf8').catch(String), `${path.slice(home.length)} after ${step.verb}`).toBe(content);
      }
    }),
    { seed: testSeed, numRuns: rounds({ few: 6, many: 120 }) },
  );
});
