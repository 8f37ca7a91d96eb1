import type { ReactElement } from 'react';
import type { ReportedCopy } from '../../src/core/protocol/models.ts';

/** Whether a copy is used, and if not whether the budget takes it next. */
export function CopyState({
  copy: { in_use, over_budget },
}: {
  readonly copy: Pick<ReportedCopy, 'in_use' | 'over_budget'>;
}): ReactElement {
  if (in_use) return <span className="badge good">in use</span>;
  if (over_budget)
    return (
      <span className="badge warn" title="Over budget: evicted when the budget is next applied, unless it is used before.">
        evicted next
      </span>
    );
  return <span className="badge">idle</span>;
}
