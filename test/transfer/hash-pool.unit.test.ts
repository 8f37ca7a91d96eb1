import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { noise } from '../helpers/model-files.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { within } from '../helpers/waiting.ts';

const mib = 1024 * 1024;
const { signal } = new AbortController();
const content = noise(20 * mib, 7);
const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let threads: Worker[] = [];
const onThread = (thread: Worker): void => void threads.push(thread);
beforeEach(() => {
  threads = [];
  process.on('worker', onThread);
  // A pool without the threads of earlier tests.
  vi.resetModules();
});
afterEach(async () => {
  process.off('worker', onThread);
  await Promise.all(threads.map((thread) => thread.terminate()));
  // The next file of tests must not get a pool whose threads have ended.
  vi.resetModules();
});

async function poolWithFile() {
  const { runHashJob } = await import('../../src/core/transfer/hashing/hash-pool.ts');
  const { createArrivalHash } = await import('../../src/core/transfer/arrival/arrival-hash.ts');
  const path = join(await temporaryDirectory(), 'file');
  await writeFile(path, content);
  const arriving = () => createArrivalHash({ size: content.length, path: () => path, withGitId: false });
  const range = (start: number, end: number) => within('the range', runHashJob({ kind: 'range', path, start, end }, { signal }));
  const digest = () => within('the digest', runHashJob({ kind: 'digest', path }, { signal }));
  return { runHashJob, arriving, range, digest, path };
}

test('short jobs use the thread of the files that arrive, long jobs another one', async () => {
  const { arriving, range, digest } = await poolWithFile();
  const hash = arriving();
  expect(await range(mib, 2 * mib)).toBe(sha256Of(content.subarray(mib, 2 * mib)));
  expect(threads).toHaveLength(1);
  expect((await digest()).sha256).toBe(sha256Of(content));
  expect(threads).toHaveLength(2);
  // It still hashes what arrives.
  hash.found(0, content.length);
  expect((await within('the hash', hash.finish()))?.sha256).toBe(sha256Of(content));
  expect(threads).toHaveLength(2);
});

test('a range of more than one chunk does not hold up the files that arrive', async () => {
  const { arriving, range } = await poolWithFile();
  using _hash = arriving();
  expect(await range(0, content.length)).toBe(sha256Of(content));
  expect(threads).toHaveLength(2);
});

test('the thread does jobs of any length after the last file has arrived, and the next file takes it again', async () => {
  const { arriving, range, digest } = await poolWithFile();
  const first = arriving();
  const pending = range(0, mib);
  first[Symbol.dispose]();
  expect(await pending).toBe(sha256Of(content.subarray(0, mib)));
  expect((await digest()).size).toBe(content.length);
  const second = arriving();
  second.found(0, content.length);
  expect((await within('the hash', second.finish()))?.sha256).toBe(sha256Of(content));
  expect(threads).toHaveLength(1);
});

test('an idle thread that has ended gets no job', async () => {
  const { range } = await poolWithFile();
  await range(0, 1);
  expect(threads).toHaveLength(1);
  await threads[0]?.terminate();
  expect(await range(0, mib)).toBe(sha256Of(content.subarray(0, mib)));
  expect(threads).toHaveLength(2);
});

test('the death of the thread fails its job and its files, and the next ones get a new thread', async () => {
  const { arriving, range } = await poolWithFile();
  const hash = arriving();
  const job = range(0, mib);
  // Node announces a thread in the next tick, long before the thread can answer.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  const [thread] = threads;
  thread?.emit('error', new Error('out of memory'));
  await expect(job).rejects.toThrow('a hashing thread died: out of memory');
  expect(await within('the hash', hash.finish())).toBeUndefined();
  const next = arriving();
  next.found(0, content.length);
  expect((await within('the hash', next.finish()))?.sha256).toBe(sha256Of(content));
  expect(threads).toHaveLength(2);
});
