import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createArrivalHash } from '../../src/core/transfer/arrival/arrival-hash.ts';
import { noise } from '../helpers/model-files.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';

const mib = 1024 * 1024;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A file that arrives as the test defines, in parts at any offsets. */
async function arriving(size: number) {
  const content = noise(size, 5);
  const path = join(await temporaryDirectory(), 'file');
  const handle = await open(path, 'w+');
  await handle.truncate(size);
  const blocks = new Map<number, string>();
  const hash = createArrivalHash({ size, path: () => path, withGitId: true, onBlock: (start, digest) => void blocks.set(start, digest) });
  const put = async (start: number, end: number): Promise<void> => {
    for (let at = start; at < end; at += 100_000) {
      // The buffer is reused, like that of a reader.
      const part = Buffer.from(content.subarray(at, Math.min(end, at + 100_000)));
      await handle.write(part, 0, part.length, at);
      const behind = hash.arrived(part, at);
      part.fill(0);
      await behind;
    }
  };
  const whole = {
    size,
    sha256: sha256(content),
    gitId: createHash('sha1').update(`blob ${size}\0`).update(content).digest('hex'),
    ...(size > 16 * mib && { chunks: [sha256(content.subarray(0, 16 * mib)), sha256(content.subarray(16 * mib))] }),
  };
  return { content, path, handle, hash, blocks, put, whole };
}

test('a file that arrives in order is hashed without reading it back', async () => {
  const { content, hash, blocks, put, whole, handle } = await arriving(17 * mib + 5);
  await put(0, 17 * mib + 5);
  expect(await hash.finish()).toEqual(whole);
  expect(hash.bytesReadBack()).toBe(0);
  expect(blocks.size).toBe(18);
  expect(blocks.get(16 * mib)).toBe(sha256(content.subarray(16 * mib, 17 * mib)));
  expect(blocks.get(17 * mib)).toBe(sha256(content.subarray(17 * mib)));
  await handle.close();
});

test('only parts that arrived out of order are read back', async () => {
  const { hash, put, whole, handle } = await arriving(8 * mib);
  await put(5 * mib, 8 * mib);
  expect(hash.front()).toBe(0);
  await put(0, 5 * mib);
  expect(await hash.finish()).toEqual(whole);
  expect(hash.bytesReadBack()).toBe(3 * mib);
  await handle.close();
});

test('data of an earlier process is read back while the rest arrives', async () => {
  const { hash, put, whole, content, handle } = await arriving(20 * mib);
  await handle.write(content, 0, 18 * mib, 0);
  hash.found(0, 18 * mib);
  await until('what was there', () => hash.front() === 18 * mib);
  await put(18 * mib, 20 * mib);
  expect(await hash.finish()).toEqual(whole);
  // Data that arrives meanwhile waits on the disk, not in memory.
  expect(hash.bytesReadBack()).toBeGreaterThanOrEqual(18 * mib);
  await handle.close();
});

test('a file with a missing byte, or a byte that was written twice, is read as a whole', async () => {
  const { hash, put, handle } = await arriving(2 * mib);
  await put(0, mib);
  await put(mib - 1, 2 * mib);
  expect(await hash.finish()).toBeUndefined();
  const other = await arriving(2 * mib);
  await other.put(0, mib);
  expect(await other.hash.finish()).toBeUndefined();
  await Promise.all([handle.close(), other.handle.close()]);
});

test('a file that disappeared before a part was read back is read as a whole', async () => {
  const { hash, put, path, handle } = await arriving(2 * mib);
  await put(mib, 2 * mib);
  await rm(path);
  await put(0, mib);
  expect(await hash.finish()).toBeUndefined();
  await handle.close();
});

test('an empty file has a digest, and an unfinished one has no digest', async () => {
  const { hash, whole, handle } = await arriving(0);
  expect(await hash.finish()).toEqual(whole);
  const other = await arriving(10);
  other.hash[Symbol.dispose]();
  expect(await other.hash.finish()).toBeUndefined();
  await Promise.all([handle.close(), other.handle.close()]);
});
