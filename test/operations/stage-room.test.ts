import { describe, expect, test } from 'vitest';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import { parseModelId, parseModelRef } from '../../src/core/kernel/model-id.ts';
import { withPurge } from '../../src/core/node/suggest-purge.ts';
import { describePlans } from '../../src/core/operations/stage/plan-copy.ts';
import { leaseFor, stageOptions } from '../../src/core/operations/stage/stage.ts';
import type { PlannedModel } from '../../src/core/operations/stage/stage-report.ts';
import { NoRoomError } from '../../src/core/transfer/disk-room.ts';
import { noise } from '../helpers/model-files.ts';
import { serveModels, stagingNode } from '../helpers/staging-node.ts';

const kibibyte = 1024;

/** A node with a copy of 30, of 20 and of 10 KiB. */
async function nodeWithCopies() {
  const sizes = { 'org/large': 30, 'org/middle': 20, 'org/small': 10 };
  const models = Object.fromEntries(Object.entries(sizes).map(([id, size], seed) => [id, { a: noise(size * kibibyte, seed + 1) }]));
  const node = await stagingNode((await serveModels(models)).url);
  await node.request(Object.keys(sizes));
  const hintFor = async (missing: number, keep: readonly string[] = []): Promise<string | undefined> => {
    const error = new NoRoomError(node.root, { what: 'staging org/new needs', bytes: missing * kibibyte, free: 0 });
    const mapped = await withPurge(node.deps, error, new Set(keep.map((id) => parseModelId(id))));
    return (mapped as SkulkError).hint?.replace('free some space, or choose another disk; nothing was written', '');
  };
  return { node, hintFor };
}

test('the error of a stage without room names the fewest idle copies that make room', async () => {
  const { node, hintFor } = await nodeWithCopies();
  expect(await hintFor(9)).toBe('; `skulk purge-staging org/small` frees 10.0 KiB from idle copies');
  expect(await hintFor(15)).toBe('; `skulk purge-staging org/middle` frees 20.0 KiB from idle copies');
  expect(await hintFor(35)).toBe('; `skulk purge-staging org/large org/small` frees 40.0 KiB from idle copies');
  expect(await hintFor(90)).toContain(' org/large org/middle org/small` frees 60.0 KiB from idle copies, which is not enough');
  expect(await hintFor(9, ['org/small'])).toContain('purge-staging org/middle`');
  const full = new SkulkError('NO_SPACE', 'no space left on the disk', { hint: 'free some space' });
  expect(await withPurge(node.deps, full, new Set())).toMatchObject({
    hint: 'free some space; `skulk purge-staging org/large` frees 30.0 KiB from idle copies',
  });
  const other = new SkulkError('INTEGRITY', 'x');
  expect(await withPurge(node.deps, other, new Set())).toBe(other);
});

test('the error of a stage without room says that all copies are in use, and nothing if there are none', async () => {
  const { node, hintFor } = await nodeWithCopies();
  for (const id of ['org/large', 'org/middle']) await leaseFor(node.deps, parseModelRef(id), { offline: true }, 'skulk run');
  expect(await hintFor(15)).toContain('purge-staging org/small` frees 10.0 KiB from idle copies, which is not enough');
  expect(await hintFor(15, ['org/small'])).toBe('; all other copies on this machine are in use, so a purge frees no space');
  expect(await hintFor(15, ['org/large', 'org/middle', 'org/small'])).toBe('');
});

describe('the plan of --dry-run', () => {
  const plan = (id: string, needed: number, more: Partial<PlannedModel> = {}): PlannedModel => ({
    model_id: parseModelId(id),
    path: `/staging/${id}`,
    source: 'store',
    gguf_file: null,
    mmproj_file: null,
    selector: null,
    bytes_total: needed,
    bytes_to_transfer: needed,
    bytes_to_reuse: 0,
    bytes_to_allocate: needed,
    free_bytes: 100,
    bytes_missing: Math.max(0, needed - 100),
    files: [],
    ...more,
  });
  const report = async (...plans: readonly PlannedModel[]) => {
    const node = await stagingNode(undefined);
    const options = stageOptions({ dryRun: true, force: false, offline: false });
    const { planned, no_space } = await describePlans(node.deps, plans, options);
    return { missing: planned.map(({ bytes_missing }) => bytes_missing), message: no_space?.message.replace(node.root, 'ROOT') };
  };

  test('counts the room for the models before each, and each copy once', async () => {
    expect(await report(plan('org/a', 60), plan('org/b', 40), plan('org/a', 60))).toEqual({ missing: [0, 0, 0], message: undefined });
    expect(await report(plan('org/a', 60), plan('org/b', 50))).toEqual({
      missing: [0, 10],
      message: 'staging org/a, org/b needs 110 B on ROOT, and 100 B are free',
    });
    expect(await report(plan('org/a', 300))).toMatchObject({ missing: [200], message: expect.stringContaining('needs 300 B') });
  });

  test('is not a failure if only an optional companion does not fit, or nothing is needed', async () => {
    expect(await report(plan('org/a', 60), plan('org/draft', 50, { optional: true }), plan('org/b', 40))).toEqual({
      missing: [0, 10, 0],
      message: undefined,
    });
    expect(await report(plan('org/a', 0, { free_bytes: 0 }))).toEqual({ missing: [0], message: undefined });
  });
});
