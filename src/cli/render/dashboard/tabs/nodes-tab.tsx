import { Box } from 'ink';
import type { ReactElement } from 'react';
import { storeAddress } from '../../../../core/protocol/describe/store-address.ts';
import { describeSwarm } from '../../../../core/protocol/describe/swarm.ts';
import { nodeColumns, wordsOfNode } from '../../lists/node-columns.ts';
import { List } from '../../parts/list.tsx';
import { Line } from '../../parts/words.tsx';
import { useDashboard } from '../context.ts';
import { useAskedList } from './use-asked-list.ts';

/** At most so many lines say which models nodes share. */
const maxSwarms = 2;

/** The machines that stage from the store; above them the models that they share now. */
export function NodesTab(): ReactElement {
  const { view, acts, now, width, height, listOf, show, open } = useDashboard();
  const swarms = (useAskedList(() => acts.swarms()).value ?? []).slice(0, maxSwarms);
  const nodes = view.store?.nodes ?? null;
  const at = view.store === null ? null : storeAddress(view.store.location, view.store.health);
  return (
    <Box flexDirection="column">
      {swarms.map((swarm) => (
        <Line key={swarm.digest} parts={[{ text: `  ↑ ${describeSwarm(swarm)}`, tone: 'accent' }]} />
      ))}
      <List
        columns={nodeColumns(nodes ?? [], { nodeId: view.node.node_id, now, storeAddress: at })}
        rows={nodes ?? []}
        keyOf={({ node_id }) => node_id}
        wordsOf={wordsOfNode}
        width={width}
        height={height - swarms.length}
        {...listOf('nodes')}
        empty={
          nodes === null
            ? ['Loading from the store…']
            : ['No machine has reported yet.', '', 'A machine reports when it runs skulk serve, or stages a model of the store.']
        }
        onKey={(key, node) => {
          if (node === undefined) return false;
          if (key === 'enter') show({ kind: 'node', nodeId: node.node_id });
          else if (key === 'p') open({ kind: 'purge', modelId: undefined, nodeId: node.node_id });
          else if (key === 'f') open({ kind: 'forget', nodeId: node.node_id });
          else return false;
          return true;
        }}
      />
    </Box>
  );
}
