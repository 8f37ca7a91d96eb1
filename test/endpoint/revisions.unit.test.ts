import { expect, test } from 'vitest';
import { findHeld, parseRepoId } from '../../src/core/endpoint/view/repo-ids.ts';
import { findRevision } from '../../src/core/endpoint/view/revisions.ts';
import type { ModelId } from '../../src/core/kernel/model-id.ts';

const [own, hub] = [`abc1234${'0'.repeat(33)}`, `abc1299${'0'.repeat(33)}`];
const known = { names: ['v1.0', 'refs/pr/1'], commits: [own, hub] };

test.each([
  ['main', { kind: 'main' }],
  ['HEAD', { kind: 'main' }],
  ['v1.0', { kind: 'main' }],
  ['refs/pr/1', { kind: 'main' }],
  [own, { kind: 'commit', commit: own }],
  [hub, { kind: 'commit', commit: hub }],
  ['abc1234', { kind: 'commit', commit: own }],
  [hub.slice(0, 39), { kind: 'commit', commit: hub }],
  ['abc12', { kind: 'unknown', revision: 'abc12' }],
  ['head', { kind: 'unknown', revision: 'head' }],
  ['V1.0', { kind: 'unknown', revision: 'V1.0' }],
  ['refs/pr/2', { kind: 'unknown', revision: 'refs/pr/2' }],
  ['f'.repeat(40), { kind: 'unknown', revision: 'f'.repeat(40) }],
  [own.toUpperCase(), { kind: 'unknown', revision: own.toUpperCase() }],
])('the revision %s is found', (revision, expected) => {
  expect(findRevision('org/m', revision, known)).toEqual(expected);
});

test.each(['', '.', '..', 'a..b', '-x', '/main', 'a//b', 'a b', 'a\nb', 'a\0b', 'é', 'x'.repeat(256), 'a\\b', '%2e', '?'])(
  'a revision such as %j is not found',
  (revision) => {
    expect(() => findRevision('org/m', revision, known)).toThrow(expect.objectContaining({ kind: 'revisionNotFound' }));
  },
);

test('an abbreviation that matches several commits is not found', () => {
  const commits = [own, `abc1234${'1'.repeat(33)}`];
  expect(() => findRevision('org/m', 'abc1234', { names: [], commits })).toThrow(expect.objectContaining({ kind: 'revisionNotFound' }));
});

test.each([
  ['api/x', 'badRequest'],
  ['Models/x', 'badRequest'],
  ['store', 'badRequest'],
  ['datasets/org', 'badRequest'],
  ['v2', 'badRequest'],
  ['../x', 'repoNotFound'],
  ['org/..', 'repoNotFound'],
  ['org/', 'repoNotFound'],
  ['/x', 'repoNotFound'],
  ['', 'repoNotFound'],
  ['a/b/c', 'repoNotFound'],
  ['org/x\0', 'repoNotFound'],
  ['org/x\r\nSet-Cookie: a=b', 'repoNotFound'],
  ['org/x.git', 'repoNotFound'],
  [`org/${'x'.repeat(5000)}`, 'repoNotFound'],
])('the id %j is refused as %s', (id, kind) => {
  expect(() => parseRepoId(id)).toThrow(expect.objectContaining({ kind }));
});

test('a model is found by its exact spelling, or else by an id that differs only in case', () => {
  const ids = ['Org/Model', 'org/MODEL', 'org/other'] as ModelId[];
  const held = { has: (id: ModelId) => ids.includes(id), folded: (lower: string) => ids.filter((id) => id.toLowerCase() === lower) };
  expect(findHeld('org/MODEL' as ModelId, held)).toBe('org/MODEL');
  expect(findHeld('ORG/Other' as ModelId, held)).toBe('org/other');
  expect(findHeld('org/model' as ModelId, held)).toBeUndefined();
  expect(findHeld('org/none' as ModelId, held)).toBeUndefined();
});
