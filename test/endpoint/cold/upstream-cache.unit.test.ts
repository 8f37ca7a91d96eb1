import { expect, test } from 'vitest';
import { createUpstreamCache } from '../../../src/core/endpoint/cold/upstream-cache.ts';
import { SkulkError } from '../../../src/core/kernel/errors.ts';
import { parseModelId } from '../../../src/core/kernel/model-id.ts';
import type { Listing, SourceRef } from '../../../src/core/sources/source.ts';

const modelId = parseModelId('org/m');
const never = new AbortController().signal;
const away = new SkulkError('HUB_UNREACHABLE', 'nobody answers');
const [one, two] = ['1'.repeat(40), '2'.repeat(40)];

/** A source with configured answers that records its requests. */
function world({ maxFiles = 100, maxListings = 100, maxAsking = 10 } = {}) {
  const clock = { now: 0 };
  const asked: string[] = [];
  const source = {
    answer: (ref: SourceRef): Promise<Listing> | Listing => ({ ...ref, commit: one, files: [] }),
    list: async (ref: SourceRef): Promise<Listing> => {
      asked.push(ref.revision);
      return source.answer(ref);
    },
  };
  const cache = createUpstreamCache(source, {
    over: never,
    isPassing: (error) => error === away,
    limits: { branchMs: 60, failureMs: 30, passingMs: 3, maxFiles, maxListings, maxAsking },
    now: () => clock.now,
  });
  const list = async (revision = 'main', signal = never): Promise<string> => (await cache.list({ modelId, revision }, signal)).commit;
  return { clock, asked, source, list };
}

test('a branch is requested at most once a minute, and its commit only once', async () => {
  const { clock, asked, list } = world();
  expect([await list(), await list(), await list(one)]).toEqual([one, one, one]);
  clock.now = 59;
  await list();
  expect(asked).toEqual(['main']);
  clock.now = 60;
  await list();
  expect(asked).toEqual(['main', 'main']);
  clock.now = 10_000;
  expect(await list(one)).toBe(one);
  expect(asked).toHaveLength(2);
});

test('many requests at the same time cause one request to upstream, and an abort of one does not affect the others', async () => {
  const { asked, source, list } = world();
  const gate = Promise.withResolvers<Listing>();
  source.answer = () => gate.promise;
  const leaving = new AbortController();
  const waiting = Array.from({ length: 50 }, () => list());
  const gone = list('main', leaving.signal);
  leaving.abort(new Error('the client left'));
  await expect(gone).rejects.toThrow('the client left');
  gate.resolve({ modelId, revision: 'main', commit: two, files: [] });
  expect(new Set(await Promise.all(waiting))).toEqual(new Set([two]));
  expect(asked).toEqual(['main']);
});

test('a failure is remembered for half a minute', async () => {
  const { clock, asked, source, list } = world();
  const missing = new SkulkError('MODEL_NOT_FOUND', 'there is no such model');
  source.answer = () => Promise.reject(missing);
  await expect(list()).rejects.toBe(missing);
  await expect(list()).rejects.toBe(missing);
  expect(asked).toHaveLength(1);
  clock.now = 30;
  await expect(list()).rejects.toBe(missing);
  expect(asked).toHaveLength(2);
});

test('a branch stays the same while upstream is away, and a model that was deleted there disappears at once', async () => {
  const { asked, clock, source, list } = world();
  expect(await list()).toBe(one);
  source.answer = () => Promise.reject(away);
  clock.now = 61;
  expect(await list()).toBe(one);
  clock.now = 62;
  expect(await list()).toBe(one);
  expect(asked).toHaveLength(2);
  clock.now = 64;
  expect(await list()).toBe(one);
  expect(asked).toHaveLength(3);
  clock.now = 200;
  source.answer = (ref) => ({ ...ref, commit: two, files: [] });
  expect(await list()).toBe(two);
  source.answer = () => Promise.reject(new SkulkError('MODEL_NOT_FOUND', 'gone'));
  clock.now = 300;
  await expect(list()).rejects.toThrow('gone');
  await expect(list()).rejects.toThrow('gone');
});

test('the cache has limits for files and for listings', async () => {
  const file = { path: 'a' as never, size: 1, oid: '0'.repeat(40) };
  for (const limits of [{ maxFiles: 3 }, { maxListings: 3 }]) {
    const { asked, source, list } = world(limits);
    source.answer = (ref) => ({ ...ref, commit: ref.revision, files: [file] });
    const commits = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(40));
    for (const commit of commits) await list(commit);
    await list(commits[1]);
    expect(asked).toHaveLength(4);
    await list(commits[0]);
    expect(asked).toHaveLength(5);
    // It replaced the least recently used one.
    await list(commits[1]);
    expect(asked).toHaveLength(5);
  }
});

test('a listing that was requested again counts once', async () => {
  const { clock, asked, source, list } = world({ maxFiles: 3 });
  const file = { path: 'a' as never, size: 1, oid: '0'.repeat(40) };
  source.answer = (ref) => ({ ...ref, commit: ref.revision === two ? two : one, files: [file] });
  await list(two);
  for (const minute of [0, 1, 2, 3]) {
    clock.now = minute * 60;
    await list();
  }
  expect(asked).toEqual([two, 'main', 'main', 'main', 'main']);
  await list(two);
  expect(asked).toHaveLength(5);
});

test('thousands of missing names are remembered up to the limit, and the number of waiting requests is limited', async () => {
  const { asked, source, list } = world({ maxListings: 100 });
  source.answer = () => Promise.reject(new SkulkError('MODEL_NOT_FOUND', 'there is no such model'));
  const names = Array.from({ length: 3000 }, (_, index) => `v${index}`);
  for (const name of names) await expect(list(name)).rejects.toThrow('no such model');
  for (const name of names.slice(-100)) await expect(list(name)).rejects.toThrow('no such model');
  expect(asked).toHaveLength(3000);
  await expect(list(names.at(-101))).rejects.toThrow('no such model');
  expect(asked).toHaveLength(3001);

  let answer = (): void => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  source.answer = async (ref) => {
    await answered;
    return { ...ref, commit: one, files: [] };
  };
  const waiting = Array.from({ length: 10 }, (_, index) => list(`w${index}`));
  await expect(list('w10')).rejects.toMatchObject({ code: 'STORE_BUSY' });
  const same = list('w9');
  answer();
  expect(new Set(await Promise.all([...waiting, same]))).toEqual(new Set([one]));
  expect(await list('w10')).toBe(one);
});
