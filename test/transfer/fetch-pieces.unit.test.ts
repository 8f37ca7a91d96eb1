import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import type { RelativePath } from '../../src/core/kernel/files/relative-path.ts';
import { type FetchPlan, fetchPieces } from '../../src/core/transfer/fetch-pieces.ts';
import type { Piece } from '../../src/core/transfer/pieces.ts';
import { unlimited } from '../../src/core/transfer/rate-limiter.ts';
import { sha256 } from '../helpers/directory-store.ts';
import { noise } from '../helpers/model-files.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const content = noise(4 * 1024 * 1024);
const whole: Piece = { path: 'f' as RelativePath, start: 0, end: content.length, sha256: sha256(content), fileSha256: sha256(content) };
const broken = () => new SkulkError('STORE_UNREACHABLE', 'broken');

/** Fetches into a file of zeros; gives the content of the file, the requests and the counts. */
async function fetchInto(read: FetchPlan['read'], more: Partial<FetchPlan> = {}) {
  const directory = await temporaryDirectory();
  const file = await open(join(directory, 'f'), 'w');
  await file.truncate(content.length);
  await file.close();
  const asked: number[] = [];
  const verified: Piece[] = [];
  let bytes = 0;
  let discarded = 0;
  const outcome = await fetchPieces({
    pieces: [whole],
    directory,
    read: (piece, signal) => {
      asked.push(piece.start);
      return read(piece, signal);
    },
    isTransient: (error) => error instanceof SkulkError && error.code === 'STORE_UNREACHABLE',
    connections: 4,
    limiter: unlimited,
    policy: { attempts: 3, firstDelayMs: 1, maxDelayMs: 2 },
    signal: new AbortController().signal,
    onVerified: async (piece) => void verified.push(piece),
    onBytes: (count) => {
      bytes += count;
    },
    onDiscarded: (count) => {
      discarded += count;
    },
    ...more,
  }).then(
    () => 'done' as const,
    (error: unknown) => error,
  );
  return { outcome, asked, verified, bytes, discarded, content: await readFile(join(directory, 'f')) };
}

test('connections that never last for a whole piece still deliver it, and no byte is sent twice', async () => {
  const step = 300 * 1024;
  const fetched = await fetchInto(async function* ({ start, end }) {
    yield content.subarray(start, Math.min(end, start + step));
    if (start + step < end) throw broken();
  });
  expect(fetched.outcome).toBe('done');
  expect(fetched.content.equals(content)).toBe(true);
  expect(fetched.asked).toEqual(Array.from({ length: Math.ceil(content.length / step) }, (_, index) => index * step));
  expect([fetched.bytes, fetched.discarded]).toEqual([content.length, 0]);
});

test('connections without data are given up after the attempts in the policy', async () => {
  const fetched = await fetchInto(async function* () {
    yield Buffer.alloc(0);
    throw broken();
  });
  expect(fetched.outcome).toMatchObject({ code: 'STORE_UNREACHABLE' });
  expect(fetched.asked).toEqual([0, 0, 0]);
  expect(fetched.verified).toEqual([]);
});

test('wrong bytes are fetched again from the start of the piece', async () => {
  let times = 0;
  const fetched = await fetchInto(async function* ({ start, end }) {
    times += 1;
    const bytes = Buffer.from(content.subarray(start, end));
    if (times <= 2) bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    yield bytes;
  });
  expect(fetched.outcome).toBe('done');
  expect(fetched.asked).toEqual([0, 0, 0]);
  expect(fetched.discarded).toBe(2 * content.length);
  expect(fetched.content.equals(content)).toBe(true);
});

test('repeated wrong bytes, too many bytes and too few bytes end the transfer', async () => {
  const sources: FetchPlan['read'][] = [
    async function* () {
      yield Buffer.alloc(content.length);
    },
    async function* ({ start, end }) {
      yield content.subarray(start, end);
      yield Buffer.alloc(1);
    },
    async function* ({ start, end }) {
      yield content.subarray(start, end - 1);
    },
  ];
  for (const source of sources) {
    const { outcome, verified, asked } = await fetchInto(source);
    expect(outcome).toMatchObject({ code: 'INTEGRITY' });
    expect([verified.length, asked.length]).toEqual([0, 3]);
  }
});

test('a failure of one connection stops the others, and an abort has its reason', async () => {
  const halves = [
    { ...whole, end: 10, sha256: sha256('never') },
    { ...whole, start: 10 },
  ];
  const hang = (signal: AbortSignal) =>
    new Promise<never>((_, reject) =>
      signal.aborted ? reject(signal.reason) : signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
    );
  const { outcome } = await fetchInto(
    async function* ({ start }, signal) {
      if (start === 0) throw new SkulkError('MODEL_NOT_FOUND', 'gone');
      await hang(signal);
      yield Buffer.alloc(0);
    },
    { pieces: halves },
  );
  expect(outcome).toMatchObject({ code: 'MODEL_NOT_FOUND' });
  const stop = new AbortController();
  const aborted = await fetchInto(
    async function* (_, signal) {
      stop.abort(new SkulkError('INTERRUPTED', 'interrupted'));
      await hang(signal);
      yield Buffer.alloc(0);
    },
    { signal: stop.signal },
  );
  expect(aborted.outcome).toMatchObject({ code: 'INTERRUPTED' });
});
