import { expect, test } from 'vitest';
import { groupsOf } from '../../src/core/catalog/manifest.ts';
import { kindsOfFiles } from '../../src/core/catalog/selection/file-kind.ts';
import { withSideKinds } from '../../src/core/catalog/side-kinds.ts';
import type { RelativePath } from '../../src/core/kernel/files/relative-path.ts';
import type { Sha256 } from '../../src/core/kernel/sha256.ts';
import type { ManifestFile } from '../../src/core/protocol/manifest.ts';

const file = (path: string): ManifestFile => ({ path: path as RelativePath, size: 1, sha256: 'a'.repeat(64) as Sha256 });
const listing = (...paths: readonly string[]) => paths.map((path) => ({ path }));

test.each(['m-mtp-Q8_0.gguf', 'drafts/m-Q8_0.gguf', 'm-lora-Q8_0.gguf', 'm-vocab.gguf'])(
  '%s alone in a store is never the weights if its repo has weights',
  (path) => {
    const [marked] = withSideKinds([file(path)], listing(path, 'm-Q8_0.gguf', 'config.json'));
    expect(marked?.gguf_kind).toBeDefined();
    expect(kindsOfFiles([marked as { path: string }]).get(path)).toBe(marked?.gguf_kind);
    expect(groupsOf([marked as ReturnType<typeof file>])).toEqual([]);
  },
);

test('a repo that has only such files keeps them as its weights', () => {
  const path = 'RWKV-Eagle-7B-Q8_0.gguf';
  const [kept] = withSideKinds([file(path)], listing(path, 'RWKV-Eagle-7B-Q4_K_M.gguf', 'README.md'));
  expect(kept).toEqual(file(path));
  expect(groupsOf([file(path)]).map(({ selector }) => selector)).toEqual(['Q8_0']);
});

test('the mark of an earlier listing goes if the repo has no weights any more, and a kind by content stays', () => {
  const draft = { ...file('m-mtp-Q8_0.gguf'), gguf_kind: 'draft' as const };
  expect(withSideKinds([draft], listing('m-mtp-Q8_0.gguf'))).toEqual([file('m-mtp-Q8_0.gguf')]);
  const projector = { ...file('vision-F16.gguf'), gguf_kind: 'projector' as const };
  expect(withSideKinds([projector, draft], listing('vision-F16.gguf', 'm-Q8_0.gguf', 'm-mtp-Q8_0.gguf'))).toEqual([projector, draft]);
});
