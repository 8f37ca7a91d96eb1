import type { ReactElement } from 'react';
import type { KnownNode } from '../../../src/core/protocol/fleet.ts';
import type { ReportedCopy } from '../../../src/core/protocol/models.ts';
import { Bar } from '../../parts/bar.tsx';
import { formatBytes } from '../../parts/format.ts';

/** What is used, what is idle and stays, and what the budget takes next, beside the room that the disk has. */
export function BudgetLine({ node: { copies, budget_bytes, free_bytes } }: { readonly node: KnownNode }): ReactElement | null {
  if (copies === null) return null;
  const sum = (some: readonly ReportedCopy[]): number => some.reduce((bytes, { size_bytes }) => bytes + size_bytes, 0);
  const used = sum(copies.filter(({ in_use }) => in_use));
  const over = sum(copies.filter(({ over_budget }) => over_budget));
  const idle = sum(copies) - used - over;
  // The budget does not count copies in use, so they move its line.
  const limit = budget_bytes === null ? undefined : used + budget_bytes;
  const total = Math.max(limit ?? 0, used + idle + over);
  const next = copies.filter(({ over_budget }) => over_budget).map(({ model_id }) => model_id);
  const budget = budget_bytes === null ? 'nothing is removed automatically' : `budget for idle copies ${formatBytes(budget_bytes)}`;
  const words = [`in use ${formatBytes(used)}`, `idle ${formatBytes(idle + over)}`, budget];
  return (
    <div className="budget">
      <Bar
        label={words.join(', ')}
        total={total}
        mark={over > 0 ? limit : undefined}
        parts={[
          { kind: 'use', bytes: used },
          { kind: 'models', bytes: idle },
          { kind: 'over', bytes: over },
        ]}
      />
      <ul className="legend">
        {used > 0 && <li className="use">in use {formatBytes(used)}</li>}
        <li className="models">idle {formatBytes(idle)}</li>
        {over > 0 && <li className="over">over budget {formatBytes(over)}</li>}
        <li className="plain">{budget}</li>
        {free_bytes !== null && <li className="plain">free on its disk {formatBytes(free_bytes)}</li>}
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
