import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createPartialFile } from '../../../src/core/endpoint/cold/files/partial-file.ts';
import { SkulkError } from '../../../src/core/kernel/errors.ts';
import { createByteRanges } from '../../../src/core/transfer/arrival/byte-ranges.ts';
import { noise, sha256 } from '../../helpers/model-files.ts';
import { temporaryDirectory } from '../../helpers/temp-directory.ts';

const mib = 1024 * 1024;
const { signal } = new AbortController();
const size = 4 * mib + 7;
const content = noise(size, 11);

/** A partial file, as a process opens it. `asked` has the bytes for which it asks for room. */
async function opened(directory: string, promised = sha256(content)) {
  const asked: number[] = [];
  const partial = createPartialFile({
    directory,
    id: { kind: 'sha256', value: promised },
    size,
    name: 'model.safetensors',
    signal,
    requireRoom: async (bytes) => void asked.push(bytes),
  });
  const file = await partial.open();
  const present = createByteRanges();
  for (const { start, end } of file.present) present.add(start, end);
  return {
    partial,
    file,
    asked,
    put: async (start: number, end: number): Promise<void> => {
      for (let at = start; at < end; at += 300_000) {
        const part = content.subarray(at, Math.min(end, at + 300_000));
        await file.disk.write(part, at);
        present.add(at, at + part.length);
        await partial.written(part, at, present);
      }
    },
  };
}

test('a file that arrives in order is checked without reading it back, and its blocks are recorded', async () => {
  const directory = await temporaryDirectory();
  const { partial, file, put } = await opened(directory);
  await put(0, size);
  expect(await partial.verify(signal)).toMatchObject({ size, sha256: sha256(content) });
  expect(partial.bytesReadBack()).toBe(0);
  await file[Symbol.asyncDispose]();
  const again = await opened(directory);
  expect(again.file.present.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(size);
  await again.file[Symbol.asyncDispose]();
});

test('a process continues the fetch of another one, and the whole file is correct', async () => {
  const directory = await temporaryDirectory();
  const first = await opened(directory);
  await first.put(0, 2 * mib);
  await first.file[Symbol.asyncDispose]();
  const { partial, file, put } = await opened(directory);
  const left = file.present.reduce((sum, { start, end }) => sum + end - start, 0);
  await put(left, size);
  expect(await partial.verify(signal)).toMatchObject({ sha256: sha256(content) });
  await file[Symbol.asyncDispose]();
});

test('a file of which parts arrived twice is read back as a whole, and wrong bytes on the disk are found', async () => {
  const { partial, file, put } = await opened(await temporaryDirectory());
  await put(0, size);
  await file.disk.write(Buffer.from('other'), 100);
  await partial.written(Buffer.from('other'), 100, createByteRanges());
  await expect(partial.verify(signal)).rejects.toMatchObject({ code: 'INTEGRITY' });
  expect(partial.bytesReadBack()).toBeGreaterThanOrEqual(size);
  await file[Symbol.asyncDispose]();
});

test('wrong content is found without reading it back', async () => {
  const { partial, file, put } = await opened(await temporaryDirectory(), sha256('another content'));
  await put(0, size);
  await expect(partial.verify(signal)).rejects.toMatchObject({ code: 'INTEGRITY' });
  expect(partial.bytesReadBack()).toBe(0);
  await file[Symbol.asyncDispose]();
});

test('a file that disappears while it is checked does not count as correct', async () => {
  const directory = await temporaryDirectory();
  const { partial, file, put } = await opened(directory);
  await put(mib, size);
  await rm(join(directory), { recursive: true });
  await put(0, mib);
  await expect(partial.verify(signal)).rejects.toThrow();
  await file[Symbol.asyncDispose]();
});

test('room is asked for what is missing, before anything is created', async () => {
  const directory = await temporaryDirectory();
  const first = await opened(directory);
  expect(first.asked).toEqual([size]);
  await first.put(0, 2 * mib);
  await first.file[Symbol.asyncDispose]();
  const second = await opened(directory);
  const here = second.file.present.reduce((sum, { start, end }) => sum + end - start, 0);
  expect(here).toBeGreaterThan(0);
  expect(second.asked).toEqual([size - here]);
  await second.file[Symbol.asyncDispose]();
  const none = await temporaryDirectory();
  const full = createPartialFile({
    directory: none,
    id: { kind: 'sha256', value: sha256(content) },
    size,
    name: 'model.safetensors',
    signal,
    requireRoom: async () => Promise.reject(new SkulkError('NO_SPACE', 'no room')),
  });
  await expect(full.open()).rejects.toMatchObject({ code: 'NO_SPACE' });
  expect(await readdir(none)).toEqual([]);
});
