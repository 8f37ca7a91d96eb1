import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RelativePath } from '../../src/core/kernel/files/relative-path.ts';
import { fetchFiles } from '../../src/core/transfer/fetch-files.ts';
import type { PromisedFile } from '../../src/core/transfer/promised-file.ts';
import { unlimited } from '../../src/core/transfer/rate-limiter.ts';
import { noise, sha256 } from '../helpers/model-files.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const mib = 1024 * 1024;

/** Fetches one file from memory. @param turn awaited before a part that begins there is sent */
async function fetchOne(size: number, { connections, turn }: { connections: number; turn?: (start: number) => Promise<void> }) {
  const content = noise(size, 9);
  const file: PromisedFile = { path: 'weights.bin' as RelativePath, size, id: { kind: 'sha256', value: sha256(content) } };
  const home = await temporaryDirectory();
  const directory = join(home, 'files');
  const fetched = await fetchFiles({
    files: [file],
    directory,
    journal: join(home, 'journal'),
    read: async function* (_file, { start, end }) {
      await turn?.(start);
      for (let at = start; at < end; at += 64 * 1024) yield content.subarray(at, Math.min(end, at + 64 * 1024));
    },
    reuse: () => undefined,
    isTransient: () => false,
    connections,
    limiter: unlimited,
    policy: { attempts: 1, firstDelayMs: 0, maxDelayMs: 0 },
    signal: new AbortController().signal,
    onBytes: () => undefined,
  });
  expect((await readFile(join(directory, file.path))).equals(content)).toBe(true);
  expect(fetched.files[0]?.sha256).toBe(sha256(content));
  return fetched;
}

test('a file that arrives in order is checked as a whole without reading it back', async () => {
  const { bytesReadBack, files } = await fetchOne(33 * mib, { connections: 1 });
  expect(bytesReadBack).toBe(0);
  expect(files[0]?.chunks).toHaveLength(3);
});

test('only the early parts of a file that arrives over two connections are read back', async () => {
  const second = Promise.withResolvers<void>();
  const { bytesReadBack } = await fetchOne(32 * mib, {
    connections: 2,
    // The first piece is sent while the second one is in transfer, which can end before or after it.
    turn: async (start) => (start === 0 ? second.promise : second.resolve()),
  });
  expect(bytesReadBack).toBeLessThanOrEqual(16 * mib);
});

test('the bytes of a file whose content is wrong twice are reported as lost, and those of another file are not', async () => {
  const home = await temporaryDirectory();
  const [good, bad] = [noise(1000, 1), noise(3000, 2)];
  const fileOf = (path: string, content: Buffer, promised: Buffer): PromisedFile => ({
    path: path as RelativePath,
    size: content.length,
    id: { kind: 'sha256', value: sha256(promised) },
  });
  const kept: number[] = [];
  const fetching = fetchFiles({
    files: [fileOf('good.bin', good, good), fileOf('bad.bin', bad, noise(3000, 3))],
    directory: join(home, 'files'),
    journal: join(home, 'journal'),
    read: async function* ({ path }, { start, end }) {
      yield (path === 'good.bin' ? good : bad).subarray(start, end);
    },
    reuse: () => undefined,
    isTransient: () => false,
    connections: 1,
    limiter: unlimited,
    policy: { attempts: 1, firstDelayMs: 0, maxDelayMs: 0 },
    signal: new AbortController().signal,
    onBytes: (done, _total, _atHand, lost) => kept.push(done - lost),
  });
  await expect(fetching).rejects.toMatchObject({ code: 'INTEGRITY' });
  expect(Math.max(...kept)).toBe(4000);
  expect(kept.at(-1)).toBe(1000);
});
