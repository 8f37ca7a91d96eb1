import { type ReactElement, useState } from 'react';
import type { ConfigView } from '../../../../src/core/protocol/settings.ts';
import { useLocks } from '../../../parts/access/locks.ts';
import { useApp } from '../../../parts/app-context.ts';
import { Button } from '../../../parts/button.tsx';
import { RestartDialog } from './restart-dialog.tsx';

/** Opens the question before a restart. */
export function RestartButton({ view }: { readonly view: ConfigView }): ReactElement {
  const { identity, restart } = useApp();
  const { restart: lock } = useLocks();
  const [isOpen, setOpen] = useState(false);
  const obstacle = identity.can_restart
    ? undefined
    : `skulk cannot restart itself on ${identity.hostname}. Stop it there and start it again.`;
  return (
    <>
      <Button
        icon="retry"
        label={`Restart skulk on ${identity.hostname}`}
        lock={lock ?? obstacle}
        disabled={restart.isRunning}
        onClick={() => setOpen(true)}
      >
        {restart.isRunning ? 'Restarting…' : 'Restart…'}
      </Button>
      {isOpen && <RestartDialog view={view} onClose={() => setOpen(false)} />}
    </>
  );
}
