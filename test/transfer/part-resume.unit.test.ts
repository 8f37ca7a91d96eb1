import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RelativePath } from '../../src/core/kernel/files/relative-path.ts';
import type { Sha256 } from '../../src/core/kernel/sha256.ts';
import { fetchPieces } from '../../src/core/transfer/fetch-pieces.ts';
import { openJournal, readJournal, readParts } from '../../src/core/transfer/part-journal.ts';
import { pieceKey } from '../../src/core/transfer/pieces.ts';
import { unlimited } from '../../src/core/transfer/rate-limiter.ts';
import { noise } from '../helpers/model-files.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const size = 5 * 1024 * 1024 + 3;
const content = noise(size, 1);
const piece = {
  path: 'a,1].bin' as RelativePath,
  start: 0,
  end: size,
  sha256: createHash('sha256').update(content).digest('hex') as Sha256,
  fileSha256: '' as Sha256,
};

async function resume(here: Buffer, part: number) {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, piece.path), here);
  const asked: number[] = [];
  const parts: number[] = [];
  let resumed = 0;
  await fetchPieces({
    pieces: [piece],
    directory,
    read: async function* ({ start, end }) {
      asked.push(start);
      for (let at = start; at < end; at += 300_000) yield content.subarray(at, Math.min(end, at + 300_000));
    },
    isTransient: () => false,
    connections: 1,
    limiter: unlimited,
    policy: { attempts: 1, firstDelayMs: 1, maxDelayMs: 1 },
    signal: new AbortController().signal,
    onVerified: async () => {},
    partOf: () => part,
    onPart: async (_, bytes) => void parts.push(bytes),
    onResumed: (bytes) => {
      resumed += bytes;
    },
    onBytes: () => {},
    onDiscarded: () => {},
  });
  expect((await readFile(join(directory, piece.path))).equals(content)).toBe(true);
  return { asked, parts, resumed };
}

test('a piece with a received part resumes after it', async () => {
  const here = Buffer.alloc(size);
  content.copy(here, 0, 0, 2_000_000);
  const { asked, parts, resumed } = await resume(here, 2_000_000);
  expect(asked).toEqual([2_000_000]);
  expect(resumed).toBe(2_000_000);
  expect(parts.every((bytes, index) => bytes > (parts[index - 1] ?? 2_000_000))).toBe(true);
});

test('a wrong part is detected at the end, and the whole piece is fetched again', async () => {
  expect((await resume(Buffer.alloc(size), 2_000_000)).asked).toEqual([2_000_000, 0]);
});

test.each([size, size + 1, 10 ** 12])('a part of %i bytes is invalid', async (part) => {
  expect((await resume(Buffer.alloc(size), part)).asked).toEqual([0]);
});

test('a file that is shorter than its part is fetched from its end', async () => {
  expect((await resume(content.subarray(0, 700_000), 2_000_000)).asked).toEqual([700_000]);
});

test('the journal distinguishes parts and whole pieces for any file name', async () => {
  const path = join(await temporaryDirectory(), 'journal');
  {
    await using journal = await openJournal(path);
    await journal.addPart(piece, 1_000_000);
    await journal.addPart(piece, 2_000_000);
    await journal.add({ ...piece, start: 16_777_216 });
  }
  const lines = await readJournal(path);
  expect([...readParts(lines)]).toEqual([[pieceKey(piece), 2_000_000]]);
  expect(lines.has(pieceKey({ ...piece, start: 16_777_216 }))).toBe(true);
  expect(lines.has(pieceKey(piece))).toBe(false);
});
