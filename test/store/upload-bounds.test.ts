import { mkdir, mkdtemp, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, onTestFinished, vi } from 'vitest';
import { makeManifest } from '../../src/core/catalog/manifest.ts';
import { chunkSize } from '../../src/core/kernel/chunk-size.ts';
import type { ModelId } from '../../src/core/kernel/model-id.ts';
import { openDiskStore } from '../../src/core/store/disk-store.ts';
import { encodePieceTable, findPiece, readPieceTable } from '../../src/core/store/read/piece-table.ts';
import type { HostUploads } from '../../src/core/store/upload-contract.ts';
import {
  checkShare,
  idleUploads,
  type OpenUpload,
  planPlace,
  reservedBytes,
  uploadBounds,
} from '../../src/core/store/uploads/upload-bounds.ts';
import { createUploads } from '../../src/core/store/uploads/uploads.ts';
import { splitIntoPieces } from '../../src/core/transfer/pieces.ts';
import { noise, sha256 } from '../helpers/model-files.ts';
import { longTest, seededRandom, testSeed, usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { testWorld } from '../helpers/world.ts';

const minute = 60_000;
const open = (key: string, from: string, more: Partial<OpenUpload> = {}): OpenUpload => ({
  key,
  from,
  bytesLeft: 100,
  lastByteAt: 0,
  ...more,
});
const many = (count: number, from: string, more?: Partial<OpenUpload>): readonly OpenUpload[] =>
  Array.from({ length: count }, (_, index) => open(`${from}-${index}`, from, more));

usualTest('one sender has a limited number of open uploads, and its own idle one is replaced', () => {
  const full = many(uploadBounds.openPerSender, 'a', { lastByteAt: 10 * minute });
  expect(planPlace(full, 'b', 10 * minute)).toBeUndefined();
  expect(() => planPlace(full, 'a', 10 * minute)).toThrow(expect.objectContaining({ code: 'STORE_BUSY' }));
  expect(planPlace([...full.slice(1), open('quiet', 'a')], 'a', 10 * minute)).toBe('quiet');
});

usualTest('a new upload to a full store replaces an idle one of the sender with most uploads, and never an active one', () => {
  const now = 10 * minute;
  const senders = ['a', 'b', 'c', 'd'];
  const busy = senders.flatMap((from) => many(uploadBounds.open / senders.length, from, { lastByteAt: now }));
  expect(() => planPlace(busy, 'new', now)).toThrow(expect.objectContaining({ code: 'STORE_BUSY', retryAfterMs: expect.any(Number) }));
  const quiet = busy.map((upload) => (upload.key === 'c-3' ? { ...upload, lastByteAt: 0 } : upload));
  expect(planPlace(quiet, 'new', now)).toBe('c-3');
});

usualTest('an active upload reserves its missing bytes, and a sender with several gets only a part of the space', () => {
  const uploads = [open('1', 'a', { bytesLeft: 500, lastByteAt: 9 * minute }), open('2', 'b', { bytesLeft: 70 }), open('3', 'a')];
  expect(reservedBytes(uploads, 11 * minute)).toBe(500);
  expect(reservedBytes(uploads, 9 * minute)).toBe(670);
  expect(() => checkShare({ bytes: 400, room: 1000, from: 'a' }, uploads, 11 * minute)).toThrow(
    expect.objectContaining({ code: 'NO_SPACE' }),
  );
  expect(() => checkShare({ bytes: 300, room: 1000, from: 'a' }, uploads, 11 * minute)).not.toThrow();
  expect(() => checkShare({ bytes: 999, room: 1000, from: 'c' }, uploads, 11 * minute)).not.toThrow();
  expect(
    idleUploads(
      [open('new', 'a', { lastByteAt: 70 * minute }), open('old', 'a', { lastByteAt: minute }), open('older', 'b')],
      71 * minute,
    ).map(({ key }) => key),
  ).toEqual(['older', 'old']);
});

usualTest('a table of pieces matches the manifest', async () => {
  const directory = await temporaryDirectory();
  const random = seededRandom(testSeed);
  const digest = () => sha256(String(random()));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5 * chunkSize })), { maxLength: 12 }), async (sizes) => {
      const files = sizes.map((size, index) => ({
        path: `d${index % 3}/é ${index}.bin` as never,
        size,
        sha256: digest() as never,
        ...(size > chunkSize && { chunks: Array.from({ length: Math.ceil(size / chunkSize) }, digest) as never }),
      }));
      const path = join(await mkdtemp(join(directory, 'table-')), 'pieces.bin');
      const { bytes, pieces } = encodePieceTable(files);
      await writeFile(path, bytes);
      const table = await readPieceTable(path);
      const expected = files.flatMap((file, index) =>
        splitIntoPieces(file)
          .filter(({ end }) => end > 0)
          .map((piece) => ({ file: index, piece })),
      );
      expect([table.files, table.pieces, pieces]).toEqual([files.length, expected.length, expected.length]);
      expect(files.map((_, index) => table.file(index))).toEqual(files.map(({ path: name, size }) => ({ path: name, size })));
      for (const [number, { file, piece }] of expected.entries()) {
        expect(table.piece(number)).toMatchObject({ number, file, piece });
        expect(table.whereIs(number)).toEqual({ file, start: piece.start, size: piece.end - piece.start });
        expect(await findPiece(path, { file, start: piece.start })).toMatchObject({ number, file, piece, fileSize: files[file]?.size });
      }
      for (const which of [
        { file: files.length, start: 0 },
        { file: 0, start: 1 },
        { file: 0, start: 9 * chunkSize },
      ])
        expect(await findPiece(path, which)).toBeUndefined();
    }),
    { numRuns: 30, seed: testSeed },
  );
});

async function host({ now = () => new Date() }: { now?: () => Date } = {}) {
  const root = await temporaryDirectory();
  const world = testWorld(root, { now });
  const store = openDiskStore({ root, world, nodeId: undefined, cardsPath: undefined });
  const begin = (): HostUploads => createUploads(store, world);
  onTestFinished(() => store.close());
  return { root, world, store, begin, places: async () => (await readdir(join(root, '.skulk/v1/uploads')).catch(() => [])).toSorted() };
}

const { signal } = new AbortController();
const manifestOf = (modelId: string, contents: readonly Uint8Array[]) =>
  makeManifest(
    modelId as ModelId,
    contents.map((bytes, index) => ({ path: `f${index}` as never, size: bytes.length, sha256: sha256(bytes) as never })),
    { source: 'add', createdAt: new Date() },
  );
const announce = (uploads: HostUploads, manifest: object, address = '10.0.0.1') =>
  uploads.announce(Readable.from([Buffer.from(JSON.stringify(manifest))]), {
    modelId: (manifest as { model_id: ModelId }).model_id,
    sender: { address, who: null },
    force: false,
    signal,
  });

longTest('an upload is listed with its sender, survives a restart, resumes, and can be cancelled by either id', async () => {
  const { begin, places, store } = await host();
  const uploads = begin();
  const [a, b] = [noise(1000, 1), noise(2000, 2)];
  const manifest = manifestOf('org/up', [a, b]);
  const announced = await announce(uploads, manifest);
  const ref = { modelId: manifest.model_id, digest: manifest.digest, upload: announced.upload };
  await uploads.put(ref, { file: 0, start: 0 }, Readable.from([a]), signal);
  const row = { model_id: 'org/up', digest: manifest.digest, from: '10.0.0.1', who: null, files: 2, bytes_total: 3000, bytes_done: 1000 };
  const [listed] = await uploads.list();
  expect(listed).toMatchObject(row);
  expect(JSON.stringify(await uploads.list())).not.toContain(announced.upload);
  await uploads[Symbol.asyncDispose]();

  const again = begin();
  onTestFinished(() => again[Symbol.asyncDispose]());
  expect(await again.list()).toMatchObject([row]);
  await expect(again.put(ref, { file: 1, start: 0 }, Readable.from([b]), signal)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  const resumed = await announce(again, manifest);
  expect([resumed.missingCount, resumed.upload]).toEqual([1, announced.upload]);
  await expect(again.cancel(listed?.id ?? '', { mayCancelOthers: false })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(again.cancel('nobody', { mayCancelOthers: true })).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  await expect(again.cancel(announced.upload, { mayCancelOthers: false, of: 'another one' })).rejects.toMatchObject({ code: 'CONFLICT' });
  expect(await again.cancel(announced.upload, { mayCancelOthers: false, of: listed?.id })).toMatchObject(row);
  expect([await again.list(), await places()]).toEqual([[], []]);

  const other = await announce(again, manifest);
  for (const [file, bytes] of [a, b].entries())
    await again.put({ ...ref, upload: other.upload }, { file, start: 0 }, Readable.from([bytes]), signal);
  expect(await again.complete({ ...ref, upload: other.upload, force: false }, { signal })).toMatchObject({ outcome: 'added' });
  expect(await store.has('org/up' as ModelId)).toBe(true);
  expect([await again.list(), await places()]).toEqual([[], []]);
});

longTest('an upload with other chunks under the digest of a model does not block the upload of the real model', async () => {
  const { begin } = await host();
  const uploads = begin();
  onTestFinished(() => uploads[Symbol.asyncDispose]());
  const bytes = noise(chunkSize + 10, 3);
  const file = { path: 'a.bin', size: bytes.length, sha256: sha256(bytes) };
  const good = [bytes.subarray(0, chunkSize), bytes.subarray(chunkSize)].map(sha256);
  const make = (chunks: readonly string[]) =>
    makeManifest('org/m' as ModelId, [{ ...file, chunks } as never], { source: 'add', createdAt: new Date() });
  await announce(uploads, make(good.toReversed()), '10.0.0.66');
  const honest = make(good);
  const { upload } = await announce(uploads, honest);
  const ref = { modelId: honest.model_id, digest: honest.digest, upload };
  await uploads.put(ref, { file: 0, start: 0 }, Readable.from([bytes.subarray(0, chunkSize)]), signal);
  await uploads.put(ref, { file: 0, start: chunkSize }, Readable.from([bytes.subarray(chunkSize)]), signal);
  expect(await uploads.complete({ ...ref, force: false }, { signal })).toMatchObject({ outcome: 'added' });
});

usualTest('an upload without data for a week and the remains of a killed process are removed', async () => {
  const { root, begin, places } = await host();
  const first = begin();
  await announce(first, manifestOf('org/old', [noise(10, 1)]));
  await announce(first, manifestOf('org/new', [noise(10, 2)]));
  await first[Symbol.asyncDispose]();
  const directory = join(root, '.skulk/v1/uploads');
  const [old = ''] = (
    await Promise.all((await places()).map(async (name) => ({ name, text: await readFile(join(directory, name, 'upload.json'), 'utf8') })))
  )
    .filter(({ text }) => text.includes('org/old'))
    .map(({ name }) => name);
  const longAgo = new Date(Date.now() - 8 * 24 * 3600_000);
  await utimes(join(directory, old, 'upload.json'), longAgo, longAgo);
  for (const name of [`.draft-${'a'.repeat(16)}`, `.gone-${'b'.repeat(16)}`, 'org--recent.digest']) await mkdir(join(directory, name));
  const again = begin();
  await again[Symbol.asyncDispose]();
  expect(await again.list()).toMatchObject([{ model_id: 'org/new' }]);
  expect((await places()).filter((name) => name !== 'org--recent.digest')).toHaveLength(1);
});

longTest('an announcement of tens of megabytes is parsed in another thread', async () => {
  const { begin } = await host();
  const uploads = begin();
  onTestFinished(() => uploads[Symbol.asyncDispose]());
  const one = sha256('x');
  const files = Array.from({ length: 100_000 }, (_, index) => ({
    path: `some/directory/file-${String(index).padStart(6, '0')}.bin`,
    size: 1,
    sha256: one,
  }));
  const manifest = makeManifest('org/large' as ModelId, files as never, { source: 'add', createdAt: new Date() });
  const text = Buffer.from(JSON.stringify(manifest));
  // Parsing in this thread blocks all other work meanwhile.
  const parsed = vi.spyOn(JSON, 'parse');
  onTestFinished(() => void parsed.mockRestore());
  const parts = Array.from({ length: Math.ceil(text.length / 65_536) }, (_, index) => text.subarray(index * 65_536, (index + 1) * 65_536));
  const announced = await uploads.announce(Readable.from(parts), {
    modelId: manifest.model_id,
    sender: { address: '10.0.0.1', who: null },
    force: false,
    signal,
  });
  let missing = 0;
  for await (const part of announced.missing()) missing += part.length;
  expect(missing).toBe(100_000);
  const longest = Math.max(0, ...parsed.mock.calls.map(([part]) => part.length));
  expect(longest).toBeLessThan(text.length / 50);
});
