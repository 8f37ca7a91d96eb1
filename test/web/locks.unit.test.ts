import { expect, test } from 'vitest';
import { lockAll, locksFor } from '../../web/parts/access/locks-for.ts';

const names = { host: 'kite1', here: 'kite2' };
type Roles = Parameters<typeof locksFor>[0];
const locked = (role: Roles['role'], store_role: Roles['store_role']): readonly string[] =>
  Object.entries(locksFor({ role, store_role }, names)).flatMap(([name, why]) => (why === undefined ? [] : [name]));

test.each([
  ['read', 'none', ['models', 'copiesHere', 'nodes', 'restart', 'uploads']],
  ['read', 'read', ['models', 'copiesHere', 'nodes', 'restart', 'uploads']],
  ['node', 'node', ['nodes', 'restart', 'uploads']],
  ['admin', 'admin', []],
  // A node forwards changes of the store, so they depend on the role there.
  ['admin', 'read', ['models', 'nodes', 'uploads']],
  ['read', 'admin', ['copiesHere', 'restart']],
] as const)('a tab with the role %s here and %s at the store has these locks: %j', (role, storeRole, expected) => {
  expect(locked(role, storeRole)).toEqual(expected);
});

test('a lock names the machine whose key opens it, and a store that is away locks everything', () => {
  const locks = locksFor({ role: 'node', store_role: 'node' }, names);
  expect([locks.nodes, locks.restart]).toEqual([
    'To forget a machine, run “skulk key” on kite1 and open the link it prints.',
    'To restart skulk, run “skulk key” on kite2 and open the link it prints.',
  ]);
  expect(new Set(Object.values(lockAll(locks, 'away')))).toEqual(new Set(['away']));
  expect(lockAll(locks, undefined)).toBe(locks);
});
