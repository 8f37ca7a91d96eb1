import { expect, test } from 'vitest';
import type { Fleet } from '../../src/core/fleet/contract.ts';
import type { NodeId } from '../../src/core/kernel/machine/node-id.ts';
import { findNodes } from '../../src/core/operations/nodes/find-nodes.ts';

const [one, two, kite] = ['node-3f1c52d8339116c9', 'node-3f1c00aa112216c9', 'kite-id'] as const;
const fleet = {
  nodes: async () => [
    { node_id: one, hostname: 'vm', address: '10.0.0.4' },
    { node_id: two, hostname: 'vm', address: '10.0.0.5' },
    { node_id: kite, hostname: '3f1c5', address: null },
  ],
} as unknown as Fleet;
const find = (name: string) => findNodes(fleet, [name as NodeId]).then(([id]) => id);

test.each([
  [one, one],
  ['3f1c52', one],
  ['node-3f1c0', two],
  ['2216c9', two],
  ['3f1c5', kite],
])('the name %s finds the node %s', async (name, id) => {
  expect(await find(name)).toBe(id);
});

test.each([
  ['vm', `use the id of one: ${one} at 10.0.0.4, ${two} at 10.0.0.5`],
  ['3f1c', `use the id of one: ${one} at 10.0.0.4, ${two} at 10.0.0.5`],
  ['16c9', `use the id of one: ${one} at 10.0.0.4, ${two} at 10.0.0.5`],
])('the name %s of two nodes is refused with their ids', async (name, hint) => {
  await expect(find(name)).rejects.toMatchObject({ code: 'BAD_REQUEST', hint });
});

test.each(['3f1', 'node-9', 'de-3f1c52'])('the text %s does not name a node', async (name) => {
  await expect(find(name)).rejects.toMatchObject({ code: 'NODE_NOT_FOUND' });
});
