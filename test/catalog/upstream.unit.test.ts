import { expect, test } from 'vitest';
import { parseUpstream } from '../../src/core/catalog/upstream.ts';

const commit = 'a'.repeat(40);
const file = { path: 'a/b.txt', size: 3, oid: 'b'.repeat(40) };
const good = { repo: 'org/m', commit, files: [file, { path: 'c', size: 0, sha256: 'c'.repeat(64) }] };

test('a listing is read back as it was written, without unknown keys', () => {
  expect(parseUpstream({ ...good, more: 1, files: [{ ...file, more: 1 }] })).toEqual({ ...good, files: [file] });
  expect(parseUpstream(JSON.parse(JSON.stringify(good)))).toEqual(good);
});

test.each([
  ['nothing', undefined],
  ['a text', 'x'],
  ['a list', []],
  ['no commit', { ...good, commit: 'main' }],
  ['no id of a repo', { ...good, repo: '../m' }],
  ['no list', { ...good, files: {} }],
  ['a path that leads out', { ...good, files: [{ ...file, path: '../x' }] }],
  ['an impossible size', { ...good, files: [{ ...file, size: -1 }] }],
  ['a file without an id', { ...good, files: [{ path: 'x', size: 1 }] }],
  ['a file with a bad id', { ...good, files: [{ path: 'x', size: 1, oid: 'zz' }] }],
  ['too many files', { ...good, files: Array.from({ length: 100_001 }, () => file) }],
])('the listing of a repo is refused because of %s', (_, value) => {
  expect(parseUpstream(value)).toBeUndefined();
});
