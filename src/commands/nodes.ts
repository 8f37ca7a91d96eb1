import { defineCommand, value } from '../cli/definition.ts';
import { parseNodeId } from '../core/kernel/node-id.ts';
import { formatBytes } from '../core/kernel/units.ts';

/** `skulk nodes`: the machines that stage from the store. */
export const nodes = defineCommand({
  name: 'nodes',
  summary: 'list the machines that stage from the store',
  description: [
    'A machine becomes known when it first stages something or runs `skulk serve`. For each: when it last reported, whether an agent listens there now, what it has staged, its free room, and what the store asked (delete, purge-staging --all-nodes) that it has not done yet.',
    'With --forget the store drops a machine that is gone for good, and what it still had to do. It becomes known again when it reports.',
  ],
  options: { forget: value('drop a machine, by its id', 'NODE', { parse: parseNodeId }) },
  examples: [
    ['list them', 'skulk nodes'],
    ['drop one that was sold', 'skulk nodes --forget node-0a1b2c3d4e5f6071'],
  ],
  exits: ['not-found', 'store-unreachable'],
  run: async ({ forget }, context) => {
    const deps = await context.deps();
    const { forgetNode, listNodes } = await import('../core/operations/nodes.ts');
    return forget === undefined ? listNodes(deps) : forgetNode(deps, { nodeId: forget });
  },
  text: (result) => {
    if ('forgotten' in result) return [`forgot ${result.forgotten}`];
    if (result.nodes.length === 0) return [];
    const size = (bytes: number | null): string => (bytes === null ? '?' : formatBytes(bytes));
    return [
      {
        header: ['NODE', 'HOSTNAME', 'LAST SEEN', 'AGENT', 'VERSION', 'STAGED', 'FREE', 'PENDING'],
        rows: result.nodes.map((node) => [
          node.node_id,
          node.hostname,
          node.last_seen,
          node.connected ? 'yes' : node.agent ? 'gone' : 'no',
          node.version,
          size(node.staged_bytes),
          size(node.free_bytes),
          String(node.pending_orders),
        ]),
        alignRight: [5, 6, 7],
      },
    ];
  },
  notice: (result) =>
    'nodes' in result && result.nodes.length === 0
      ? 'no machine has reported yet; it does so with its first `skulk stage` or `skulk serve`'
      : undefined,
});
