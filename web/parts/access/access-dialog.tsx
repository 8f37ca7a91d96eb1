import { type FormEvent, type ReactElement, useId, useState } from 'react';
import type { Session } from '../../../src/core/protocol/access.ts';
import { isTokenGood } from '../../api/client.ts';
import { useApp } from '../app-context.ts';
import { Button } from '../button.tsx';
import { Command } from '../command.tsx';
import { Dialog } from '../dialog.tsx';
import { Problem } from '../problem.tsx';
import { useTask } from '../use-task.ts';

/** The rights of this tab, in a few words. Pure. */
export function describeAccess({ role, credential, name }: Session): string {
  if (credential === 'named') return `Token ${name ?? ''}: ${words[role]}`;
  if (role === 'admin') return 'Admin';
  return role === 'node' ? 'LAN: may change models' : 'Read only';
}

const words = { read: 'read only', node: 'may change models', admin: 'admin' } as const;

/** The dialog with the rights of this tab, and how to change them. */
export function AccessDialog({ onClose }: { readonly onClose: () => void }): ReactElement {
  const { access, identity, giveBack } = useApp();
  const task = useTask<boolean>();
  const { credential, role, store_role } = access;
  const leave = async (): Promise<void> => {
    const isDone = await task.start(async () => {
      await giveBack();
      return true;
    });
    if (isDone === true) onClose();
  };
  return (
    <Dialog title="Access" onClose={onClose}>
      <p>
        <strong>{describeAccess(access)}.</strong> {can[role]}
      </p>
      {store_role !== role && (
        <p>{`The key of ${identity.hostname} is valid only for this machine. At the store: ${canWithStore[store_role]}`}</p>
      )}
      {credential === 'page' && <p className="muted">The key came with the link that opened this page. It ends when you close this tab.</p>}
      {credential !== 'lan' && (
        <div className="dialog-actions">
          <Button disabled={task.isBusy} onClick={() => void leave()}>
            {credential === 'page' ? 'Give back the key' : 'Forget the token'}
          </Button>
        </div>
      )}
      {task.error !== undefined && <Problem error={task.error} />}
      {role !== 'admin' && <TokenForm />}
      {role !== 'admin' && (
        <div className="stack">
          <p>To change settings, run this on {identity.hostname} and open the link it prints:</p>
          <Command text="skulk key" />
        </div>
      )}
    </Dialog>
  );
}

const can: Readonly<Record<Session['role'], string>> = {
  read: 'Changing models needs a token with the role node.',
  node: 'You can add, stage and delete models. Changing settings needs the role admin.',
  admin: 'You can change models, copies and settings.',
};

const canWithStore: Readonly<Record<Session['store_role'], string>> = {
  none: 'no access without a token.',
  read: 'you can list and fetch.',
  node: 'you can add, stage and delete models.',
  admin: 'you can change everything.',
};

function TokenForm(): ReactElement {
  const { signIn } = useApp();
  const [token, setToken] = useState('');
  const task = useTask<boolean>();
  const field = useId();
  const problem = `${field}-problem`;
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (await task.start(() => isTokenGood(token.trim()))) signIn(token.trim());
  };
  return (
    <form className="field" onSubmit={(event) => void submit(event)}>
      <label htmlFor={field}>Token</label>
      <div className="field-row">
        <input
          id={field}
          type="password"
          autoComplete="off"
          required
          value={token}
          aria-invalid={task.result === false}
          aria-describedby={problem}
          onChange={(event) => setToken(event.target.value)}
        />
        <Button isSubmit tone="primary" disabled={task.isBusy}>
          Use this token
        </Button>
      </div>
      <p className="muted field-help">This tab keeps it until you close it.</p>
      <p id={problem} className="field-problem" role="alert">
        {task.result === false && 'This token is invalid or was revoked.'}
      </p>
      {task.error !== undefined && <Problem error={task.error} />}
    </form>
  );
}
