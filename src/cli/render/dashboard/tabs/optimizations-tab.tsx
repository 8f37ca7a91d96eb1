import type { ReactElement } from 'react';
import { optimizationColumns } from '../../lists/optimization-columns.ts';
import { List } from '../../parts/list.tsx';
import { useDashboard } from '../context.ts';
import { actOnOptimization } from '../optimization-keys.ts';

/** The smaller variants that the store makes of its models. */
export function OptimizationsTab(): ReactElement {
  const dashboard = useDashboard();
  const { view, width, height, listOf, show } = dashboard;
  const all = view.store?.optimizations ?? null;
  return (
    <List
      columns={optimizationColumns}
      rows={all ?? []}
      keyOf={({ targetId }) => targetId}
      wordsOf={({ targetId, modelId, status, engine, type }) => [targetId, modelId, status, engine, type].join(' ')}
      width={width}
      height={height}
      {...listOf('optimizations')}
      empty={
        all === null && view.store?.models == null
          ? ['Loading from the store…']
          : ['Nothing is being optimized.', '', 'Press o on a model of the store to quantize it there, once for all machines.']
      }
      onKey={(key, optimization) => {
        if (optimization === undefined) return false;
        if (key === 'enter') show({ kind: 'optimization', targetId: optimization.targetId });
        else return actOnOptimization(dashboard, key, optimization);
        return true;
      }}
    />
  );
}
