import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { chunkSize } from '../../src/core/kernel/chunk-size.ts';
import type { RelativePath } from '../../src/core/kernel/files/relative-path.ts';
import type { Sha256 } from '../../src/core/kernel/sha256.ts';
import { openJournal, readJournal } from '../../src/core/transfer/part-journal.ts';
import { pieceAt, pieceKey, splitIntoPieces } from '../../src/core/transfer/pieces.ts';
import { sha256 } from '../helpers/directory-store.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const file = (path: string, size: number, chunks?: readonly string[]) => ({
  path: path as RelativePath,
  size,
  sha256: sha256(path),
  ...(chunks !== undefined && { chunks: chunks.map((text) => sha256(text)) }),
});

describe('the function splitIntoPieces', () => {
  test('gives one piece with the digest of the file without chunks, also for an empty file', () => {
    for (const size of [0, 1, chunkSize]) {
      expect(splitIntoPieces(file('a', size))).toEqual([{ path: 'a', start: 0, end: size, sha256: sha256('a'), fileSha256: sha256('a') }]);
    }
  });

  test('gives chunks without gaps, and the last one ends with the file', () => {
    const size = 2 * chunkSize + 5;
    const pieces = splitIntoPieces(file('a', size, ['x', 'y', 'z']));
    expect(pieces.map(({ start, end }) => [start, end])).toEqual([
      [0, chunkSize],
      [chunkSize, 2 * chunkSize],
      [2 * chunkSize, size],
    ]);
    expect(pieces.map((piece) => piece.sha256)).toEqual(['x', 'y', 'z'].map((text) => sha256(text)));
  });
});

describe('the journal of received pieces', () => {
  const piece = (path: string, start: number) => ({
    path: path as RelativePath,
    start,
    end: start + 1,
    sha256: sha256(path) as Sha256,
    fileSha256: sha256(path),
  });
  const pieces = [piece('a', 0), piece('new\nline "quoted"', 7), piece('a', 1)];

  test('returns its entries, also with unusual names', async () => {
    const path = join(await temporaryDirectory(), 'journal');
    {
      await using journal = await openJournal(path);
      for (const one of pieces) await journal.add(one);
    }
    const keys = await readJournal(path);
    expect(pieces.every((one) => keys.has(pieceKey(one)))).toBe(true);
    expect(keys.has(pieceKey({ ...piece('a', 0), sha256: sha256('other') }))).toBe(false);
  });

  test('ignores an incomplete last line, which does not affect the next one', async () => {
    const path = join(await temporaryDirectory(), 'journal');
    {
      await using journal = await openJournal(path);
      for (const one of pieces) await journal.add(one);
    }
    const whole = await readFile(path);
    for (const cut of [1, 2, 20]) {
      await writeFile(path, whole.subarray(0, whole.length - cut));
      expect((await readJournal(path)).has(pieceKey(piece('a', 1)))).toBe(false);
      await using journal = await openJournal(path);
      await journal.add(piece('b', 3));
      const keys = await readJournal(path);
      expect([pieceKey(piece('a', 0)), pieceKey(piece('b', 3))].every((key) => keys.has(key))).toBe(true);
    }
  });

  test('is empty for a missing file, for garbage and for a directory', async () => {
    const path = join(await temporaryDirectory(), 'journal');
    expect((await readJournal(path)).size).toBe(0);
    await mkdir(path);
    expect((await readJournal(path)).size).toBe(0);
    await using journal = await openJournal(path);
    await appendFile(path, Buffer.alloc(4096, 0xff));
    await journal.add(piece('a', 0));
    expect((await readJournal(path)).has(pieceKey(piece('a', 0)))).toBe(false);
    await journal.add(piece('a', 1));
    expect((await readJournal(path)).has(pieceKey(piece('a', 1)))).toBe(true);
  });
});

test('a piece is found only by its offset', () => {
  const path = 'a.bin' as RelativePath;
  const chunks = ['1', '2', '3'].map((digit) => digit.repeat(64) as Sha256);
  const large = { path, size: 2 * chunkSize + 7, sha256: '0'.repeat(64) as Sha256, chunks };
  for (const piece of splitIntoPieces(large)) expect(pieceAt(large, piece.start)).toEqual(piece);
  for (const start of [1, -chunkSize, 3 * chunkSize, 0.5, Number.NaN]) expect(pieceAt(large, start)).toBeUndefined();
  const small = { path, size: 5, sha256: '4'.repeat(64) as Sha256 };
  expect(pieceAt(small, 0)).toEqual(splitIntoPieces(small)[0]);
  expect(pieceAt(small, 1)).toBeUndefined();
});
