import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import { parseModelId, parseModelRef } from '../../src/core/kernel/model-id.ts';
import { addModel } from '../../src/core/operations/add.ts';
import { applyBudget } from '../../src/core/operations/apply-budget.ts';
import { deleteModels } from '../../src/core/operations/delete-models.ts';
import { download } from '../../src/core/operations/downloads.ts';
import { purgeStaging } from '../../src/core/operations/purge-staging.ts';
import { reconcile } from '../../src/core/operations/reconcile.ts';
import { stageModels } from '../../src/core/operations/stage.ts';
import { verifyModels } from '../../src/core/operations/verify-models.ts';
import { fakeHub } from '../helpers/fake-hub.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { rounds, testSeed } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { testConfig, testWorld } from '../helpers/world.ts';

const modelId = parseModelId('org/m');
const hubModel = parseModelId('org/hub');

const directories = [
  'staging',
  ...['org--m', 'org--hub', '.skulk/v1/trash', '.skulk/v1/incoming', '.skulk/v1/incoming/org--m', '.skulk/v1/incoming/org--m/files'].map(
    (path) => `staging/${path}`,
  ),
  'store',
  ...['org--m', 'org--hub', '.skulk/v1/trash', '.skulk/v1/incoming', '.skulk/v1/downloads/org--hub/files', '.skulk/v1/intents'].map(
    (path) => `store/${path}`,
  ),
];
const names = ['notes.txt', 'org--m/w.gguf', 'org--x/y', 'org--m.0123456789ab/z', 'w.gguf', 'config.json', 'deep/er/mine.bin'];

const foreign = fc.record({
  does: fc.constant('put' as const),
  path: fc.tuple(fc.constantFrom(...directories), fc.constantFrom(...names)).map((parts) => parts.join('/')),
  kind: fc.constantFrom('file', 'file', 'link', 'directory link'),
});

async function makeHost() {
  const home = await temporaryDirectory();
  const hub = await fakeHub();
  hub.push(hubModel, { files: { 'w.safetensors': 'weights', 'config.json': '{}' } });
  const source = join(home, 'source');
  await writeFiles(source, { 'w.gguf': 'some weights', 'config.json': '{}' });
  await writeFiles(join(home, 'outside'), { 'mine.txt': 'outside' });
  await mkdir(join(home, 'store'));
  const world = testWorld(home, { env: { HF_ENDPOINT: hub.url, HF_HOME: join(home, 'hf') } });
  const deps = {
    world,
    config: testConfig(world, { content: { model_store: { staging: { staging_keep_recent_gb: 0 } } } }),
  };
  const stage = (force: boolean) => stageModels(deps, { refs: [parseModelRef('org/m')], dryRun: false, force, offline: false });
  const add = (force: boolean) => addModel(deps, { path: source, modelId, move: false, force });
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
    reconcile: () => reconcile(deps, { dryRun: false, hearOrders: false }),
    verify: () => verifyModels(deps, { modelIds: [], staging: false, repair: true }),
    'verify --staging': () => verifyModels(deps, { modelIds: [], staging: true, repair: true }),
    delete: () => deleteModels(deps, { modelIds: [modelId], force: true, waitMs: 0 }),
  };
  return { home, verbs };
}

const verbNames = [
  ...['change', 'add', 'add --force', 'stage', 'stage --force', 'download', 'budget'],
  ...['purge', 'purge --force', 'reconcile', 'verify', 'verify --staging', 'delete'],
];
const verb = fc.record({ does: fc.constant('run' as const), verb: fc.constantFrom(...verbNames) });

test('no sequence of verbs changes a byte of what skulk did not make', async () => {
  const steps = fc.array(fc.oneof({ weight: 1, arbitrary: foreign }, { weight: 2, arbitrary: verb }), { minLength: 6, maxLength: 14 });
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const { home, verbs } = await makeHost();
      const mine = new Map([[join(home, 'outside/mine.txt'), 'outside']]);
      for (const [index, step] of sequence.entries()) {
        if (step.does === 'put') {
          const path = join(home, step.path);
          // What is in the way keeps its place: somebody who overwrites a file of skulk's has lost nothing of their own.
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
    { seed: testSeed, numRuns: rounds({ few: 12, many: 1_000 }) },
  );
});
