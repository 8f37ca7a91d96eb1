import { expect, test } from 'vitest';
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
