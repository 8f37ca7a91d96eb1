import { expect, test } from 'vitest';
import { unfinishedNodes } from '../../src/commands/node-lines.ts';
import { stagedOnTable, unstagedNodes } from '../../src/commands/stage-on-nodes.ts';

const on = (node: string, hostname: string, status: 'done' | 'failed' | 'pending' = 'failed') => ({
  model: 'org/m',
  node,
  hostname,
  status,
  bytes_transferred: 0,
  reason: null,
});
const namesIn = (nodes: readonly ReturnType<typeof on>[]): unknown =>
  stagedOnTable(nodes, []).map((block) => (typeof block === 'object' && 'rows' in block ? block.rows.map((row) => row[1]) : block));

test('machines with the same host name are shown with their ids, and others without', () => {
  const nodes = [
    on('node-1', 'vm'),
    on('node-2', 'VM'),
    on('node-3', 'kite3'),
    on('node-4', ''),
    { ...on('node-3', 'kite3'), model: 'org/n' },
  ];
  expect(namesIn(nodes)).toEqual([['vm (node-1)', 'VM (node-2)', 'kite3', 'node-4', 'kite3']]);
  expect(unstagedNodes(nodes, [])?.message).toBe('not staged on vm (node-1), VM (node-2), kite3, node-4');
  expect(unstagedNodes([on('node-1', 'vm', 'done')], [])).toBeUndefined();
});

test('the hint of a failed stage asks for the cause, and that of a waiting one names what withdraws it', () => {
  expect(unstagedNodes([on('node-1', 'vm')], [])?.hint).toBe('fix the cause, then run the command again');
  expect(unstagedNodes([on('node-1', 'vm', 'pending')], [])?.hint).toContain('skulk cancel MODEL --all-nodes');
});

test('a machine is shown with its id also if only another one that the store knows has its name', () => {
  const known = [
    { node_id: 'node-3f1c52d8339116c9', hostname: 'vm' },
    { node_id: 'node-3f1c00aa11223344', hostname: 'VM' },
    { node_id: 'node-91aa02c4d3f8e17b', hostname: 'kite' },
  ];
  const [first, , third] = known;
  expect(unstagedNodes([on(first?.node_id ?? '', 'vm'), on(third?.node_id ?? '', 'kite')], known)?.message).toBe(
    'not staged on vm (3f1c5), kite',
  );
});

test('the hint of a removal says what each kind of machine waits for', () => {
  const left = (status: 'pending' | 'failed', reason: string | null) => ({ ...on('node-1', 'vm', status), reason, freed_bytes: 0 });
  const hintOf = (...nodes: readonly ReturnType<typeof left>[]) => unfinishedNodes(nodes, [])?.hint;
  const [away, used, failed] = [left('pending', null), left('pending', 'in use at its last report'), left('failed', 'EIO')];
  expect(hintOf(away)).toMatch(/^machines that have not answered catch up when they are back; .*`skulk nodes --forget NODE`/);
  expect(hintOf(used)).toBe(
    'a copy in use is removed when its use ends; `--force` does not wait for that; `skulk nodes` lists pending orders',
  );
  expect(hintOf(failed)).toMatch(/^a failed removal is tried again .*; `skulk nodes` lists pending orders$/);
  expect(hintOf(away, used, failed)).toMatch(/catch up .*in use .*failed removal .*--forget/);
});
