import { nodeNames } from '../../../core/kernel/machine/node-names.ts';
import type { KnownNode } from '../../../core/protocol/fleet.ts';
import { formatAge, formatBytes } from '../parts/format.ts';
import type { Cell, Column } from '../parts/lay-out.ts';

/** The machines that stage from a store as a table. */
export const nodeColumns = (
  nodes: readonly KnownNode[],
  { nodeId, now }: { readonly nodeId: string | null; readonly now: Date },
): readonly Column<KnownNode>[] => [
  { title: 'NODE', flexMinWidth: 18, cell: (node) => `${nodeNames(nodes)(node)}${node.node_id === nodeId ? ', this machine' : ''}` },
  { title: 'STATE', cell: stateOf },
  {
    title: 'SEEN',
    align: 'right',
    dropOrder: 2,
    cell: ({ last_seen, connected }) => ({ text: connected ? 'now' : formatAge(last_seen, now, ''), tone: 'quiet' }),
  },
  { title: 'COPIES', align: 'right', dropOrder: 3, cell: ({ staged_models }) => (staged_models === null ? '?' : String(staged_models)) },
  { title: 'STAGED', align: 'right', cell: ({ staged_bytes }) => sizeOf(staged_bytes) },
  { title: 'FREE', align: 'right', cell: ({ free_bytes }) => sizeOf(free_bytes) },
  {
    title: 'PENDING',
    align: 'right',
    dropOrder: 1,
    cell: ({ pending_orders: orders }) => ({ text: orders === 0 ? '' : String(orders), tone: 'warn' }),
  },
  { title: 'VERSION', dropOrder: 4, maxWidth: 12, cell: ({ version }) => version },
  { title: 'ADDRESS', dropOrder: 5, maxWidth: 39, cell: ({ address }) => address ?? '' },
  { title: 'ID', dropOrder: 6, maxWidth: 30, cell: ({ node_id }) => ({ text: node_id, tone: 'quiet' }) },
];

/** When it carries out orders: at once, when it is back, or with the next command there. */
export function stateOf({ connected, agent }: KnownNode): Cell {
  if (connected) return { text: '● listening', tone: 'good' };
  return agent ? { text: '○ away', tone: 'warn' } : { text: '○ no agent', tone: 'quiet' };
}

const sizeOf = (bytes: number | null): string => (bytes === null ? '?' : formatBytes(bytes));

/** The text for the filter. */
export const wordsOfNode = ({ node_id, hostname, version, address }: KnownNode): string => [hostname, node_id, version, address].join(' ');
