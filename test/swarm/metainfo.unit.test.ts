import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { makeManifest } from '../../src/core/catalog/manifest.ts';
import { parseRelativePath } from '../../src/core/kernel/files/relative-path.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import type { Sha256 } from '../../src/core/kernel/sha256.ts';
import { bencode } from '../../src/core/swarm/bencode.ts';
import { makeMetainfo, pieceLengthFor, readMetainfo, swarmFiles } from '../../src/core/swarm/metainfo.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const mebibyte = 1024 * 1024;
const { signal } = new AbortController();

async function makeModel(sizes: Readonly<Record<string, number>>) {
  const directory = await temporaryDirectory();
  const bytes: Record<string, Buffer> = {};
  for (const [path, size] of Object.entries(sizes)) {
    bytes[path] = randomBytes(size);
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), bytes[path]);
  }
  const files = Object.entries(bytes).map(([path, content]) => ({
    path: parseRelativePath(path),
    size: content.length,
    sha256: createHash('sha256').update(content).digest('hex') as Sha256,
  }));
  const manifest = makeManifest(parseModelId('org/a'), files, { source: 'add', createdAt: new Date(0) });
  return { directory, manifest, whole: Buffer.concat(manifest.files.map(({ path }) => bytes[path] ?? Buffer.alloc(0))) };
}

test.each([
  ['i-3e', -3],
  ['3:a\u00e9', 'a\u00e9'],
  ['l1:ai1ee', ['a', 1]],
  ['d1:ai1e1:bd1:cleee', { b: { c: [] }, a: 1 }],
] as const)('a value is encoded as %s', (text, value) => {
  expect(bencode(value).toString()).toBe(text);
});

test('pieces are longer for larger models', () => {
  const gibibyte = 1024 * mebibyte;
  expect([1, gibibyte, gibibyte + 1, 4 * gibibyte, 4 * gibibyte + 1, 64 * gibibyte, 64 * gibibyte + 1].map(pieceLengthFor)).toEqual(
    [0.25, 0.25, 1, 1, 4, 4, 16].map((factor) => factor * mebibyte),
  );
});

test('a description has the sha1 of every piece across all files, is private, and names nothing', async () => {
  // More pieces than one job hashes; borders of files inside pieces; an empty file.
  const { directory, manifest, whole } = await makeModel({
    'a é#.json': 3,
    'b/empty': 0,
    'b/weights 1.bin': 65 * mebibyte + 7,
    'c.bin': 2 * mebibyte,
  });
  const made = await makeMetainfo(manifest, directory, signal);
  const pieces: Buffer[] = [];
  const length = mebibyte / 4;
  for (let at = 0; at < whole.length; at += length)
    pieces.push(
      createHash('sha1')
        .update(whole.subarray(at, at + length))
        .digest(),
    );
  const files = [3, 65 * mebibyte + 7, 2 * mebibyte].map((length, index) => ({ length, path: [String(index)] }));
  const info = { files, name: manifest.digest, 'piece length': length, pieces: Buffer.concat(pieces), private: 1 };
  expect(made.torrent.equals(bencode({ info }))).toBe(true);
  expect(made.infoHash.equals(createHash('sha1').update(bencode(info)).digest())).toBe(true);
  expect(swarmFiles(manifest).map(({ path }) => path)).toEqual(['a é#.json', 'b/weights 1.bin', 'c.bin']);
});

test('a kept description is read back, and one of other content is not', async () => {
  const { directory, manifest } = await makeModel({ 'a.bin': 2 * mebibyte + 1 });
  const made = await makeMetainfo(manifest, directory, signal);
  expect(readMetainfo(manifest, made.torrent)).toEqual(made);
  const other = await makeModel({ 'a.bin': 2 * mebibyte + 1 });
  expect(readMetainfo(other.manifest, made.torrent)).toBeUndefined();
  for (const damaged of [Buffer.alloc(0), made.torrent.subarray(1), made.torrent.subarray(0, -1), Buffer.from('de')])
    expect(readMetainfo(manifest, damaged)).toBeUndefined();
});

test('a file that became shorter is not described', async () => {
  const { directory, manifest } = await makeModel({ 'a.bin': 2 * mebibyte });
  await writeFile(join(directory, 'a.bin'), 'short');
  await expect(makeMetainfo(manifest, directory, signal)).rejects.toThrow('ends at byte 5, before byte 2097152');
});
