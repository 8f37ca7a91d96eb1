import { defineCommand, flag, sentence, type TextBlock, value } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { parseNodeId } from '../core/kernel/machine/node-id.ts';
import type { Swarm } from '../core/operations/nodes/nodes.ts';
import { describeSwarm } from '../core/protocol/describe/swarm.ts';
import { type ListedNode, type ListedOrder, nodeTable, pendingLines } from './node-lines.ts';

/** `skulk nodes`: the machines that stage from the store. */
export const nodes = defineCommand({
  name: 'nodes',
  summary: 'list the nodes that stage from the store',
  description: [
    'Lists the machines that use the store: when each one last reported, whether its agent is connected, what it has staged, and its free space. `?` means that it has not reported these numbers. If machines have the same host name, the beginning of the id follows it, as in `vm (3f1c)`.',
    'A machine becomes known when it first reports its copies: with `skulk serve`, with `reconcile`, or when `stage` or `run` has found a model in the store. A command that fails before that does not make it known. With --offline, and with `run --hf`, nothing is reported.',
    'Pending orders are listed below the table, and then the models that several nodes share now. A delete or purge is also sent to machines that reported no such copy, because they may be staging it at that moment; these orders are only counted.',
    'In --json, the store host has no address; use `store_address`, the address at which other machines reach the store.',
    'With --watch it continues until q or Ctrl-C. On a terminal the list is updated in place. In a pipe it is printed again after a change, at most every three seconds. With --json, each change is one JSON document on one line. If the store stops answering, the command waits for it.',
    'With --forget the store removes a node that will not come back, with its pending orders. To remove a machine for good, stop its `skulk serve` first, because a node becomes known again when it reports. Nodes that no longer report are removed after some days: see limits.forget_nodes_after_days in skulk-policy(1).',
  ],
  options: {
    watch: flag('update the list as it changes'),
    forget: value('forget a node, by its host name, its id, or a part of the id', 'NODE', { parse: parseNodeId, completes: 'nodes' }),
  },
  examples: [
    ['list them', 'skulk nodes'],
    ['watch them', 'skulk nodes --watch'],
    ['forget a machine that was sold', 'skulk nodes --forget old-laptop'],
  ],
  exits: ['not-found', 'store-unreachable'],
  run: async ({ watch, forget }, context) => {
    if (watch && forget !== undefined)
      throw new SkulkError('USAGE', '--watch and --forget cannot be combined', { hint: 'use only one of them' });
    const deps = await context.deps();
    if (watch) {
      const { watchNodes } = await import('../core/operations/live/watch-lists.ts');
      await context.watch('nodes', {
        follow: watchNodes(deps),
        result: ({ nodes: all, orders, swarms, storeAddress: address }) => {
          if (all === null || orders === null) return undefined;
          const list = { nodes: all, orders, swarms, store_address: address };
          return { json: list, text: textOf(list) };
        },
      });
      return { watched: true } as const;
    }
    const { forgetNode, listNodesAndStore, listSwarms } = await import('../core/operations/nodes/nodes.ts');
    if (forget !== undefined) return forgetNode(deps, { name: forget });
    const [list, swarms] = await Promise.all([listNodesAndStore(deps), listSwarms(deps)]);
    return { ...list, swarms };
  },
  text: (result) => ('watched' in result ? [] : 'forgotten' in result ? [`forgot ${result.forgotten}`] : textOf(result)),
  json: (result) => ('watched' in result ? undefined : result),
  notice: (result) => {
    if ('forgotten' in result)
      return 'its pending deletes and other orders are cancelled; copies on that machine stay, and its next report lists it again';
    return 'nodes' in result && result.nodes.length === 0
      ? 'no machine has reported yet; a machine reports when it runs `skulk serve`, or stages a model of the store'
      : undefined;
  },
});

function textOf({
  nodes: all,
  orders,
  swarms,
  store_address: storeAddress,
}: {
  readonly nodes: readonly ListedNode[];
  readonly orders: readonly ListedOrder[];
  readonly swarms: readonly Swarm[];
  readonly store_address: string | null;
}): readonly TextBlock[] {
  return [...nodeTable(all, { storeAddress }), ...pendingLines(orders, all), ...swarms.map((one) => sentence(describeSwarm(one)))];
}
