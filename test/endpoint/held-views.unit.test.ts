import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { makeManifest } from '../../src/core/catalog/manifest.ts';
import type { Upstream } from '../../src/core/catalog/upstream.ts';
import { gitBlobId, pointerText } from '../../src/core/endpoint/view/file-identity.ts';
import { contentCommit, mainOf, toTime, viewsOf } from '../../src/core/endpoint/view/held-views.ts';
import { findFile, listPaths, listTree } from '../../src/core/endpoint/view/tree.ts';
import type { RelativePath } from '../../src/core/kernel/files/relative-path.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import type { Sha256 } from '../../src/core/kernel/sha256.ts';
import type { ManifestFile } from '../../src/core/protocol/manifest.ts';

const id = parseModelId('org/m');
const hubCommit = 'c'.repeat(40);
const sha = (text: string): Sha256 => createHash('sha256').update(text).digest('hex') as Sha256;
const held = (path: string, text = path): ManifestFile => ({
  path: path as RelativePath,
  size: text.length,
  sha256: sha(text),
  hub_id: gitBlobId(text),
});
const listed = (path: string, text = path) => ({ path: path as RelativePath, size: text.length, oid: gitBlobId(text) });
const listedLfs = (path: string, text = path) => ({
  path: path as RelativePath,
  size: text.length,
  sha256: sha(text),
  oid: gitBlobId(pointerText({ sha256: sha(text), size: text.length })),
});
const manifest = (files: readonly ManifestFile[], { commit = null as string | null, revision = null as string | null } = {}) =>
  makeManifest(id, files, { source: commit === null ? 'add' : 'hub', commit, revision, createdAt: new Date('2026-01-02T03:04:05.678Z') });
const upstream = (...files: Upstream['files']): Upstream => ({ repo: id, commit: hubCommit, files });

describe('the commit of a model', () => {
  test('that was added by hand follows from its content, as documented', () => {
    const files = [held('b'), held('a')];
    const expected = createHash('sha1')
      .update(`skulk-commit\na\0${1}\0${sha('a')}\nb\0${1}\0${sha('b')}\n`)
      .digest('hex');
    const views = viewsOf({ manifest: manifest(files), upstream: undefined });
    expect(contentCommit(files)).toBe(expected);
    expect(views.own).toMatchObject({ commit: expected, isComplete: true, lastModified: '2026-01-02T03:04:05.678Z' });
    expect([mainOf(views, true), mainOf(views, false)]).toEqual([views.own, views.own]);
  });

  test('that is complete is the commit of the Hub', () => {
    const views = viewsOf({
      manifest: manifest([held('a'), held('w.gguf')], { commit: hubCommit }),
      upstream: upstream(listed('a'), listedLfs('w.gguf')),
    });
    for (const isOn of [true, false]) expect(mainOf(views, isOn)).toMatchObject({ commit: hubCommit, isComplete: true });
    expect(views.source?.files.map(({ isHeld }) => isHeld)).toEqual([true, true]);
  });

  test("that is partial is the Hub's commit with its full listing if upstream is on, otherwise a derived one with the existing files", () => {
    const model = { manifest: manifest([held('a')], { commit: hubCommit }), upstream: upstream(listed('a'), listedLfs('w.gguf')) };
    const views = viewsOf(model);
    const [on, off] = [mainOf(views, true), mainOf(views, false)];
    expect(on.commit).toBe(hubCommit);
    expect(on.files.map(({ path, isHeld }) => [path, isHeld])).toEqual([
      ['a', true],
      ['w.gguf', false],
    ]);
    expect(off.commit).toBe(contentCommit(model.manifest.files));
    expect(off.files.map(({ path }) => path)).toEqual(['a']);
  });

  test('without a recorded listing is never shown as complete', () => {
    const views = viewsOf({ manifest: manifest([held('a')], { commit: hubCommit, revision: 'v1' }), upstream: undefined });
    expect(mainOf(views, true)).toMatchObject({ commit: hubCommit, isComplete: false });
    expect(mainOf(views, false)).toMatchObject({ commit: views.own.commit, isComplete: true });
    expect(views.own.commit).not.toBe(hubCommit);
    expect(views.names).toEqual(['v1']);
  });

  test('with other content at a listed path is partial, and the file at that path counts as missing', () => {
    const model = {
      manifest: manifest([held('a', 'changed'), held('w.gguf')], { commit: hubCommit }),
      upstream: upstream(listed('a'), listedLfs('w.gguf', 'xyz')),
    };
    const { source, isWhole } = viewsOf(model);
    expect([isWhole, source?.files.map(({ isHeld }) => isHeld)]).toEqual([false, [false, false]]);
  });

  test('lists nothing that the Hub does not list', () => {
    const model = { manifest: manifest([held('a'), held('more')], { commit: hubCommit }), upstream: upstream(listed('a')) };
    const { source, own } = viewsOf(model);
    expect(source?.files.map(({ path }) => path)).toEqual(['a']);
    expect(own.files.map(({ path }) => path)).toEqual(['a', 'more']);
  });
});

describe('the ids of a file', () => {
  const viewOf = (files: readonly ManifestFile[], listing?: Upstream) =>
    viewsOf({ manifest: manifest(files, { commit: listing === undefined ? null : hubCommit }), upstream: listing });

  test('are those of its source, for any name and size', () => {
    const files = [held('plain.bin', 'x'), { ...held('README.md', 'y'), hub_id: sha('y') }];
    const { own, source } = viewOf(files, upstream(listed('plain.bin', 'x'), listedLfs('README.md', 'y')));
    for (const repo of [own, source]) {
      expect(repo?.byPath.get('plain.bin')).toEqual({ path: 'plain.bin', size: 1, oid: gitBlobId('x'), isHeld: true, sha256: sha('x') });
      expect(repo?.byPath.get('README.md')?.lfs).toEqual({
        sha256: sha('y'),
        pointerSize: pointerText({ sha256: sha('y'), size: 1 }).length,
      });
    }
  });

  test('without a source are those that the Hub would compute', () => {
    const { own } = viewOf([held('config.json', '{}'), held('w.gguf', 'w'), { ...held('empty', ''), hub_id: undefined as never }]);
    expect(own.byPath.get('config.json')).toEqual({ path: 'config.json', size: 2, oid: gitBlobId('{}'), isHeld: true, sha256: sha('{}') });
    expect(own.byPath.get('w.gguf')).toMatchObject({
      oid: gitBlobId(pointerText({ sha256: sha('w'), size: 1 })),
      lfs: { sha256: sha('w') },
    });
    expect(own.byPath.get('empty')).toMatchObject({ oid: 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391' });
  });

  test('are never guessed', () => {
    const { hub_id: _, ...file } = held('config.json');
    expect(() => viewOf([file])).toThrow('the git id of config.json is not known');
  });
});

describe('a file listing', () => {
  const repo = viewsOf({
    manifest: manifest(['z', 'a.gguf', 'sub/x', 'sub/deep/y', 'sub-2/q'].map((path) => held(path))),
    upstream: undefined,
  }).own;
  const pathsOf = (directory: string, isRecursive: boolean) =>
    listTree(repo, directory, { isRecursive, isExpanded: false }).map(({ type, path }) => (type === 'directory' ? `${path}/` : path));

  test.each([
    ['', true, ['a.gguf', 'sub/', 'sub-2/', 'sub-2/q', 'sub/deep/', 'sub/deep/y', 'sub/x', 'z']],
    ['', false, ['a.gguf', 'sub/', 'sub-2/', 'z']],
    ['sub', true, ['sub/deep/', 'sub/deep/y', 'sub/x']],
    ['sub', false, ['sub/deep/', 'sub/x']],
    ['sub/deep', false, ['sub/deep/y']],
  ])('of the path %j, recursive: %s, is as expected', (directory, isRecursive, expected) => {
    expect(pathsOf(directory, isRecursive)).toEqual(expected);
  });

  test.each(['none', 'su', 'sub/none', 'a.gguf'])('of %j, which is not a directory, is refused with the commit', (directory) => {
    expect(() => pathsOf(directory, true)).toThrow(expect.objectContaining({ kind: 'entryNotFound', commit: repo.commit }));
  });

  test("has the repo's own commit as the last commit of each entry, if requested", () => {
    for (const entry of listTree(repo, '', { isRecursive: true, isExpanded: true })) expect(entry.lastCommit?.id).toBe(repo.commit);
    for (const entry of listTree(repo, '', { isRecursive: true, isExpanded: false })) expect(entry).not.toHaveProperty('lastCommit');
  });

  test('of some paths omits missing ones, and includes directories', () => {
    const entries = listPaths(repo, ['z', 'sub', 'none', 'z', '/sub/x'], { isExpanded: false });
    expect(entries.map(({ type, path }) => [type, path])).toEqual([
      ['file', 'z'],
      ['directory', 'sub'],
      ['file', 'sub/x'],
    ]);
    expect(listTree(repo, '', { isRecursive: false, isExpanded: false })).toContainEqual(entries[1]);
  });

  test('that is incomplete is refused, because clients would keep it, and an existing file is still sent', () => {
    const part = { ...repo, isComplete: false };
    expect(() => listTree(part, '', { isRecursive: true, isExpanded: false })).toThrow(expect.objectContaining({ kind: 'unreachable' }));
    expect(() => findFile(part, 'none')).toThrow(expect.objectContaining({ kind: 'unreachable', commit: undefined }));
    expect(() => listPaths(part, ['none'], { isExpanded: false })).toThrow(expect.objectContaining({ kind: 'unreachable' }));
    expect(findFile(part, 'z').path).toBe('z');
  });
});

test('an invalid time is replaced by the earliest time', () => {
  expect(toTime('')).toBe('1970-01-01T00:00:00.000Z');
  expect(toTime(undefined)).toBe('1970-01-01T00:00:00.000Z');
  expect(toTime('2026-01-02T03:04:05Z')).toBe('2026-01-02T03:04:05.000Z');
});
