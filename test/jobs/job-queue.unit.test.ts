import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DownloadRequest } from '../../src/core/jobs/contract.ts';
import {
  type DownloadDetails,
  decodeDownload,
  downloadKind,
  encodeDownload,
  fileNameOf,
  subjectOf,
} from '../../src/core/jobs/download-kind.ts';
import type { JobContext, JobKind } from '../../src/core/jobs/job-kind.ts';
import { createJobQueue, type JobQueueOptions } from '../../src/core/jobs/job-queue.ts';
import { createJobRecords } from '../../src/core/jobs/job-records.ts';
import { type Job, type JobProgress, newJob } from '../../src/core/jobs/job-state.ts';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until, within } from '../helpers/waiting.ts';
import { type TestWorld, testWorld } from '../helpers/world.ts';

type TestJob = Job<DownloadRequest, DownloadDetails>;

/** A run of a job that ends when the test ends it. */
interface Run {
  readonly job: TestJob;
  readonly context: JobContext<DownloadDetails>;
  readonly end: PromiseWithResolvers<JobProgress<DownloadDetails>>;
}

const request = (name: string, more: Partial<DownloadRequest> = {}): DownloadRequest => ({ modelId: parseModelId(`org/${name}`), ...more });

/** A queue whose work is controlled by the test. */
async function queueForTest({
  isDurable = true,
  home,
  signal,
  assertHeld,
  kind = {},
  ...options
}: {
  readonly isDurable?: boolean;
  readonly home?: string;
  readonly signal?: AbortSignal;
  readonly assertHeld?: () => Promise<void>;
  readonly kind?: Partial<JobKind<DownloadRequest, DownloadDetails>>;
} & Partial<Pick<JobQueueOptions<DownloadRequest, DownloadDetails>, 'maxRunning' | 'maxPending' | 'maxFinished'>> = {}) {
  const root = home ?? (await temporaryDirectory());
  const directory = join(root, 'jobs');
  const world: TestWorld = testWorld(root, signal === undefined ? {} : { signal });
  const runs: Run[] = [];
  const queue = createJobQueue<DownloadRequest, DownloadDetails>({
    kind: {
      ...downloadKind,
      run: (job, context) => {
        const end = Promise.withResolvers<JobProgress<DownloadDetails>>();
        runs.push({ job, context, end });
        return end.promise;
      },
      ...kind,
    },
    ...(isDurable && {
      storage: { directory, encode: encodeDownload, decode: decodeDownload, nameOf: ({ request }) => fileNameOf(request), assertHeld },
    }),
    maxRunning: 2,
    maxPending: 10,
    maxFinished: 10,
    world,
    ...options,
  });
  const runOf = (name: string, number = 1): Promise<Run> =>
    until(`run ${number} of ${name}`, () => runs.filter(({ job }) => job.modelId === `org/${name}`)[number - 1]);
  const statusOf = (name: string): string | undefined => queue.list().find(({ modelId }) => modelId === `org/${name}`)?.status;
  const ended = (name: string): Promise<unknown> => until(`the end of ${name}`, () => !queue.isActive(parseModelId(`org/${name}`)));
  const record = async (name: string): Promise<Record<string, unknown>> =>
    JSON.parse(await readFile(join(directory, `org--${name}.json`), 'utf8')) as Record<string, unknown>;
  return { queue, world, root, directory, runs, runOf, statusOf, ended, record };
}

const id = (name: string) => parseModelId(`org/${name}`);
const code = (expected: string) => expect.objectContaining({ code: expected });

describe.each([
  ['durable', true],
  ['of this process only', false],
])('background jobs that are %s', (_, isDurable) => {
  test('run a few at a time, and the others wait in order', async () => {
    const { queue, runOf, statusOf } = await queueForTest({ isDurable });
    for (const name of ['a', 'b', 'c', 'd']) await queue.submit(request(name));
    expect(queue.list().map(({ status }) => status)).toEqual(['running', 'running', 'pending', 'pending']);
    (await runOf('b')).end.resolve({});
    await runOf('c');
    expect(['a', 'b', 'c', 'd'].map(statusOf)).toEqual(['running', 'complete', 'running', 'pending']);
  });

  test('are joined by a request for the same work, also by two at the same time', async () => {
    const { queue, runs, runOf } = await queueForTest({ isDurable });
    const both = await Promise.all([queue.submit(request('a')), queue.submit(request('a'))]);
    expect(both.map(({ status }) => status)).toEqual(['running', 'running']);
    await runOf('a');
    await queue.submit(request('a', { revision: 'main' }));
    expect(runs.length).toBe(1);
    await expect(queue.submit(request('a', { revision: 'v2' }))).rejects.toEqual(code('CONFLICT'));
  });

  test('of one model run one after the other, and jobs of other models run beside them', async () => {
    const { queue, runs, runOf } = await queueForTest({ isDurable });
    const parts = ['Q8_0', 'Q4_K_M', 'Q5_K_M'].map((selector) => request('a', { selector }));
    for (const part of [...parts, request('b')]) await queue.submit(part);
    expect(queue.list().map(({ status }) => status)).toEqual(['running', 'pending', 'pending', 'running']);
    // The same work is joined under any spelling, and any work by a request without a selection.
    expect(await queue.submit(request('a', { selector: 'q4_k_m' }))).toMatchObject({ status: 'pending', request: { selector: 'Q4_K_M' } });
    expect(await queue.submit(request('a'))).toMatchObject({ status: 'running', request: { selector: 'Q8_0' } });
    await expect(queue.submit(request('a', { selector: 'Q8_0', revision: 'v2' }))).rejects.toEqual(code('CONFLICT'));
    expect(await queue.cancel(subjectOf(parts[1] as DownloadRequest))).toMatchObject({ status: 'cancelled' });
    (await runOf('a')).end.resolve({});
    (await runOf('a', 2)).end.resolve({});
    await until('the end of all', () => parts.every((part) => !queue.isActive(subjectOf(part))));
    expect(runs.map(({ job }) => job.request.selector)).toEqual(['Q8_0', undefined, 'Q5_K_M']);
  });

  test('that run are stopped by a cancel, which waits for the end of their work', async () => {
    const { queue, runOf, statusOf } = await queueForTest({ isDurable });
    await queue.submit(request('a'));
    const { context, end } = await runOf('a');
    let hasReturned = false;
    const cancelled = queue.cancel(id('a')).finally(() => {
      hasReturned = true;
    });
    await until('the abort', () => context.signal.aborted);
    // The work cleans up after itself.
    await new Promise(setImmediate);
    expect([hasReturned, statusOf('a')]).toEqual([false, 'running']);
    end.reject(context.signal.reason);
    expect(await within('the cancel', cancelled)).toMatchObject({ status: 'cancelled', failure: { code: 'CANCELLED' } });
    await expect(queue.cancel(id('a'))).rejects.toEqual(code('CONFLICT'));
    await expect(queue.cancel(id('b'))).rejects.toEqual(code('JOB_NOT_FOUND'));
  });

  test('that wait are cancelled at once and never run', async () => {
    const { queue, runs, runOf, ended } = await queueForTest({ isDurable, maxRunning: 1 });
    for (const name of ['a', 'b', 'c']) await queue.submit(request(name));
    expect(await queue.cancel(id('b'))).toMatchObject({ status: 'cancelled' });
    (await runOf('a')).end.resolve({});
    (await runOf('c')).end.resolve({});
    await ended('c');
    expect(runs.map(({ job }) => job.modelId)).toEqual(['org/a', 'org/c']);
  });

  test('resume after a failure with the next request, with their data', async () => {
    const { queue, runOf, ended, statusOf } = await queueForTest({ isDurable });
    await queue.submit(request('a'));
    const first = await runOf('a');
    first.context.report({ bytesTotal: 100, bytesDone: 40, details: { commit: 'abc' } });
    first.end.reject(new SkulkError('NO_SPACE', 'no room', { hint: 'free some' }));
    await ended('a');
    expect(await queue.find(id('a'))).toMatchObject({
      status: 'failed',
      failure: { message: 'no room', code: 'NO_SPACE', hint: 'free some' },
    });
    expect(await queue.submit(request('a'))).toMatchObject({ bytesDone: 40, bytesTotal: 100, failure: null, details: { commit: 'abc' } });
    const second = await runOf('a', 2);
    // Reports of the earlier run are ignored now.
    first.context.report({ bytesDone: 90 });
    expect(await queue.find(id('a'))).toMatchObject({ bytesDone: 40 });
    second.end.resolve({});
    await ended('a');
    expect(statusOf('a')).toBe('complete');
    // Another request starts again.
    expect(await queue.submit(request('a', { revision: 'v2' }))).toMatchObject({
      bytesDone: 0,
      bytesTotal: 0,
      details: { commit: null, ggufFile: null, warnings: [] },
    });
  });

  test('fail without internal details after an unexpected error, which is logged as a warning', async () => {
    const { queue, runOf, ended, world } = await queueForTest({ isDurable });
    await queue.submit(request('a'));
    (await runOf('a')).end.reject(new TypeError('x is undefined'));
    await ended('a');
    expect((await queue.find(id('a'))).failure).toMatchObject({ code: null });
    expect(world.warnings()).toEqual(['the download of org/a failed: TypeError: x is undefined']);
  });

  test('are not created for finished work or for refused work', async () => {
    const { queue, runs, runOf } = await queueForTest({
      isDurable,
      kind: {
        findResult: async ({ modelId }) => {
          if (modelId === id('b')) throw new SkulkError('HUB_OFFLINE', 'not now');
          return modelId === id('a') ? { details: { ggufFile: 'a.gguf' }, bytesTotal: 5 } : undefined;
        },
      },
    });
    expect(await queue.submit(request('a'))).toMatchObject({
      status: 'complete',
      details: { ggufFile: 'a.gguf' },
      bytesDone: 5,
      bytesTotal: 5,
    });
    await expect(queue.submit(request('b'))).rejects.toEqual(code('HUB_OFFLINE'));
    await queue.submit(request('c'));
    expect(queue.list().map(({ modelId }) => modelId)).toEqual(['org/c']);
    await runOf('c');
    expect(runs.length).toBe(1);
  });

  test('have a limit for waiting ones and for remembered ones', async () => {
    const { queue, runOf, ended, directory } = await queueForTest({ isDurable, maxRunning: 1, maxPending: 2, maxFinished: 3 });
    for (const name of ['a', 'b', 'c']) await queue.submit(request(name));
    await expect(queue.submit(request('d'))).rejects.toEqual(code('CONFLICT'));
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      await queue.submit(request(name)).catch(() => undefined);
      (await runOf(name)).end.resolve({});
      await ended(name);
    }
    await queue.submit(request('g'));
    await expect.poll(() => queue.list().map(({ modelId }) => modelId)).toEqual(['org/d', 'org/e', 'org/f', 'org/g']);
    if (isDurable) await expect.poll(() => readdir(directory)).toEqual(['org--d.json', 'org--e.json', 'org--f.json', 'org--g.json']);
  });

  test('report every change to each subscriber until it unsubscribes', async () => {
    const { queue, runOf, ended } = await queueForTest({ isDurable });
    const seen: string[] = [];
    const leave = queue.subscribe(({ modelId, status, bytesDone }) => seen.push(`${modelId} ${status} ${bytesDone}`));
    await queue.submit(request('a'));
    const { context, end } = await runOf('a');
    context.report({ bytesTotal: 10, bytesDone: 5 });
    end.resolve({});
    await ended('a');
    expect(seen).toEqual(['org/a pending 0', 'org/a running 0', 'org/a running 5', 'org/a complete 10']);
    context.report({ bytesDone: 7 });
    leave();
    await queue.submit(request('b'));
    expect(seen.length).toBe(4);
  });
});

describe('the records of jobs', () => {
  test('are resumed by the next process, running ones and waiting ones, in order', async () => {
    const first = await queueForTest({ maxRunning: 1 });
    for (const name of ['a', 'b', 'c']) await first.queue.submit(request(name, { exact: true }));
    const { context } = await first.runOf('a');
    context.report({ bytesTotal: 100, bytesDone: 60, details: { commit: 'abc' } });
    await context.save();
    await first.queue.cancel(id('b'));
    // It is killed without any notification.
    const second = await queueForTest({ home: first.root, maxRunning: 1 });
    await second.queue.load();
    expect(second.runs).toEqual([]);
    await second.queue.resume();
    expect((await second.runOf('a')).job).toMatchObject({ request: { exact: true }, bytesDone: 60, details: { commit: 'abc' } });
    await second.queue.resume();
    (await second.runOf('a')).end.resolve({});
    (await second.runOf('c')).end.resolve({});
    await second.ended('c');
    expect(second.runs.length).toBe(2);
    expect(second.queue.list().map(({ modelId, status }) => [modelId, status])).toEqual([
      ['org/a', 'complete'],
      ['org/b', 'cancelled'],
      ['org/c', 'complete'],
    ]);
    expect(await second.record('b')).toMatchObject({ version: 1, status: 'failed', error_code: 'CANCELLED' });
  });

  test('of a killed process resume with the next request, and can be cancelled', async () => {
    const first = await queueForTest();
    for (const name of ['a', 'b']) await first.queue.submit(request(name));
    await first.runOf('b');
    expect(await first.record('b')).toMatchObject({ status: 'downloading' });
    const second = await queueForTest({ home: first.root });
    await expect(second.queue.submit(request('a', { revision: 'v2' }))).rejects.toEqual(code('CONFLICT'));
    expect(await second.queue.submit(request('a'))).toMatchObject({ status: 'running' });
    (await second.runOf('a')).end.resolve({});
    await second.ended('a');
    expect(await second.queue.cancel(id('b'))).toMatchObject({ status: 'cancelled' });
    expect(await second.record('b')).toMatchObject({ status: 'failed', error_code: 'CANCELLED' });
    expect(second.runs.length).toBe(1);
  });

  test('of a living process are left to that process', async () => {
    const first = await queueForTest();
    await first.queue.submit(request('a'));
    await first.runOf('a');
    const requireOurs = async (): Promise<void> => {
      throw new SkulkError('LOCKED', 'pid 7 does it');
    };
    const second = await queueForTest({ home: first.root, kind: { requireOurs } });
    await expect(second.queue.submit(request('a'))).rejects.toEqual(code('LOCKED'));
    await expect(second.queue.cancel(id('a'))).rejects.toEqual(code('LOCKED'));
    expect(second.runs).toEqual([]);
    expect(await second.record('a')).toMatchObject({ status: 'downloading' });
  });

  test.each(['the queue is closed', 'the process is told to end'])('show that a job continues when %s', async (how) => {
    const process = new AbortController();
    const { queue, runs, runOf, record } = await queueForTest({ maxRunning: 1, signal: process.signal });
    for (const name of ['a', 'b']) await queue.submit(request(name));
    const { context, end } = await runOf('a');
    context.signal.addEventListener('abort', () => end.reject(context.signal.reason));
    const seen: string[] = [];
    queue.subscribe(({ modelId, status }) => seen.push(`${modelId} ${status}`));
    if (how !== 'the queue is closed') process.abort(new SkulkError('TERMINATED', 'the process ends'));
    await within('the end of the queue', queue.close());
    expect([runs.length, seen]).toEqual([1, ['org/a pending']]);
    expect([await record('a'), await record('b')]).toMatchObject([
      { status: 'pending', error: null },
      { status: 'pending', error: null },
    ]);
  });

  test('of several quantizations of a model are resumed in their order', async () => {
    const first = await queueForTest();
    for (const selector of ['Q8_0', 'Q4_K_M']) await first.queue.submit(request('a', { selector }));
    await first.queue.submit(request('a', { whole: true }));
    await first.runOf('a');
    expect(await readdir(first.directory)).toHaveLength(3);
    const second = await queueForTest({ home: first.root });
    await second.queue.resume();
    expect(second.queue.list().map(({ request: { selector, whole } }) => selector ?? whole)).toEqual(['Q8_0', 'Q4_K_M', true]);
    for (const number of [1, 2, 3]) (await second.runOf('a', number)).end.resolve({});
    expect(second.runs.map(({ job }) => job.request.selector)).toEqual(['Q8_0', 'Q4_K_M', undefined]);
  });

  test.each(['itself', 'the model', 'another quantization'])(
    'of a version with one file for each model keep their state when %s is requested',
    async (what) => {
      const { directory, root } = await queueForTest();
      const job = newJob(
        { modelId: id('a'), request: request('a', { selector: 'Q8_0' }), details: { commit: 'abc', ggufFile: null, warnings: [] } },
        { now: new Date(0) },
      );
      await mkdir(directory);
      await writeFile(join(directory, 'org--a.json'), JSON.stringify(encodeDownload({ ...job, bytesDone: 40, bytesTotal: 100 })));
      const wanted = { itself: { selector: 'Q8_0' }, 'the model': { whole: true }, 'another quantization': { selector: 'Q4_K_M' } }[what];
      const { queue } = await queueForTest({ home: root });
      await queue.submit(request('a', wanted));
      await until('both', () => queue.list().length === (what === 'itself' ? 1 : 2));
      const after = await queueForTest({ home: root });
      await after.queue.load();
      expect(after.queue.list().map(({ request: one, bytesDone }) => [one.selector ?? one.whole, bytesDone])).toEqual([
        ['Q8_0', 40],
        ...(what === 'itself' ? [] : [[wanted?.selector ?? true, 0]]),
      ]);
      await until('the old name gone', async () => !(await readdir(directory)).includes('org--a.json'));
    },
  );

  test('of an older program are read without changes', async () => {
    const { queue, directory, runOf, world } = await queueForTest();
    await mkdir(directory);
    const old = {
      version: 1,
      progress: 0.4,
      error: null,
      bytes_done: 40,
      bytes_total: 100,
      bytes_per_second: null,
      seconds_left: null,
      error_code: null,
      hint: null,
      revision: 'v1',
      commit: 'abc',
      gguf_file: 'q.gguf',
      selector: null,
      exact: true,
      created_at: '2025-01-01T00:00:00.000Z',
      updated_at: '2025-01-01T00:01:00.000Z',
    };
    const write = (file: string, content: object | string): Promise<void> =>
      writeFile(join(directory, file), typeof content === 'string' ? content : JSON.stringify(content));
    await write('org--a.json', { ...old, modelId: 'org/a', status: 'downloading' });
    await write('org--b.json', { ...old, modelId: 'org/b', status: 'failed', error: 'it was cancelled', error_code: 'CANCELLED' });
    await write('org--c.json', { ...old, modelId: 'org/c', status: 'failed', error: 'no room', error_code: 'NO_SPACE', hint: 'free some' });
    await write('org--d.json', { ...old, modelId: 'org/d', status: 'complete', progress: 1 });
    await write('org--e.json', '{"modelId":"org/e","sta');
    await write('org--f.json', { ...old, modelId: 'org/other', status: 'pending' });
    await write('org--g.json', { ...old, modelId: 'org/g', status: 'cancelled' });
    // Without the pattern, everything would be fetched.
    await write('org--h.json', { ...old, modelId: 'org/h', status: 'downloading', request: { include: [7] } });
    await queue.resume();
    expect(queue.list().map(({ modelId, status, failure }) => [modelId, status, failure?.code])).toEqual([
      ['org/a', 'running', undefined],
      ['org/b', 'cancelled', 'CANCELLED'],
      ['org/c', 'failed', 'NO_SPACE'],
      ['org/d', 'complete', undefined],
    ]);
    expect(world.warnings().map((message) => /org--.\.json/.exec(message)?.[0])).toEqual([
      'org--e.json',
      'org--f.json',
      'org--g.json',
      'org--h.json',
    ]);
    expect((await runOf('a')).job.request).toEqual({
      modelId: 'org/a',
      revision: 'v1',
      ggufFile: 'q.gguf',
      selector: undefined,
      exact: true,
    });
    expect((await readdir(directory)).length).toBe(8);
  });

  test('contain every accepted job, even after a kill between two writes', async () => {
    const kills: { readonly home: string; readonly accepted: readonly string[]; readonly finished: readonly string[] }[] = [];
    const accepted = new Set<string>();
    const finished = new Map<string, string>();
    const root = await temporaryDirectory();
    const { queue, runOf, directory, ended } = await queueForTest({
      maxRunning: 1,
      // The state on the disk before each write is the state after a kill there.
      assertHeld: async () => {
        const home = join(root, String(kills.length));
        kills.push({ home, accepted: [...accepted], finished: [...finished.values()] });
        if (kills.length > 1) await cp(directory, join(home, 'jobs'), { recursive: true, filter: (path) => !path.endsWith('.tmp') });
      },
    });
    const submit = async (name: string): Promise<void> => {
      finished.delete(name);
      await queue.submit(request(name));
      accepted.add(name);
    };
    for (const name of ['a', 'b', 'c']) await submit(name);
    const first = await runOf('a');
    first.context.report({ bytesTotal: 10, bytesDone: 5, details: { commit: 'abc' } });
    await first.context.save();
    await queue.cancel(id('b'));
    finished.set('b', 'org/b cancelled');
    first.end.reject(new SkulkError('NO_SPACE', 'no room'));
    // By then the end of `a` is written, because its slot is free again.
    const second = await runOf('c');
    finished.set('a', 'org/a failed');
    await submit('b');
    second.end.resolve({});
    const third = await runOf('b');
    finished.set('c', 'org/c complete');
    await submit('a');
    third.end.resolve({});
    (await runOf('a', 2)).end.resolve({});
    await ended('a');
    await queue.close();

    expect(kills.length).toBeGreaterThan(10);
    for (const [number, killed] of kills.entries()) {
      const next = await queueForTest({ home: killed.home, maxRunning: 10 });
      await next.queue.resume();
      const jobs = next.queue.list();
      expect(next.world.warnings(), `kill ${number}`).toEqual([]);
      expect(jobs.map(({ modelId }) => modelId).toSorted(), `kill ${number}`).toEqual(expect.arrayContaining(killed.accepted.map(id)));
      // Jobs reported as finished are finished; all others run, or have a true end.
      const states = jobs.map(({ modelId, status }) => `${modelId} ${status}`);
      expect(states, `kill ${number}`).toEqual(expect.arrayContaining([...killed.finished]));
      expect(states.filter((state) => state.endsWith('pending'))).toEqual([]);
      for (const { modelId, status } of jobs) if (status === 'running') await next.runOf(modelId.slice('org/'.length));
    }
  });

  test('of one model are written one after the other, so that the last state stays', async () => {
    const directory = await temporaryDirectory();
    const slow = Promise.withResolvers<void>();
    const gates = [slow.promise, Promise.resolve()];
    const records = createJobRecords(
      { directory, encode: encodeDownload, decode: decodeDownload, assertHeld: async () => gates.shift() },
      () => undefined,
    );
    const job = (bytesDone: number): TestJob => ({
      ...newJob({ modelId: id('a'), request: request('a'), details: { commit: null, ggufFile: null, warnings: [] } }, { now: new Date() }),
      bytesDone,
    });
    const first = records.write(() => job(1));
    const second = records.write(() => job(2));
    await new Promise(setImmediate);
    expect(await readdir(directory)).toEqual([]);
    slow.resolve();
    await within('both writes', Promise.all([first, second]));
    expect(await records.readAll()).toMatchObject([{ bytesDone: 2 }]);
    await records.remove(job(2));
    expect(await records.readAll()).toEqual([]);
  });

  test('that are not writable cause the refusal of a new job, and a warning for a running one', async () => {
    const { queue, directory, runOf, world } = await queueForTest();
    await queue.submit(request('a'));
    const { end } = await runOf('a');
    await rm(directory, { recursive: true });
    await writeFile(directory, 'a file where the directory was');
    await expect(queue.submit(request('b'))).rejects.toThrow();
    end.resolve({});
    await until('the warning', () => world.warnings().length > 0);
    expect(world.warnings()).toEqual([expect.stringContaining('the download of org/a cannot be saved')]);
    expect(queue.list().map(({ modelId, status }) => [modelId, status])).toEqual([['org/a', 'complete']]);
  });
});
