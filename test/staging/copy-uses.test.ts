import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeManifest } from '../../src/core/catalog/manifest.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { readCopyRecord, writeCopyRecord } from '../../src/core/staging/copy-record.ts';
import { makeCopyGroup } from '../../src/core/staging/groups/copy-groups.ts';
import { touchLastUsed } from '../../src/core/staging/last-used.ts';
import { copyPath, stagingLayout } from '../../src/core/staging/layout.ts';
import { readLeases } from '../../src/core/staging/leases/lease.ts';
import { createCopyUses } from '../../src/core/staging/serving/copy-uses.ts';
import { atEnd } from '../helpers/at-end.ts';
import { sha256 } from '../helpers/model-files.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';

const modelId = parseModelId('org/m-GGUF');
const day = (number: number): Date => new Date(Date.UTC(2026, 0, number));

/** A copy with two quantizations, used on the first and on the second of January. */
async function copyOfTwo() {
  const layout = stagingLayout(await temporaryDirectory());
  const directory = copyPath(layout, modelId);
  await mkdir(directory, { recursive: true });
  const paths = ['m-Q4_K_M.gguf', 'm-Q8_0.gguf', 'config.json'];
  const files = paths.map((path) => ({ path: path as never, size: 1, sha256: sha256(path) as never }));
  const manifest = makeManifest(modelId, files, { source: 'add', createdAt: day(1) });
  const [first, second] = [
    { selector: 'Q4_K_M', files: ['m-Q4_K_M.gguf'] },
    { selector: 'Q8_0', files: ['m-Q8_0.gguf'] },
  ];
  const groups = [makeCopyGroup(manifest, first, day(1).toISOString()), makeCopyGroup(manifest, second, day(2).toISOString())];
  await writeCopyRecord(directory, { manifest, companions: [], seen: {}, groups });
  // The first use writes the file, and the second one its date.
  for (let times = 0; times < 2; times += 1) await touchLastUsed(directory, day(2));
  let [time, elapsed] = [day(3), 0];
  const uses = createCopyUses(layout, {
    purpose: 'a test',
    now: () => time,
    signal: new AbortController().signal,
    lingerMs: 0,
    elapsed: () => elapsed,
  });
  atEnd(async () => uses[Symbol.asyncDispose]());
  const lastUses = async () =>
    (await readCopyRecord(directory))?.groups.map(({ selector, lastUsed }) => `${selector} ${lastUsed.slice(0, 10)}`);
  return {
    layout,
    uses,
    first,
    lastUses,
    date: async () => (await stat(join(directory, '.last_used'))).mtime,
    pass: (to: Date, ms: number) => {
      time = to;
      elapsed += ms;
    },
  };
}

test('a quantization that is sent many times at once has one lease, only on itself, until the last transfer ends', async () => {
  const { layout, uses, first } = await copyOfTwo();
  const ends = await Promise.all(Array.from({ length: 20 }, () => uses.begin(modelId, first)));
  expect(await readLeases(layout)).toMatchObject([
    { model_id: modelId, selector: 'Q4_K_M', purpose: 'a test', holders: [{ pid: process.pid }] },
  ]);
  for (const end of ends.slice(1)) end();
  expect(await readLeases(layout)).toHaveLength(1);
  ends[0]?.();
  ends[0]?.();
  await until('the end of the lease', async () => (await readLeases(layout)).length === 0);
  expect(await readdir(layout.leases)).toEqual([]);
});

test('the last use of a sent quantization, and of no other, is updated at most once a minute', async () => {
  const { uses, first, lastUses, date, pass } = await copyOfTwo();
  for (let times = 0; times < 5; times += 1) (await uses.begin(modelId, first))();
  expect(await lastUses()).toEqual(['Q4_K_M 2026-01-03', 'Q8_0 2026-01-02']);
  pass(day(4), 59_000);
  (await uses.begin(modelId, first))();
  expect(await date()).toEqual(day(3));
  pass(day(5), 1_000);
  (await uses.begin(modelId, first))();
  expect(await date()).toEqual(day(5));
});

test('a file that quantizations share keeps the copy, and does not count as a use of any of them', async () => {
  const { layout, uses, lastUses } = await copyOfTwo();
  const end = await uses.begin(modelId, undefined);
  expect((await readLeases(layout)).map(({ model_id, selector }) => [model_id, selector])).toEqual([[modelId, undefined]]);
  end();
  expect(await lastUses()).toEqual(['Q4_K_M 2026-01-01', 'Q8_0 2026-01-02']);
});

test('a server that ends while files are sent leaves no lease behind', async () => {
  const { layout, uses, first } = await copyOfTwo();
  await uses.begin(modelId, first);
  await uses[Symbol.asyncDispose]();
  expect(await readdir(layout.leases)).toEqual([]);
});
