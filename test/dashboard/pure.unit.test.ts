import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { purgeChoices } from '../../src/cli/render/dashboard/dialogs/purge-choices.ts';
import { stageChoices } from '../../src/cli/render/dashboard/dialogs/stage-choices.ts';
import { stagedOn } from '../../src/cli/render/dashboard/dialogs/staged-on.ts';
import type { OwnCopy } from '../../src/cli/render/lists/copies.ts';
import { copyColumns, stagingRows } from '../../src/cli/render/lists/copy-columns.ts';
import { progressOf } from '../../src/cli/render/lists/download-columns.ts';
import { logRows } from '../../src/cli/render/lists/log-columns.ts';
import { modelColumns } from '../../src/cli/render/lists/model-columns.ts';
import { describeOutcome } from '../../src/cli/render/lists/node-columns.ts';
import { optimizationProgress } from '../../src/cli/render/lists/optimization-columns.ts';
import { bar, progressBar } from '../../src/cli/render/parts/bar.ts';
import { formatAge } from '../../src/cli/render/parts/format.ts';
import { hintParts } from '../../src/cli/render/parts/hints.ts';
import { type Column, layOut } from '../../src/cli/render/parts/lay-out.ts';
import { fillParts, spread, widthOfParts } from '../../src/cli/render/parts/spread.ts';
import { hiddenTitles, margin, tableLines } from '../../src/cli/render/parts/table-lines.ts';
import { cut, fill, widthOf, wrap } from '../../src/cli/render/parts/text-width.ts';
import type { NodeId } from '../../src/core/kernel/machine/node-id.ts';
import { nodeNames } from '../../src/core/kernel/machine/node-names.ts';
import type { ModelId } from '../../src/core/kernel/model-id.ts';
import type { Sha256 } from '../../src/core/kernel/sha256.ts';
import type { DashboardView } from '../../src/core/operations/live/open-dashboard.ts';
import type { DigestsOfStore } from '../../src/core/operations/live/read-digests.ts';
import type { KnownNode } from '../../src/core/protocol/fleet.ts';
import type { CountedEntry } from '../../src/core/protocol/models/entries.ts';
import type { StagingJob } from '../../src/core/protocol/staging.ts';

const anyText = fc.string({ unit: 'grapheme', maxLength: 60 });

describe('texts of a given width', () => {
  test.each([
    ['plain', 'abcdef', 4, 'abc…'],
    ['what fits', 'abcd', 4, 'abcd'],
    ['wide characters, of which half fits', '日本語', 4, '日…'],
    ['an emoji of several parts', '👩‍👩‍👧👩‍👩‍👧', 3, '👩‍👩‍👧…'],
    ['nothing', 'abc', 0, ''],
  ])('are cut as expected: %s', (_, text, width, expected) => {
    expect(cut(text, width)).toBe(expected);
  });

  test('keep both ends of a name when they are cut in the middle', () => {
    expect(cut('mlx-community/Qwen3-30B-A3B-4bit', 20, 'middle')).toBe('mlx-commun…-A3B-4bit');
  });

  test('have exactly the given number of columns for any input', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 0, max: 40 }), fc.constantFrom('left', 'right'), (text, width, align) => {
        expect(widthOf(fill(text, width, align as 'left'))).toBe(width);
        expect(widthOf(fill(text, width, 'left', 'middle'))).toBe(width);
        expect(widthOfParts(fillParts([text, { text, tone: 'bad' }], width))).toBe(width);
        for (const line of wrap(text, Math.max(4, width))) expect(widthOf(line)).toBeLessThanOrEqual(Math.max(4, width));
      }),
    );
  });

  test('are placed at both ends of a line', () => {
    expect(
      spread(['left'], ['right'], 12)
        .map((part) => (typeof part === 'string' ? part : part.text))
        .join(''),
    ).toBe('left   right');
    expect(widthOfParts(spread(['x'.repeat(50)], ['right'], 20))).toBe(20);
  });

  test('are wrapped between words', () => {
    expect(wrap('the store does not answer', 10)).toEqual(['the store', 'does not', 'answer']);
    expect(wrap('/a/very/long/path', 6)).toEqual(['/a/ver', 'y/long', '/path']);
  });
});

interface Row {
  readonly name: string;
  readonly size: string;
  readonly note: string;
}

const columns: readonly Column<Row>[] = [
  { title: 'NAME', flexMinWidth: 10, cell: ({ name }) => name },
  { title: 'SIZE', align: 'right', cell: ({ size }) => size },
  { title: 'NOTE', dropOrder: 1, maxWidth: 12, preferredWidth: 20, cell: ({ note }) => ({ text: note, tone: 'quiet' }) },
];
const rows: readonly Row[] = [{ name: 'a-name-of-sixteen', size: '1 GiB', note: 'a rather long note' }];
const widths = (width: number, of = rows): object =>
  Object.fromEntries(layOut(columns, of, width).map(({ column: { title }, width: w }) => [title, w]));

describe('a table on the screen', () => {
  test('gives its columns the necessary width, and more if there is space', () => {
    expect(widths(35)).toEqual({ NAME: 14, SIZE: 5, NOTE: 12 });
    expect(widths(200)).toEqual({ NAME: 29, SIZE: 5, NOTE: 20 });
  });

  test('omits the least important columns, and empty ones', () => {
    expect(widths(25)).toEqual({ NAME: 18, SIZE: 5 });
    expect(widths(60, [{ name: 'a', size: '1 B', note: '' }])).toEqual({ NAME: 16, SIZE: 4 });
    expect(widths(8)).toEqual({ NAME: 4, SIZE: 5 });
  });

  test('names the columns that have texts but no space', () => {
    expect(hiddenTitles(columns, rows, 25 + margin, 5)).toEqual(['NOTE']);
    expect(hiddenTitles(columns, rows, 35 + margin, 5)).toEqual([]);
    expect(hiddenTitles(columns, [{ name: 'a', size: '1 B', note: '' }], 8, 5)).toEqual([]);
    expect(hiddenTitles(columns, [], 8, 5)).toEqual([]);
  });

  test('has lines of equal width for any cells', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ name: anyText, size: anyText, note: anyText }), { maxLength: 5 }),
        fc.integer({ min: 40, max: 120 }),
        (some, width) => {
          const lines = tableLines(columns, some, width).map(widthOfParts);
          expect(new Set(lines).size).toBe(1);
        },
      ),
    );
  });
});

test('bars have the given width, and any progress above zero is visible', () => {
  fc.assert(
    fc.property(
      fc.float({ min: -1, max: 2, noNaN: true }),
      fc.float({ min: 0, max: 2, noNaN: true }),
      fc.integer({ min: 0, max: 80 }),
      (a, b, width) => {
        expect(widthOfParts(progressBar(a, width))).toBe(width);
        expect(
          widthOfParts(
            bar(
              [
                { share: a, tone: 'good', character: '━' },
                { share: b, tone: 'plain', character: '╍' },
              ],
              width,
            ),
          ),
        ).toBe(width);
      },
    ),
  );
  expect(bar([{ share: 0.0001, tone: 'good', character: '━' }], 10)[0]).toEqual({ text: '━', tone: 'good' });
});

test('ages are written in a short form', () => {
  const now = new Date('2026-03-01T00:00:00Z');
  const ages = ['2026-02-28T23:59:30Z', '2026-02-28T23:15:00Z', '2026-02-27T00:00:00Z', '2025-12-01T00:00:00Z', 'never'].map((iso) =>
    formatAge(iso, now),
  );
  expect(ages).toEqual(['just now', '45 min ago', '2 d ago', '2 mo ago', '']);
  expect(formatAge('2026-02-27T00:00:00Z', now, '')).toBe('2 d');
});

test('the footer shows as many key hints as fit', () => {
  const hints = [
    ['enter', 'details'],
    ['a', 'a rather long one'],
    ['q', 'quit'],
  ] as const;
  const text = (width: number): string =>
    hintParts(hints, width)
      .map((part) => (typeof part === 'string' ? part : part.text))
      .join('');
  expect(text(80)).toBe('enter details  a a rather long one  q quit');
  expect(text(24)).toBe('enter details  q quit');
  const withHelp = (width: number): string =>
    hintParts([...hints.slice(0, 2), ['/', 'filter'], ['?', 'help']], width)
      .map((part) => (typeof part === 'string' ? part : part.text))
      .join('');
  expect(withHelp(60)).toBe('enter details  a a rather long one  / filter  ? help');
  expect(withHelp(51)).toBe('enter details  a a rather long one  ? help');
  expect(withHelp(21)).toBe('enter details  ? help');
  expect(withHelp(13)).toBe('? help');
});

const copy = (model_id: string, more: Partial<OwnCopy> = {}): OwnCopy => ({
  model_id: model_id as ModelId,
  quantizations: [],
  size_bytes: 10,
  last_used: '2026-01-01T00:00:00Z',
  in_use: false,
  over_budget: false,
  directory: '/x',
  holders: [],
  digest: null,
  ...more,
});
const node = (node_id: string, copies: readonly OwnCopy[], more: Partial<KnownNode> = {}): KnownNode => ({
  node_id: node_id as NodeId,
  hostname: node_id,
  version: '1',
  agent: true,
  address: null,
  last_seen: '2026-01-01T00:00:00Z',
  connected: true,
  pending_orders: 0,
  staged_models: copies.length,
  staged_bytes: 0,
  free_bytes: 0,
  copies,
  budget_bytes: null,
  ...more,
});
const view = (own: readonly OwnCopy[], nodes: readonly KnownNode[]): DashboardView => ({
  store: { location: '', connection: { state: 'live' }, health: null, models: [], downloads: [], optimizations: [], nodes, orders: [] },
  staging: {
    staging_root: '/s',
    models: own,
    unfinished: [],
    total_bytes: 0,
    free_bytes: 0,
    budget_bytes: null,
    in_place: false,
    problem: null,
    foreign: [],
  },
  digests: new Map(),
  jobs: [],
  node: { hostname: 'me', node_id: 'me' as NodeId },
  notice: null,
});

describe('the summary of a removal', () => {
  const m = 'org/m' as ModelId;

  test("counts the copies on the disk of this machine, not those in the store's list", () => {
    const now = new Date('2026-01-02T00:00:00Z');
    const stale = node('me', [copy('org/m'), copy('org/gone')]);
    const away = node('laptop', [copy('org/m')], { connected: false, agent: false });
    expect(stagedOn(view([copy('org/m')], [stale, away]), { modelId: m }, now)).toEqual([
      expect.objectContaining({ name: 'me, this machine', isHere: true, away: null }),
      expect.objectContaining({ name: 'laptop', isHere: false, away: 'no agent, seen 1 d ago' }),
    ]);
    expect(stagedOn(view([], [stale]), { modelId: 'org/gone' as ModelId }, now)).toEqual([]);
  });

  test('can mean this copy, every machine, or all copies on this machine', () => {
    const all = view([copy('org/m'), copy('org/o')], [node('me', []), node('n1', [copy('org/m')])]);
    const says = (place: Parameters<typeof purgeChoices>[1], of = all) =>
      purgeChoices(of, place).map(({ text, copies }) => [text, copies.length]);
    expect(says({ modelId: m, nodeId: undefined })).toEqual([
      ['the copy on this machine', 1],
      ['its copies on every machine', 2],
      ['every copy on this machine', 2],
    ]);
    expect(says({ modelId: undefined, nodeId: 'n1' as NodeId })).toEqual([
      ['every copy on n1', 1],
      ['every copy on 2 machines', 3],
    ]);
    expect(says({ modelId: undefined, nodeId: 'me' as NodeId })).toEqual([
      ['every copy on this machine', 2],
      ['every copy on 2 machines', 3],
    ]);
    expect(says({ modelId: 'org/none' as ModelId, nodeId: undefined }, view([], []))).toEqual([]);
    // A partial copy can be removed as well.
    const part = view([], []);
    const parts = { ...part, staging: { ...part.staging, unfinished: [{ model_id: m, size_bytes: 5 }] } } as DashboardView;
    expect(says({ modelId: m, nodeId: undefined }, parts)).toEqual([
      ['the copy on this machine', 1],
      ['its copies on every machine', 1],
      ['every copy on this machine', 1],
    ]);
    // A node that does not report its copies may have some.
    const silent = view([], [node('n1', [], { copies: null, staged_models: 3 })]);
    expect(says({ modelId: undefined, nodeId: 'n1' as NodeId }, silent)).toEqual([['every copy on n1', 0]]);
  });

  test('distinguishes machines with the same name', () => {
    const name = nodeNames([node('a', [], { hostname: 'Box' }), node('b', [], { hostname: 'box' }), node('c', [], { hostname: '' })]);
    expect(['a', 'b', 'c'].map((id) => name({ node_id: id as NodeId, hostname: id === 'c' ? '' : 'box' }))).toEqual([
      'box (a)',
      'box (b)',
      'c',
    ]);
  });
});

test('the other machines that can stage a model come with what is known of them, after all that lack it', () => {
  const m = 'org/m' as ModelId;
  const able = { knows: ['stages'], address: '10.0.0.2' } as const;
  const nodes = [
    node('me', [], able),
    node('host', [], { ...able, address: null }),
    node('kite', [], { ...able, free_bytes: 2048 }),
    node('box', [copy('org/m')], able),
    node('attic', [], { ...able, connected: false }),
    node('laptop', [], { ...able, connected: false, agent: false, free_bytes: null }),
    node('old', [], { address: '10.0.0.3', version: '0.1.0' }),
  ];
  const says = (some: readonly KnownNode[]) =>
    stageChoices(view([], some), { modelId: m }).map(({ text, state, nodes: meant }) => [text, state, meant.join(' ')]);
  expect(says(nodes)).toEqual([
    ['all 3 machines that lack it', '', 'attic kite laptop'],
    ['attic', 'away; stages it later', 'attic'],
    ['box', 'has it; updates it', 'box'],
    ['kite', '2.00 KiB free', 'kite'],
    ['laptop', 'no agent; stages it later', 'laptop'],
    ['old', 'skulk 0.1.0 cannot be asked', ''],
  ]);
  expect(says(nodes.slice(0, 3))).toEqual([['kite', '2.00 KiB free', 'kite']]);
  expect(says([])).toEqual([]);
});

test.each([
  [{ status: 'pending' }, 'not answered yet'],
  [{ status: 'pending', awaited: false }, 'away, does it when it is back'],
  [{ status: 'pending', progress: { doing: 'copying', bytes_done: 43, bytes_total: 100, waits_for: null } }, 'copying, 43%'],
  [{ status: 'pending', progress: { doing: null, bytes_done: 0, bytes_total: 0, waits_for: 'another stage' } }, 'another stage'],
  [{ status: 'deferred', reason: 'in use by pid 7' }, 'later, in use by pid 7'],
  [{ status: 'failed', reason: 'no room' }, 'failed, no room'],
])('the state of an order on a node is described: %j', (outcome, says) =>
  expect(describeOutcome({ reason: null, freed_bytes: 0, hostname: 'n', node: 'n', ...outcome } as never)).toBe(says),
);

test('a list of copies says whether each is in use, idle, or partly unfinished', () => {
  const unfinished = [
    { model_id: 'a/a' as ModelId, size_bytes: 7 },
    { model_id: 'd/d' as ModelId, size_bytes: 7 },
  ];
  const rows = stagingRows({ models: [copy('a/a'), copy('b/b', { in_use: true }), copy('c/c')], unfinished }, []);
  const state = copyColumns(new Date()).at(-1);
  expect(rows.map((row) => state?.cell(row, 30))).toEqual([
    { text: 'idle, part unfinished', tone: 'warn' },
    { text: 'in use', tone: 'good' },
    { text: 'idle', tone: 'quiet' },
    { text: 'unfinished, s resumes', tone: 'warn' },
  ]);
});

test('a list of copies says who uses each in as many whole words as there is room for', () => {
  const holders = [{ pid: 29495, purpose: 'skulk run' }];
  const [row] = stagingRows({ models: [copy('a/a', { in_use: true, holders })], unfinished: [] }, []);
  const state = copyColumns(new Date()).at(-1);
  expect([31, 24, 16].map((width) => row && state?.cell(row, width))).toMatchObject([
    { text: 'in use, pid 29495 (skulk run)' },
    { text: 'in use, pid 29495' },
    { text: 'in use' },
  ]);
});

test('the lists of models and copies mark copies that differ from the store', () => {
  const [ours, theirs] = ['a'.repeat(64) as Sha256, 'b'.repeat(64) as Sha256];
  const facts = { size_bytes: 1, last_used: '', in_use: false, over_budget: false, files: [], holders: [] };
  const part = (selector: string, digest: string) => ({ selector, digest, ...facts });
  const own = [
    copy('a/a', { digest: theirs, over_budget: true }),
    copy('b/b', { digest: theirs, in_use: true, quantizations: [part('Q4_K_M', theirs)] }),
    copy('c/c', { digest: ours }),
    copy('e/e', { digest: theirs }),
  ];
  const digests: DigestsOfStore = new Map([
    ['a/a' as ModelId, { digest: ours, quantizations: [] }],
    ['b/b' as ModelId, { digest: ours, quantizations: [{ selector: 'Q4_K_M', digest: ours }] }],
    ['c/c' as ModelId, { digest: ours, quantizations: [] }],
    ['d/d' as ModelId, { digest: ours, quantizations: [{ selector: 'Q8_0', digest: ours }] }],
  ]);
  const state = copyColumns(new Date(), digests).at(-1);
  expect(stagingRows({ models: own, unfinished: [] }, []).map((row) => state?.cell(row, 60))).toEqual([
    { text: 'over budget, evicted next, older', tone: 'warn' },
    { text: 'in use, Q4_K_M older', tone: 'warn' },
    { text: 'idle', tone: 'quiet' },
    { text: 'idle', tone: 'quiet' },
  ]);
  const withPart = (digest: string) => copy('d/d', { quantizations: [part('Q8_0', digest)] });
  const nodes = [node('me', own), node('one', [withPart(theirs)]), node('two', [withPart(ours), copy('c/c')])];
  const staged = modelColumns({ copies: own, digests, nodes, partial: new Set(), nodeId: 'me', now: new Date() }).find(
    ({ title }) => title === 'STAGED',
  );
  expect(['a/a', 'b/b', 'c/c', 'd/d'].map((id) => staged?.cell({ model_id: id } as CountedEntry, 20))).toEqual([
    { text: 'here (older)', tone: 'warn' },
    { text: 'here (older)', tone: 'warn' },
    { text: 'here +1', tone: 'good' },
    { text: '2 nodes (1 older)', tone: 'warn' },
  ]);
});

test('a model that is being staged is shown as one line, with or without an existing copy', () => {
  const job = (model_id: string, status: StagingJob['status']): StagingJob => ({
    model_id: model_id as ModelId,
    status,
    revision: null,
    selector: null,
    doing: null,
    bytes_done: 0,
    bytes_total: 0,
    bytes_per_second: null,
    seconds_left: null,
    waits_for: null,
    warnings: [],
    path: null,
    source: null,
    error: null,
    error_code: null,
    hint: null,
    created_at: '',
    updated_at: '',
  });
  const unfinished = ['b/b', 'c/c', 'd/d'].map((model_id) => ({ model_id: model_id as ModelId, size_bytes: 7 }));
  const found = stagingRows({ models: [copy('a/a'), copy('b/b')], unfinished }, [
    job('b/b', 'staging'),
    job('c/c', 'failed'),
    job('a/a', 'complete'),
  ]);
  expect(found.map(({ model_id, copy: one, job: work }) => [model_id, one !== undefined, work?.status])).toEqual([
    ['b/b', true, 'staging'],
    ['c/c', false, 'failed'],
    ['a/a', true, undefined],
    ['d/d', false, undefined],
  ]);
  expect(found.at(-1)?.unfinished).toBe(7);
});

test('rows of the log keep their keys when newer changes come, also those of the same millisecond', () => {
  const entry = { who: 'lan', from: '10.0.0.2', node: null, action: 'delete', selector: null, target: null, code: null } as const;
  const at = '2026-06-15T12:00:00.000Z';
  const old = [
    { ...entry, at, model_id: 'org/one' },
    { ...entry, at, model_id: 'org/one' },
  ];
  const keys = logRows(old, ['a', 'b']).map(({ key }) => key);
  expect(new Set(keys).size).toBe(2);
  const later = logRows([{ ...entry, at, model_id: 'org/one' }, ...old], ['c', 'a', 'b']);
  expect(later.map(({ key }) => key).slice(1)).toEqual(keys);
  expect(later.map(({ asker }) => asker)).toEqual(['c', 'a', 'b']);
});

test('in a narrow column an optimization says in few words what it waits for, what it made, and why it failed', () => {
  const one = { progress: 0, message: 'waiting for other optimizations', error: null, error_code: null, achievedBpw: null };
  const failed = {
    ...one,
    status: 'failed',
    error: 'the store host has no engine that can read a/b',
    error_code: 'ENGINE_NOT_FOUND',
  } as const;
  const texts = [
    { ...one, status: 'pending' } as const,
    { ...one, status: 'complete', achievedBpw: 4.23 } as const,
    failed,
    { ...failed, error_code: null },
  ].map((job) => [50, 18].map((width) => optimizationProgress(job, width)));
  expect(texts).toMatchObject([
    [{ text: one.message }, { text: 'in the queue' }],
    ['4.23 bits per weight', '4.23 bits'],
    [{ text: failed.error }, { text: 'no engine for it' }],
    [{ text: failed.error }, { text: failed.error }],
  ]);
});

test('in a narrow column a download says why it failed or waits in few words, and never half a sentence', () => {
  const failed = { bytes_done: 0, bytes_total: 0, error: 'Hugging Face has no public model org/a', error_code: 'MODEL_NOT_FOUND' };
  expect(progressOf(failed, 'failed', 40)).toMatchObject({ text: failed.error });
  expect(progressOf(failed, 'failed', 18)).toMatchObject({ text: 'no such model' });
  expect(progressOf({ ...failed, error_code: null }, 'failed', 18)).toMatchObject({ text: failed.error });
  const waits = { bytes_done: 0, bytes_total: 0, error: null };
  expect([20, 19].map((width) => progressOf(waits, 'pending', width))).toMatchObject([
    { text: 'waiting in the queue' },
    { text: 'in the queue' },
  ]);
});

test('a model with several quantizations shows how many the store has, of how many of its repo', () => {
  const columns = modelColumns({ copies: [], digests: new Map(), nodes: [], partial: new Set(), nodeId: null, now: new Date() });
  const of = (entry: object) => columns.find(({ title }) => title === 'QUANT')?.cell(entry as never, 10);
  const two = ['Q8_0', 'Q4_K_M'];
  expect(of({ quantization: 'Q8_0', quantizations: ['Q8_0'], quantizations_of_repo: 12 })).toBe('Q8_0');
  expect(of({ quantization: 'Q8_0', quantizations: two })).toBe('2');
  expect(of({ quantization: 'Q8_0', quantizations: two, quantizations_of_repo: 12 })).toBe('2 of 12');
  expect(of({ quantization: null })).toBe('');
});
