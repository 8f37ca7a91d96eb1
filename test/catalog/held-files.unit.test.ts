import { expect, test } from 'vitest';
import { holdingOf } from '../../src/core/catalog/held-files.ts';
import type { UpstreamFile } from '../../src/core/catalog/upstream.ts';
import type { ManifestFile } from '../../src/core/protocol/manifest.ts';

const [here, other] = ['a'.repeat(64), 'b'.repeat(64)];
const listed = (file: object): UpstreamFile => ({ path: 'm-Q4_0.gguf', size: 9, ...file }) as UpstreamFile;
const stored = (file: object): ManifestFile => ({ path: 'm-Q4_0.gguf', size: 9, sha256: here, ...file }) as ManifestFile;

test.each<readonly [string, UpstreamFile, ManifestFile | undefined, 'same' | 'older' | 'none']>([
  ['the same digest', listed({ sha256: here }), stored({}), 'same'],
  ['another digest with the same size', listed({ sha256: other }), stored({}), 'older'],
  ['another size', listed({ size: 10, sha256: here }), stored({}), 'older'],
  ['the same id of git', listed({ oid: 'c'.repeat(40) }), stored({ hub_id: 'c'.repeat(40) }), 'same'],
  ['another id of git', listed({ oid: 'c'.repeat(40) }), stored({ hub_id: 'd'.repeat(40) }), 'older'],
  ['no file of that path', listed({ sha256: here }), undefined, 'none'],
])('a store with %s has the quantization: %#', (_, file, own, expected) => {
  const held = new Map(own === undefined ? [] : [[own.path as string, own]]);
  expect(holdingOf({ files: [file], ggufFile: file.path, cut: 'none' } as unknown as Parameters<typeof holdingOf>[0], held)).toBe(expected);
});
