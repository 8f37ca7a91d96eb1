import type { ReactElement } from 'react';
import type { ModelProblem } from '../../src/core/protocol/models/entries.ts';

/** Marks a model, or some of its quantizations, that no program can load; nothing without problems. */
export function UnloadableBadge({
  problems,
  isPart = false,
}: {
  readonly problems: readonly ModelProblem[];
  /** Whether they are those of one quantization. */
  readonly isPart?: boolean;
}): ReactElement | null {
  if (problems.length === 0) return null;
  return (
    <span className="badge bad" title={problems.map(({ path, reason }) => `${path}: ${reason}`).join('\n')}>
      {!isPart && problems.every(({ selector }) => selector !== null) ? 'partly unusable' : 'cannot be loaded'}
    </span>
  );
}
