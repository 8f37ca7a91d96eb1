import { describe, expect, test } from 'vitest';
import {
  applyEvent,
  failureOf,
  fractionDone,
  isFinished,
  type Job,
  type JobEvent,
  type JobStatus,
  newJob,
} from '../../src/core/jobs/job-state.ts';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';

interface Details {
  readonly commit: string | null;
  readonly warnings: readonly string[];
}
type TestJob = Job<string, Details>;

const start = new Date('2026-01-02T03:04:05.000Z');
const later = new Date('2026-01-02T03:05:00.000Z');
const fresh = (more: Partial<TestJob> = {}): TestJob => ({
  ...newJob({ modelId: parseModelId('org/m'), request: 'all', details: { commit: null, warnings: [] } }, { now: start }),
  ...more,
});
const failure = { message: 'no room', code: 'NO_SPACE', hint: null } as const;
const events: Record<JobEvent<Details>['type'], JobEvent<Details>> = {
  start: { type: 'start' },
  progress: { type: 'progress', progress: { bytesDone: 1 } },
  interrupt: { type: 'interrupt' },
  complete: { type: 'complete', progress: {} },
  fail: { type: 'fail', failure },
  cancel: { type: 'cancel', failure },
};
const statuses = ['pending', 'running', 'complete', 'failed', 'cancelled'] as const satisfies readonly JobStatus[];

describe('the state of a job after an event', () => {
  /** A status that is not listed stays, and nothing else changes either. */
  const allowed: Partial<Record<JobStatus, Partial<Record<JobEvent<Details>['type'], JobStatus>>>> = {
    pending: { start: 'running', cancel: 'cancelled' },
    running: { progress: 'running', interrupt: 'pending', complete: 'complete', fail: 'failed', cancel: 'cancelled' },
  };
  const table = statuses.flatMap((status) =>
    Object.values(events).map((event) => [status, event.type, allowed[status]?.[event.type] ?? 'the same job'] as const),
  );

  test.each(table)('with %s and %s is %s', (status, type, expected) => {
    const job = fresh({ status, bytesTotal: 10, failure: status === 'failed' || status === 'cancelled' ? failure : null });
    const next = applyEvent(job, events[type], later);
    if (expected === 'the same job') expect(next).toBe(job);
    else expect(next).toMatchObject({ status: expected, updatedAt: later.toISOString(), createdAt: start.toISOString() });
    expect(next.failure !== null, 'only what failed or was cancelled says why').toBe(
      next.status === 'failed' || next.status === 'cancelled',
    );
  });

  test('is final in three of its five statuses', () => {
    expect(statuses.filter((status) => isFinished({ status }))).toEqual(['complete', 'failed', 'cancelled']);
  });
});

describe('the progress of a job', () => {
  const running = fresh({ status: 'running', phase: 'copying', bytesDone: 50, bytesTotal: 100 });
  test.each([
    ['more bytes count', { bytesDone: 70 }, { bytesDone: 70, bytesTotal: 100 }],
    ['fewer bytes of the same do not', { bytesDone: 20 }, { bytesDone: 50, bytesTotal: 100 }],
    ['fewer bytes of another total do', { bytesDone: 20, bytesTotal: 90 }, { bytesDone: 20, bytesTotal: 90 }],
    ['fewer bytes of another phase do', { bytesDone: 20, phase: 'hashing' }, { bytesDone: 20, phase: 'hashing' }],
    ['another phase begins at nothing', { phase: 'hashing' }, { bytesDone: 0, phase: 'hashing' }],
    ['the same phase changes nothing', { phase: 'copying' }, { bytesDone: 50, phase: 'copying' }],
    ['no more than all is done', { bytesDone: 170 }, { bytesDone: 100, bytesTotal: 100 }],
    ['details that are not named stay', { details: { commit: 'abc' } }, { details: { commit: 'abc', warnings: [] }, bytesDone: 50 }],
  ])('%s', (_, progress, expected) => {
    expect(applyEvent(running, { type: 'progress', progress }, later)).toMatchObject(expected);
  });

  test('is at its end only when the job is complete', () => {
    expect(fractionDone({ status: 'running', bytesDone: 100, bytesTotal: 100 })).toBe(0.999);
    expect(fractionDone({ status: 'running', bytesDone: 0, bytesTotal: 0 })).toBe(0);
    expect(fractionDone({ status: 'failed', bytesDone: 25, bytesTotal: 100 })).toBe(0.25);
    expect(fractionDone({ status: 'complete', bytesDone: 0, bytesTotal: 0 })).toBe(1);
    expect(applyEvent(running, { type: 'complete', progress: { bytesTotal: 120 } }, later)).toMatchObject({
      bytesDone: 120,
      bytesTotal: 120,
    });
  });
});

test('a job that continues the work of an earlier one shows that progress from the beginning', () => {
  const before = fresh({ status: 'failed', phase: 'copying', bytesDone: 50, bytesTotal: 100, failure });
  const next = newJob({ modelId: before.modelId, request: 'all', details: before.details }, { now: later, before });
  expect(next).toMatchObject({ status: 'pending', bytesDone: 50, bytesTotal: 100, failure: null, createdAt: later.toISOString() });
});

test.each(['fail', 'cancel'] as const)('a job that ends with %s does not have what it discarded', (type) => {
  const job = fresh({ status: 'running', bytesDone: 90, bytesTotal: 100 });
  expect(applyEvent(job, { type, failure, bytesLost: 60 }, later).bytesDone).toBe(30);
  expect(applyEvent(job, { type, failure }, later).bytesDone).toBe(90);
});

test('an expected failure has its message, and an unexpected one has no internal details', () => {
  expect(failureOf(new SkulkError('NO_SPACE', 'no room', { hint: 'free some' }))).toEqual({
    message: 'no room',
    code: 'NO_SPACE',
    hint: 'free some',
  });
  expect(JSON.stringify(failureOf(new TypeError('secret of undefined')))).not.toContain('secret');
  expect(failureOf(new TypeError('secret'))).toMatchObject({ code: null });
});
