import type { ReactElement } from 'react';
import { modelColumns, wordsOfModel } from '../../lists/model-columns.ts';
import { List } from '../../parts/list.tsx';
import { useDashboard } from '../context.ts';
import { actOnModel } from '../model-keys.ts';

/** The models of the store. */
export function StoreTab(): ReactElement {
  const dashboard = useDashboard();
  const { view, now, width, height, listOf, show, open } = dashboard;
  const { store, staging, digests, node } = view;
  const partial = new Set<string>(staging?.unfinished.map(({ model_id }) => model_id));
  return (
    <List
      columns={modelColumns({ nodes: store?.nodes ?? [], copies: staging?.models ?? [], digests, partial, nodeId: node.node_id, now })}
      rows={store?.models ?? []}
      keyOf={({ model_id }) => model_id}
      wordsOf={wordsOfModel}
      width={width}
      height={height}
      {...listOf('store')}
      empty={
        store === null || store.models === null
          ? ['Loading from the store…']
          : [
              'The store is empty.',
              '',
              'Press a to add a model from Hugging Face by name,',
              'or add your own: skulk add PATH --as org/model',
            ]
      }
      onKey={(key, model) => {
        if (key === 'a') open({ kind: 'add' });
        else if (model === undefined) return false;
        else if (key === 'enter') show({ kind: 'model', modelId: model.model_id });
        else return actOnModel(dashboard, key, model.model_id);
        return true;
      }}
    />
  );
}
