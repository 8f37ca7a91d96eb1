import { expect, test } from 'vitest';
import { HubRefusal, hubRefusals } from '../../src/core/endpoint/contract.ts';
import { etagOf, gitBlobId, lfsFile, pointerText, wouldBeLfs } from '../../src/core/endpoint/view/file-identity.ts';
import type { RelativePath } from '../../src/core/kernel/files/relative-path.ts';
import type { Sha256 } from '../../src/core/kernel/sha256.ts';

const sha256 = 'ab'.repeat(32) as Sha256;

test.each([
  ['config.json', 700, false],
  ['tokenizer.json', 10 * 1024 * 1024 - 1, false],
  ['tokenizer.json', 10 * 1024 * 1024, true],
  ['a/MODEL.GGUF', 0, true],
  ['model.safetensors', 12, true],
  ['pytorch_model.bin', 12, true],
  ['gguf', 12, false],
  ['x.gguf.txt', 12, false],
])('%s with %i bytes is stored in LFS: %s', (path, size, expected) => {
  expect(wouldBeLfs({ path, size })).toBe(expected);
});

test('the git id of a content is the id that git computes', () => {
  // As computed by `git hash-object`.
  expect(gitBlobId('hello\n')).toBe('ce013625030ba8dba906f756967f9e9ca394464a');
  expect(gitBlobId('')).toBe('e69de29bb2d1d6434b8b29ae775ad8c2e48c5391');
  expect(gitBlobId('é')).toBe(gitBlobId(new TextEncoder().encode('é')));
});

test('an LFS file is identified by its sha256, and its pointer by its git id', () => {
  const file = lfsFile({ path: 'x.gguf' as RelativePath, size: 5, sha256 }, { isHeld: true });
  expect(pointerText({ sha256, size: 5 })).toBe(`version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize 5\n`);
  expect(file).toEqual({
    path: 'x.gguf',
    size: 5,
    isHeld: true,
    oid: gitBlobId(pointerText({ sha256, size: 5 })),
    lfs: { sha256, pointerSize: 126 },
    sha256,
  });
  expect(etagOf(file)).toBe(sha256);
  expect(etagOf({ oid: 'f'.repeat(40) })).toBe('f'.repeat(40));
});

test('a refusal has its kind, and for a missing path the commit', () => {
  const refusal = new HubRefusal('entryNotFound', 'there is none', { commit: 'c'.repeat(40) });
  expect(refusal).toMatchObject({ kind: 'entryNotFound', message: 'there is none', commit: 'c'.repeat(40) });
  expect(hubRefusals[refusal.kind]).toEqual({ status: 404, code: 'EntryNotFound' });
});
