import type { ReactElement } from 'react';
import { Dialog } from '../../parts/dialog.tsx';
import { hintParts } from '../../parts/hints.ts';
import { useDashboard } from '../context.ts';

/** Asks whether to leave while a staging is running, which ends with the dashboard. */
export function LeaveDialog({ onLeave }: { readonly onLeave: () => void }): ReactElement {
  const { view, open } = useDashboard();
  const running = view.jobs.filter(({ status }) => status === 'staging' || status === 'pending');
  return (
    <Dialog
      title="Leave?"
      tone="warn"
      lines={[
        ...running.slice(0, 5).map(({ model_id }) => [`${model_id} is being staged.`]),
        [],
        [{ text: 'Quitting stops it. Verified data is kept, and the next stage resumes.', tone: 'quiet' }],
      ]}
      keys={hintParts(
        [
          ['y', 'leave'],
          ['esc', 'stay'],
        ],
        60,
      )}
      onKey={(key) => {
        if (key === 'y') onLeave();
        else if (key === 'n' || key === 'q' || key === 'escape') open(undefined);
      }}
    />
  );
}
