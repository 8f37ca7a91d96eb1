import type { ReactElement } from 'react';
import type { ReportedCopy } from '../../src/core/protocol/models/reported-copy.ts';
import { Icon } from '../parts/icon.tsx';

/** Whether a copy is used, and if not whether the budget takes it next. */
export function CopyState({
  copy: { in_use, over_budget },
}: {
  readonly copy: Pick<ReportedCopy, 'in_use' | 'over_budget'>;
}): ReactElement {
  if (in_use) return <InUse />;
  if (over_budget)
    return (
      <span className="badge warn" title="Removed first, when the budget is next applied, unless it is used before.">
        over budget
      </span>
    );
  return <span className="badge">idle</span>;
}

/** Says that a machine has other content than the store; it looks the same wherever it is said. */
export function OlderCopy({ on }: { readonly on: readonly string[] }): ReactElement {
  return (
    <span className="badge warn" title={`${on.join(', ')}: other content than in the store. Stage it there again to update it.`}>
      older copy
    </span>
  );
}

/** Says that a process uses a copy; it looks the same wherever it is said. */
export function InUse(): ReactElement {
  return (
    <span className="badge use">
      <Icon name="play" />
      in use
    </span>
  );
}
