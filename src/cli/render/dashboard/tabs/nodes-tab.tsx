import type { ReactElement } from 'react';
import { nodeColumns, wordsOfNode } from '../../lists/node-columns.ts';
import { List } from '../../parts/list.tsx';
import { useDashboard } from '../context.ts';

/** The machines that stage from the store. */
export function NodesTab(): ReactElement {
  const { view, now, width, height, listOf, show, open } = useDashboard();
  const nodes = view.store?.nodes ?? null;
  return (
    <List
      columns={nodeColumns(nodes ?? [], { nodeId: view.node.node_id, now })}
      rows={nodes ?? []}
      keyOf={({ node_id }) => node_id}
      wordsOf={wordsOfNode}
      width={width}
      height={height}
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
  );
}
