import { nodeNames } from '../../../core/kernel/machine/node-names.ts';
import type { KnownNode, NodeOutcome } from '../../../core/protocol/fleet.ts';
import { formatAge, formatBytes } from '../parts/format.ts';
import type { Cell, Column } from '../parts/lay-out.ts';

/** The machines that stage from a store as a table. */
export const nodeColumns = (
  nodes: readonly KnownNode[],
  { nodeId, now, storeAddress }: { readonly nodeId: string | null; readonly now: Date; readonly storeAddress: string | null },
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
  { title: 'ADDRESS', dropOrder: 5, maxWidth: 39, cell: ({ address }) => address ?? storeAddress ?? '' },
  { title: 'ID', dropOrder: 6, maxWidth: 30, cell: ({ node_id }) => ({ text: node_id, tone: 'quiet' }) },
];

/** When it carries out orders: at once, when it is back, or with the next command there. */
export function stateOf({ connected, agent }: KnownNode): Cell {
  if (connected) return { text: '● listening', tone: 'good' };
  return agent ? { text: '○ away', tone: 'warn' } : { text: '○ no agent', tone: 'quiet' };
}

const sizeOf = (bytes: number | null): string => (bytes === null ? '?' : formatBytes(bytes));

const outcomeWords = { pending: 'not answered yet', deferred: 'later', failed: 'failed', done: 'done' } as const;

/** The state of an order on a node: `copying, 43%`, `later, in use by pid 7`. */
export function describeOutcome({ status, reason, progress, awaited }: NodeOutcome): string {
  const { bytes_done: done = 0, bytes_total: total = 0, waits_for, doing } = progress ?? {};
  const now = status === 'pending' ? (waits_for ?? doing) : undefined;
  const share = now != null && total > 0 ? `${Math.floor((done / total) * 100)}%` : undefined;
  if (status === 'pending' && awaited === false && now == null) return 'away, does it when it is back';
  return [now ?? outcomeWords[status], share, reason].filter(Boolean).join(', ');
}

/** The text for the filter. */
export const wordsOfNode = ({ node_id, hostname, version, address }: KnownNode): string => [hostname, node_id, version, address].join(' ');
