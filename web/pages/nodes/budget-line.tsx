import type { ReactElement } from 'react';
import type { KnownNode } from '../../../src/core/protocol/fleet.ts';
import { Bar } from '../../parts/bar.tsx';
import { formatBytes } from '../../parts/format.ts';
import { type BudgetSums, sumBudget } from './sum-budget.ts';

/** What is used, what is idle and stays, and what the budget takes next, beside the room that the disk has. */
export function BudgetLine({ node }: { readonly node: KnownNode }): ReactElement | null {
  const sums = sumBudget(node);
  if (sums === undefined) return null;
  const { used, idle, over, budget } = sums;
  const next = (node.copies ?? []).filter(({ over_budget }) => over_budget).map(({ model_id }) => model_id);
  return (
    <div className="budget">
      <BudgetBar sums={sums} />
      <ul className="legend">
        {used > 0 && <li className="use">in use {formatBytes(used)}</li>}
        <li className="models">idle {formatBytes(idle)}</li>
        {over > 0 && <li className="over">over budget {formatBytes(over)}</li>}
        <li className="plain">{budget}</li>
        {node.free_bytes !== null && <li className="plain">free on its disk {formatBytes(node.free_bytes)}</li>}
      </ul>
      {next.length > 0 && (
        <p className="muted budget-next">
          Removed first, when a program there ends or its server starts: <span className="ids">{next.slice(0, 3).join(', ')}</span>
          {next.length > 3 && ` and ${next.length - 3} more`}
        </p>
      )}
    </div>
  );
}

/** The bar alone; its label has the words. */
export function BudgetBar({ sums: { used, idle, over, limit, total, words } }: { readonly sums: BudgetSums }): ReactElement {
  return (
    <Bar
      label={words}
      total={total}
      mark={over > 0 ? limit : undefined}
      parts={[
        { kind: 'use', bytes: used },
        { kind: 'models', bytes: idle },
        { kind: 'over', bytes: over },
      ]}
    />
  );
}
