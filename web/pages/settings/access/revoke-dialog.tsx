import type { ReactElement } from 'react';
import type { NamedToken } from '../../../../src/core/protocol/access.ts';
import { callOf } from '../../../api/call.ts';
import { useApp } from '../../../parts/app-context.ts';
import { Button } from '../../../parts/button.tsx';
import { Dialog } from '../../../parts/dialog.tsx';
import { Problem } from '../../../parts/problem.tsx';
import { useTask } from '../../../parts/use-task.ts';

/** Asks for a confirmation before a token is revoked. */
export function RevokeDialog({ name, onClose }: { readonly name: string; readonly onClose: () => void }): ReactElement {
  const { client, tell } = useApp();
  const task = useTask<NamedToken>();
  const revoke = async (): Promise<void> => {
    const call = callOf('DELETE /tokens/:name', { name });
    if ((await task.change(() => client.send<NamedToken>(call))) === undefined) return;
    tell(`The token ${name} was revoked.`);
    onClose();
  };
  return (
    <Dialog title={`Revoke the token ${name}?`} onClose={onClose}>
      <p>It becomes invalid at once on the store host and within a minute on nodes. This cannot be undone.</p>
      {task.error !== undefined && <Problem error={task.error} />}
      <div className="dialog-actions">
        <Button disabled={task.isBusy} takesFocus onClick={onClose}>
          Keep it
        </Button>
        <Button tone="danger" icon="trash" disabled={task.isBusy} onClick={() => void revoke()}>
          Revoke it
        </Button>
      </div>
    </Dialog>
  );
}
