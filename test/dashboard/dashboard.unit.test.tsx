import { expect, test } from 'vitest';
import { Dashboard } from '../../src/cli/render/dashboard/dashboard.tsx';
import { createLive } from '../../src/cli/render/parts/live.ts';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import type { ModelId } from '../../src/core/kernel/model-id.ts';
import type { DashboardActs, Removal } from '../../src/core/operations/live/acts.ts';
import type { DashboardView } from '../../src/core/operations/live/open-dashboard.ts';
import { decode } from '../../src/core/protocol/decode.ts';
import { type DownloadStatus, downloadStatus } from '../../src/core/protocol/downloads.ts';
import type { KnownNode } from '../../src/core/protocol/fleet.ts';
import type { CountedEntry } from '../../src/core/protocol/models/entries.ts';
import type { HubOffer } from '../../src/core/protocol/models/hub-offer.ts';
import type { ShownModel } from '../../src/core/protocol/models/shown-model.ts';
import { type OptimizationPlan, type OptimizationStatus, optimizationStatus } from '../../src/core/protocol/optimizations.ts';
import { stagingJob } from '../../src/core/protocol/staging.ts';
import { someDownload, someOptimization } from '../helpers/scripted-store.ts';
import { show } from './show-part.tsx';

const model = (id: string): CountedEntry => ({
  model_id: id as ModelId,
  store_path: id,
  repo_has_projector: null,
  capabilities: [],
  supports_tensor: null,
  base_model: null,
  total_bytes: 1024,
  file_count: 1,
  downloaded_at: '2026-01-01T00:00:00Z',
  tags: [],
  quantization: null,
  family: null,
  context_length: null,
  parameters: null,
  license: null,
});

const view: DashboardView = {
  store: {
    location: 'http://store:58080',
    connection: { state: 'live' },
    health: null,
    models: [model('org/one'), model('org/two')],
    downloads: [],
    optimizations: [],
    nodes: [],
    orders: [],
  },
  staging: null,
  digests: new Map(),
  jobs: [],
  node: { hostname: 'here', node_id: null },
  notice: null,
};

/** The dashboard with a store that is controlled by the test. */
function showDashboard(acts: Partial<DashboardActs>, shown = view, live = createLive(shown), size = { columns: 90, rows: 20 }) {
  const whole = { isStaging: () => false, swarms: async () => [], ...acts } as DashboardActs;
  return show(<Dashboard live={live} acts={whole} clock={() => new Date('2026-01-02T00:00:00Z')} onLeave={() => {}} />, size);
}

test('a cancelled stage shows no error, unlike a failed one', async () => {
  const staging = decode(stagingJob, { model_id: 'org/one', status: 'staging', warnings: [] });
  if (staging === undefined) throw new Error('the job does not match its schema');
  const live = createLive<DashboardView>({ ...view, jobs: [staging] });
  const { press, seen } = showDashboard({}, view, live);
  await press('j');
  live.set({ ...view, jobs: [{ ...staging, status: 'failed', error: 'it was cancelled', error_code: 'CANCELLED' }] });
  await press('k');
  expect(seen()).not.toContain('could not stage');
  live.set({ ...view, jobs: [staging] });
  await press('j');
  live.set({ ...view, jobs: [{ ...staging, status: 'failed', error: 'no room', error_code: 'NO_SPACE' }] });
  await press('k');
  expect(seen()).toContain('could not stage org/one: no room');
});

test.each([
  ['that it is done', (settle: PromiseWithResolvers<Removal>) => settle.resolve({ freed_bytes: 0, nodes: [] }), /✓ org\/one was deleted/],
  ['why it failed', (settle: PromiseWithResolvers<Removal>) => settle.reject(new SkulkError('STORE_UNREACHABLE', 'no way')), /✗ no way/],
])('Escape leaves a removal with slow machines, and the last line says %s', async (_, settle, says) => {
  const answer = Promise.withResolvers<Removal>();
  const { press, seen } = showDashboard({ delete: () => answer.promise });
  await press('d', 'y');
  expect(seen()).toContain('esc leave');
  await press('y', '\u001b');
  expect(seen()).not.toContain('Delete org/one?');
  await press('j');
  expect(seen()).toMatch(/^› org\/two/m);
  settle(answer);
  await expect.poll(seen).toMatch(says);
});

const stored = (selector: string, mebibytes: number, bits_per_weight: number | null) => ({
  selector,
  label: selector,
  files: [],
  size_bytes: mebibytes * 1024 ** 2,
  bits_per_weight,
  digest: null,
  staged_on: [],
});
const details: ShownModel = {
  ...model('org/one'),
  hashed: true,
  staged: null,
  nodes: [],
  digest: null,
  revision: null,
  commit: null,
  source: null,
  companions: [],
  files: [],
  quantizations: [stored('Q4_K_M', 3, 4.8), stored('Q8_0', 6, null)],
};
const part = (selector: string, in_use: boolean) => ({ selector, size_bytes: 3 * 1024 ** 2, last_used: '', in_use, over_budget: false });
const copy = {
  model_id: 'org/one' as ModelId,
  size_bytes: 9,
  last_used: '2026-01-01T00:00:00Z',
  in_use: false,
  over_budget: false,
  quantizations: [part('Q4_K_M', true)],
};
const node = (hostname: string, more: Partial<KnownNode> = {}): KnownNode =>
  ({ node_id: hostname, hostname, connected: true, agent: true, pending_orders: 0, copies: [copy], ...more }) as KnownNode;
// An older node does not report its quantizations.
const { quantizations: _, ...silent } = copy;
const downloadOf = (modelId: string, more: object): DownloadStatus => decode(downloadStatus, someDownload(modelId, more)) as DownloadStatus;
const known: DashboardView = {
  ...view,
  store: view.store && { ...view.store, nodes: [node('box'), node('old', { copies: [silent] })] },
};

test('the details of a model list its quantizations, and keys act only on the selected one', async () => {
  const calls: unknown[] = [];
  const { press, seen } = showDashboard(
    {
      show: async () => details,
      stage: async (ref) => void calls.push(['stage', ref]),
      delete: async ({ modelId, selector }) => {
        calls.push(['delete', { modelId, selector }]);
        return { freed_bytes: 6 * 1024 ** 2, nodes: [] };
      },
      purge: async (wish) => {
        calls.push(['purge', wish]);
        return { freed_bytes: 0, nodes: [] };
      },
    },
    known,
  );
  await press('\r');
  await expect.poll(seen).toMatch(/^› Q4_K_M +3\.00 MiB +4\.80 +box/m);
  await press('j');
  expect(seen()).toMatch(/^ {2}Q4_K_M[\s\S]*^› Q8_0 +6\.00 MiB/m);
  await press('s');
  expect(seen()).toContain('staging org/one:Q8_0 on this machine');
  // It is on no machine, so there is nothing to purge.
  await press('p');
  expect(seen()).toMatch(/Purge org\/one:Q8_0[\s\S]*No machine has staged it\./);
  await press('x', 'd');
  expect(seen()).toMatch(/Delete org\/one:Q8_0\?[\s\S]*the store +6\.00 MiB[\s\S]*frees in total +6\.00 MiB/);
  expect(seen()).toMatch(/Q4_K_M[\s│]+stays|Q4_K_M stays/);
  await press('y');
  expect(seen()).toContain('org/one:Q8_0 was deleted');
  await press('x', 'k', 'p');
  expect(seen()).toMatch(/Q4_K_M on every machine +1 copy, 3\.00 MiB/);
  expect(seen()).toContain('copies in use are kept until their last use ends');
  await press('y');
  expect(calls).toEqual([
    ['stage', { modelId: 'org/one', selector: 'Q8_0' }],
    ['delete', { modelId: 'org/one', selector: 'Q8_0' }],
    ['purge', { modelId: 'org/one', selector: 'Q4_K_M', on: 'everywhere', force: false }],
  ]);
});

const offered = (label: string, more: object = {}) => ({
  label,
  gguf_file: `${label}.gguf`,
  files: [],
  size_bytes: 1024,
  is_preferred: false,
  in_store: false,
  ...more,
});
const offerOf = (quantizations: HubOffer['quantizations'], more: Partial<HubOffer> = {}): HubOffer => ({
  modelId: 'org/one' as ModelId,
  revision: 'main',
  files: [],
  commit: 'c'.repeat(40),
  file_count: 1,
  total_bytes: 1024,
  quantizations,
  ...more,
});
const downloading = (more: object): DashboardView => ({
  ...view,
  store: view.store && {
    ...view.store,
    downloads: [{ modelId: 'org/one', status: 'downloading', gguf_file: null, selector: null, request: {}, ...more }] as never,
  },
});

test('a model is looked up at once where a quantization is to be added, and what is neither there nor on its way is chosen', async () => {
  const { press, seen } = showDashboard(
    {
      show: async () => details,
      offer: async () =>
        offerOf([
          offered('Q4_K_M', { is_preferred: true, in_store: true }),
          offered('Q5_K_M', { in_store: true, is_older: true }),
          offered('Q6_K'),
          offered('Q8_0'),
        ]),
    },
    downloading({ selector: 'q6_k' }),
  );
  await press('\r', 'a');
  await expect.poll(seen).toMatch(/› Q8_0/);
  expect(seen()).toMatch(/Download org\/one[\s\S]*Q4_K_M +recommended +in the store/);
  expect(seen()).toMatch(/Q5_K_M +older in the store[\s\S]*Q6_K +downloading/);
});

test('the dialog for adding says that all is there, and that what is chosen would be downloaded again', async () => {
  const { press, seen } = showDashboard({
    show: async () => details,
    offer: async () =>
      offerOf([offered('Q4_K_M', { is_preferred: true, in_store: true }), offered('Q8_0', { in_store: true })], {
        kept: { reason: 'HF_HUB_OFFLINE is set' },
      }),
  });
  await press('\r', 'a');
  await expect.poll(seen).toMatch(/› Q4_K_M/);
  expect(seen()).toContain('Every quantization is in the store or downloading.');
  expect(seen()).toContain('enter download again 1.00 KiB');
  expect(seen()).toMatch(/! This is what the repo had at the last download[\s\S]*HF_HUB_OFFLINE is set/);
});

test('the dialog for adding shows what there is beside a selector that names nothing, and why each file is taken or left', async () => {
  const asked: unknown[] = [];
  const { press, seen } = showDashboard({
    offer: async ({ selector }) => {
      if (selector === undefined) return offerOf([offered('Q4_K_M', { is_preferred: true }), offered('Q8_0')]);
      throw new SkulkError('FILE_NOT_FOUND', 'org/one has no Q5_K_X on Hugging Face', { hint: 'it has Q4_K_M, Q8_0' });
    },
    plan: async (_, ggufFile) => {
      asked.push(ggufFile);
      return {
        gguf_file: 'Q8_0.gguf',
        taken: [
          { path: 'Q8_0.gguf', size: 1000, why: 'chosen-weights', reason: 'the chosen weights' },
          { path: 'config.json', size: 24, why: 'small-file', reason: 'small, not weights' },
        ],
        left: Array.from({ length: 15 }, (_, index) => ({
          path: `Q${index}.gguf`,
          size: 1024,
          why: 'other-quantization',
          reason: 'another quantization',
        })),
        missing_pin: null,
      };
    },
  });
  await press('a', 'org/one:Q5_K_X', '\r');
  await expect.poll(seen).toMatch(/✗ org\/one has no Q5_K_X on Hugging Face/);
  expect(seen()).toMatch(/it has Q4_K_M, Q8_0[\s\S]*› Q4_K_M +recommended/);
  await press('j', 'f');
  await expect.poll(seen).toMatch(/Files of org\/one:Q8_0/);
  expect(seen()).toMatch(/take +the chosen weights[^Q]+Q8_0\.gguf +1000 B/);
  expect(seen()).toMatch(/take +small, not weights[^c]+config\.json +24 B/);
  expect(seen()).toMatch(/leave +another quantization +15 files, 15\.0 KiB[^Q]+Q0\.gguf +1\.00 KiB/);
  expect(seen()).not.toContain('Q14.gguf');
  await press('G');
  expect(seen()).toContain('Q14.gguf');
  await press('\u001b');
  await expect.poll(seen).toMatch(/› Q8_0/);
  expect(asked).toEqual(['Q8_0.gguf']);
});

test('the selected line stays visible, and the lines above and below it can be read', async () => {
  const many = Array.from({ length: 30 }, (_, index) => stored(`Q${index}`, 1, null));
  const { press, seen } = showDashboard({ show: async () => ({ ...details, quantizations: many }) });
  await press('\r');
  await expect.poll(seen).toContain('› Q0 ');
  await press('j'.repeat(29));
  expect(seen()).toMatch(/^› Q29 /m);
  await press('\u001b[H');
  expect(seen()).toContain('size ');
  expect(seen()).not.toContain('› Q29');
  await press('\u001b[F', 'k');
  expect(seen()).toMatch(/^› Q28 /m);
});

const ownCopy = { ...copy, quantizations: [], directory: '/d/org--one', holders: [], digest: 'b'.repeat(64) };
const stagingOf = (own: NonNullable<DashboardView['staging']>['models'][number]): NonNullable<DashboardView['staging']> => ({
  staging_root: '/d',
  models: [own],
  unfinished: [],
  total_bytes: 9,
  free_bytes: 9,
  budget_bytes: null,
  in_place: false,
  foreign: [],
  problem: null,
});

const digestsOf = (...selectors: readonly string[]): DashboardView['digests'] =>
  new Map([[copy.model_id, { digest: 'a'.repeat(64) as never, quantizations: selectors.map((selector) => ({ selector, digest: null })) }]]);

test('the list of copies says which part of a model is staged, and its details list each quantization with its state', async () => {
  const four = { ...part('Q4_K_M', true), last_used: copy.last_used, files: [], holders: [] };
  const both = { ...ownCopy, quantizations: [four, { ...four, selector: 'Q8_0', in_use: false }] };
  const live = createLive<DashboardView>({
    ...view,
    digests: digestsOf('Q4_K_M', 'Q8_0'),
    staging: stagingOf({ ...both, quantizations: [four] }),
  });
  const { press, seen } = showDashboard({ show: async () => details }, view, live);
  await press('4');
  expect(seen()).toMatch(/^› org\/one:Q4_K_M +9 B/m);
  live.set({ ...view, digests: digestsOf('Q4_K_M', 'Q8_0', 'BF16'), staging: stagingOf(both) });
  await press('j');
  expect(seen()).toMatch(/^› org\/one \(2 of 3\) +9 B/m);
  live.set({ ...view, digests: digestsOf('Q4_K_M', 'Q8_0'), staging: stagingOf(both) });
  await press('j');
  expect(seen()).toMatch(/^› org\/one +9 B/m);
  await press('\r');
  await expect.poll(seen).toMatch(/quantization +Q4_K_M, 3\.00 MiB, in use, used .*\n +Q8_0, 3\.00 MiB, idle, used /);
});

test('a connected machine was seen now, and the list of its copies names their quantizations', async () => {
  const box = node('box', { version: '', address: null, last_seen: copy.last_used, staged_models: 1, staged_bytes: 9, free_bytes: 9 });
  const { press, seen } = showDashboard(
    {},
    { ...known, digests: digestsOf('Q4_K_M', 'Q8_0'), store: known.store && { ...known.store, nodes: [{ ...box, budget_bytes: null }] } },
  );
  await press('3', '\r');
  expect(seen()).toMatch(/seen +now\n/);
  expect(seen()).toMatch(/org\/one:Q4_K_M +9 B/);
});

test('the details of a model mark an older copy on this machine, and a partial one', async () => {
  const staging = { ...stagingOf(ownCopy), unfinished: [{ model_id: ownCopy.model_id, size_bytes: 2048 }] };
  const whole = { ...details, quantizations: [], digest: 'a'.repeat(64) };
  const { press, seen } = showDashboard({ show: async () => whole }, { ...view, staging });
  await press('\r');
  await expect.poll(seen).toMatch(/here +\/d\/org--one \(idle; older than in the store; s updates it\)/);
  expect(seen()).toMatch(/partial +2\.00 KiB of an unfinished copy on this machine; s resumes it/);
});

const planned = (targetBpw: number): OptimizationPlan => ({
  modelId: 'org/one' as ModelId,
  targetId: `org/one-${targetBpw}` as ModelId,
  engine: 'llama',
  engineVersion: '0.7.0',
  program: '/usr/bin/llama-quantize',
  type: 'Q4_K_M',
  bits: 4.4,
  bytes: 50 * 1024 ** 2,
  is_exact: true,
  source_bytes: 200 * 1024 ** 2,
  room_bytes: 50 * 1024 ** 2,
  free_bytes: 1024 ** 3,
  files: ['one-F16.gguf'],
  warnings: [],
  state: 'new',
});
const making = decode(optimizationStatus, someOptimization('org/one')) as OptimizationStatus;

test("o on a model shows the result of the store's engine for a number of bits, and enter starts it", async () => {
  const asked: number[] = [];
  const { press, seen } = showDashboard({
    planOptimization: async (_, bits) => planned(bits),
    optimize: async ({ modelId }, bits) => {
      asked.push(bits);
      return { ...making, modelId, targetId: planned(bits).targetId };
    },
  });
  await press('o');
  await expect.poll(seen).toMatch(/org\/one-4\.5/);
  expect(seen()).toMatch(/Q4_K_M, 4\.4 bits per weight/);
  expect(seen()).toMatch(/50\.0 MiB, of 200 MiB/);
  await press('\u001b[C', '\u001b[C');
  await expect.poll(seen).toMatch(/org\/one-6/);
  await press('\r');
  await expect.poll(seen).toMatch(/✓ started the optimization org\/one-6; press 5/);
  expect(asked).toEqual([6]);
});

test('o shows the reason and a hint when no engine can read the model, and enter starts nothing', async () => {
  const { press, seen } = showDashboard({
    planOptimization: async () => {
      throw new SkulkError('ENGINE_NOT_FOUND', 'the store host has no engine that can read org/one', { hint: 'brew install llama.cpp' });
    },
  });
  await press('o');
  await expect.poll(seen).toMatch(/has no engine[\s\S]*brew install llama\.cpp/);
  await press('\r');
  expect(seen()).toContain('Optimize org/one');
  await press('\u001b');
  expect(seen()).not.toContain('Optimize org/one');
});

test('the smallest screen shows why nothing can be optimized, with the whole hint, and what a plan warns of', async () => {
  const hint = 'install llama.cpp, and add its directory to PATH of the user that runs the store';
  const failing = async (): Promise<OptimizationPlan> => {
    throw new SkulkError('ENGINE_NOT_FOUND', 'the store host has no engine that can read org/one', { hint });
  };
  const wordsOf = (text: string): string => text.replaceAll(/[│\s]+/g, ' ');
  const smallest = { columns: 60, rows: 12 };
  const refused = showDashboard({ planOptimization: failing }, view, createLive(view), smallest);
  await refused.press('o');
  await expect.poll(() => wordsOf(refused.seen())).toContain(hint);
  const tight = async (_: unknown, bits: number) => ({ ...planned(bits), room_bytes: 9 * 1024 ** 3, free_bytes: 1024 ** 3 });
  const warned = showDashboard({ planOptimization: tight }, view, createLive(view), smallest);
  await warned.press('o');
  await expect.poll(() => wordsOf(warned.seen())).toContain('! it needs 9.00 GiB; the store has only 1.00 GiB free');
});

test('x clears a download that has ended from the list, and says how to stop one that runs', async () => {
  const cleared: string[] = [];
  const { press, seen } = showDashboard(
    {
      clearDownload: async ({ status, modelId }) => {
        if (status === 'failed') cleared.push(modelId);
        return cleared.length;
      },
    },
    {
      ...view,
      store: view.store && {
        ...view.store,
        downloads: [
          downloadOf('org/one', { status: 'downloading' }),
          downloadOf('org/two', { status: 'failed', error: 'it was cancelled' }),
        ],
      },
    },
  );
  await press('2');
  expect(seen()).toContain('x clear');
  await press('x');
  await expect.poll(seen).toContain('! the download of org/one has not ended; c cancels it');
  await press('j', 'x');
  await expect.poll(seen).toContain('✓ cleared the download of org/two from the list; downloaded data is kept');
  expect(cleared).toEqual(['org/two']);
});

test('the list of optimizations shows progress, c cancels one, and enter shows its details', async () => {
  const cancelled: string[] = [];
  const failed = { ...making, targetId: 'org/one-Q8_0-GGUF' as ModelId, status: 'failed', error: 'the disk is full' } as const;
  const { press, seen } = showDashboard(
    {
      cancelOptimization: async (targetId) => void cancelled.push(targetId),
      optimizeAgain: async ({ targetId }) => void cancelled.push(`again ${targetId}`),
    },
    { ...view, store: view.store && { ...view.store, optimizations: [making, failed] } },
  );
  expect(seen()).toContain('5 Optimize 1');
  await press('5');
  expect(seen()).toMatch(/org\/one-Q4_K_M-GGUF +converting +━+─+ +25%/);
  expect(seen()).toMatch(/org\/one-Q8_0-GGUF +failed +the disk is full/);
  await press('c');
  await expect.poll(seen).toMatch(/✓ stopped the optimization org\/one-Q4_K_M-GGUF/);
  await press('\r');
  expect(seen()).toMatch(/now +tensor 5 of 20/);
  await press('\u001b', 'j', 'r');
  expect(cancelled).toEqual(['org/one-Q4_K_M-GGUF', 'again org/one-Q8_0-GGUF']);
});

test('S stages a model on the chosen machine, its page shows how far that is, and c withdraws the order', async () => {
  const calls: unknown[] = [];
  const able = { knows: ['stages'], address: '10.0.0.2', free_bytes: 2048, copies: [] };
  const nodes = [node('box', able as never), node('kite', able as never)];
  const progress = { doing: 'copying', bytes_done: 1, bytes_total: 4, waits_for: null };
  const order = {
    kind: 'stage',
    model_id: 'org/one',
    order_id: 'o',
    given_at: '',
    nodes: [{ node: 'kite', hostname: 'kite', status: 'pending', progress }],
  };
  const live = createLive<DashboardView>({ ...view, store: view.store && { ...view.store, nodes } });
  const { press, seen } = showDashboard(
    {
      show: async () => details,
      stageOn: async (ref, meant) => void calls.push([ref, meant]),
      cancelOrders: async (ref) => void calls.push(['cancel', ref]),
    },
    view,
    live,
  );
  await press('S');
  expect(seen()).toMatch(/› all 2 machines that lack it[\s\S]*box +2\.00 KiB free[\s\S]*kite +2\.00 KiB free/);
  await press('j', 'j', '\r');
  await expect.poll(seen).toContain('✓ asked kite to stage org/one');
  live.set({ ...view, store: view.store && { ...view.store, nodes, orders: [order as never] } });
  await press('\r');
  await expect.poll(seen).toMatch(/asked +kite: copying, 25%; c cancels/);
  await press('c');
  await expect.poll(seen).toContain('the order to stage org/one:Q4_K_M was withdrawn');
  expect(calls).toEqual([
    [{ modelId: 'org/one' }, ['kite']],
    ['cancel', { modelId: 'org/one', selector: 'Q4_K_M' }],
  ]);
});

test.each([
  [{ status: 'ok', bad_files: [] }, '✓ verified org/one: every file matches'],
  [{ status: 'ok', bad_files: [], note: 'but "a.gguf" cannot be used' }, 'every file matches (but "a.gguf" cannot be used)'],
  [
    { status: 'damaged', bad_files: [{ path: 'a.gguf' }, { path: 'b.gguf' }], note: 'add the model again' },
    '✗ org/one is damaged: a.gguf and 1 more (add the model again)',
  ],
])('v verifies a model and shows the result: %j', async (found, says) => {
  const answer = Promise.withResolvers<never>();
  const { press, seen } = showDashboard({ verify: () => answer.promise });
  await press('v');
  expect(seen()).toContain('verifying org/one in the store');
  answer.resolve({ ok: true, models: [{ model_id: 'org/one', ...found }] } as never);
  await expect.poll(seen).toContain(says);
});

test('the list of machines shows the models that they share', async () => {
  const swarm = { model_id: 'org/one', digest: 'x', members: 3, seeders: 1, host_sent_bytes: 2048, began_at: '', ended_at: null };
  const { press, seen } = showDashboard({ swarms: async () => [swarm as never] });
  await press('3');
  await expect.poll(seen).toContain('↑ 3 nodes share org/one; the store has sent 2.00 KiB');
});

test('f forgets a machine that is away after y, and refuses a connected one', async () => {
  const forgotten: string[] = [];
  const more = { address: '10.0.0.2', last_seen: '', version: '1' };
  const nodes = [node('box', more), node('gone', { ...more, connected: false, pending_orders: 2 })];
  const { press, seen } = showDashboard(
    { forget: async (id) => void forgotten.push(id) },
    { ...view, store: view.store && { ...view.store, nodes } },
  );
  await press('3', 'f');
  expect(seen()).toMatch(/Forget box\?[\s\S]*It is connected/);
  await press('y');
  expect(seen()).toContain('Forget box?');
  await press('\u001b', 'j', 'f');
  expect(seen()).toMatch(/2 orders that it has not/);
  await press('n', 'f', 'y');
  await expect.poll(seen).toContain('✓ gone was forgotten');
  expect(forgotten).toEqual(['gone']);
});

test('the list and the details of a model say that no program can load it, or which quantization', async () => {
  const problems = [{ path: 'm-Q8_0.gguf', reason: 'it is empty', selector: 'Q8_0' }];
  const { press, seen } = showDashboard(
    { show: async () => ({ ...details, problems }) },
    { ...view, store: view.store && { ...view.store, models: [{ ...model('org/one'), problems }, model('org/two')] } },
  );
  expect(seen()).toMatch(/^› ✗ org\/one .*\n {2}org\/two /m);
  await press('\r');
  await expect.poll(seen).toMatch(/problem +no program can load Q8_0: "m-Q8_0\.gguf" is empty/);
});

test('the details of a model mark each outdated quantization, on each machine that reports it', async () => {
  const [ours, theirs] = ['a'.repeat(64), 'b'.repeat(64)];
  const old = { ...copy, quantizations: [{ ...part('q4_k_m', false), digest: theirs }] };
  const same = { ...copy, quantizations: [{ ...part('Q4_K_M', false), digest: ours }] };
  const shown = { ...details, quantizations: [{ ...stored('Q4_K_M', 3, 4.8), digest: ours }] };
  const nodes = [node('box', { copies: [old] }), node('kite', { copies: [same] }), node('silent')];
  const { press, seen } = showDashboard({ show: async () => shown }, { ...view, store: view.store && { ...view.store, nodes } });
  await press('\r');
  await expect.poll(seen).toMatch(/^› Q4_K_M +3\.00 MiB +4\.80 +box \(older\), kite, silent/m);
  expect(seen()).toMatch(/on nodes +box, idle, used 1 d ago, Q4_K_M older/);
  expect(seen()).toMatch(/ {4}kite, idle, used 1 d ago *$/m);
});

test('the log of the dashboard shows 200 changes at first, m shows older ones, and a delete says what it freed', async () => {
  const entry = { who: 'lan', from: '', node: null, selector: null, target: null, code: null, action: 'delete' } as const;
  const all = Array.from({ length: 300 }, (_unused, index) => ({
    ...entry,
    at: new Date(Date.parse('2026-01-01T12:00:00Z') - index * 60_000).toISOString(),
    model_id: `org/m${index}`,
    freed_bytes: index === 0 ? 2048 : 0,
  }));
  const asked: number[] = [];
  const audit = async (limit: number) => {
    asked.push(limit);
    const entries = all.slice(0, limit);
    return { list: { entries, more: limit < all.length }, askers: entries.map(() => 'anna') };
  };
  const { press, seen } = showDashboard({ audit });
  await press('7');
  await expect.poll(seen).toMatch(/anna +delete +org\/m0 +freed 2\.00 KiB/);
  await press('\u001b[F');
  await expect.poll(seen).toMatch(/^› .* org\/m199 +done/m);
  await press('m');
  await expect.poll(() => asked.at(-1)).toBe(400);
  await press('\u001b[F');
  await expect.poll(seen).toMatch(/^› .* org\/m299 +done/m);
  await press('m');
  expect(seen()).toContain('there are no older changes');
});
