import { expect, test } from 'vitest';
import { makeManifest } from '../../src/core/catalog/manifest.ts';
import { chunkSize } from '../../src/core/kernel/chunk-size.ts';
import type { RelativePath } from '../../src/core/kernel/files/relative-path.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import type { Manifest } from '../../src/core/protocol/manifest.ts';
import { planStage } from '../../src/core/staging/plan-stage.ts';
import { pieceKey, splitIntoPieces } from '../../src/core/transfer/pieces.ts';
import { sha256 } from '../helpers/directory-store.ts';

/** A manifest of files named by their content: a text, or one text for each chunk. */
const manifestOf = (files: Record<string, string | readonly string[]>): Manifest =>
  makeManifest(
    parseModelId('org/m'),
    Object.entries(files).map(([path, content]) => ({
      path: path as RelativePath,
      size: typeof content === 'string' ? content.length : content.length * chunkSize,
      sha256: sha256(String(content)),
      ...(typeof content !== 'string' && { chunks: content.map((text) => sha256(text)) }),
    })),
    { source: 'add', createdAt: new Date(0) },
  );
const none = { journal: new Set<string>() };
const copy = (manifest: Manifest, changed: readonly string[] = []) => ({ manifest, changed: new Set(changed) });

/** The action for each file, and its number of pieces. */
const summary = (plan: ReturnType<typeof planStage>) =>
  Object.fromEntries(
    plan.files.map((source) => [
      source.file.path,
      source.action === 'reuse' ? `reuse ${source.from}` : `${source.fetch.length} ${source.resumed.length} ${source.copied.length}`,
    ]),
  );

test('a plan without a local copy fetches everything', () => {
  const plan = planStage(manifestOf({ a: 'abc', big: ['x', 'y'] }), none);
  expect(summary(plan)).toEqual({ a: '1 0 0', big: '2 0 0' });
  expect([plan.bytesTotal, plan.bytesToFetch, plan.bytesToReuse]).toEqual([3 + 2 * chunkSize, 3 + 2 * chunkSize, 0]);
});

test('files with the same content are reused from any path', () => {
  const plan = planStage(manifestOf({ a: 'abc', moved: 'xyz', new: 'n' }), {
    ...none,
    copy: copy(manifestOf({ a: 'abc', b: 'xyz', gone: 'g' })),
  });
  expect(summary(plan)).toEqual({ a: 'reuse a', moved: 'reuse b', new: '1 0 0' });
  expect(plan.bytesToFetch).toBe(1);
});

test('a plan for a big file fetches only the chunks that changed', () => {
  const plan = planStage(manifestOf({ big: ['x', 'NEW', 'z', 'more'] }), { ...none, copy: copy(manifestOf({ big: ['x', 'y', 'z'] })) });
  expect(summary(plan)).toEqual({ big: '2 0 2' });
  expect(plan.bytesToFetch).toBe(2 * chunkSize);
});

test('a changed file is not reused, but its pieces may still be right', () => {
  const manifest = manifestOf({ a: 'abc', big: ['x', 'y'] });
  expect(summary(planStage(manifest, { ...none, copy: copy(manifest, ['a', 'big']) }))).toEqual({ a: '0 0 1', big: '0 0 2' });
});

test('a plan checks chunks in the journal only if they have the same content at the same offset', () => {
  const manifest = manifestOf({ a: 'abc', big: ['x', 'y'] });
  const journal = new Set(splitIntoPieces(manifestOf({ big: ['x', 'OLD'], a: 'xyz' }).files[1] ?? expect.fail()).map(pieceKey));
  const plan = planStage(manifest, { journal });
  expect(summary(plan)).toEqual({ a: '1 0 0', big: '1 1 0' });
});
