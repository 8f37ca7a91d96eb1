import { type FormEvent, type ReactElement, useId, useState } from 'react';
import type { NamedToken, Role } from '../../../../src/core/protocol/access.ts';
import { callOf } from '../../../api/call.ts';
import { useApp } from '../../../parts/app-context.ts';
import { Button } from '../../../parts/button.tsx';
import { Command } from '../../../parts/command.tsx';
import { Problem } from '../../../parts/problem.tsx';
import { useTask } from '../../../parts/use-task.ts';

const roles: readonly { readonly role: Role; readonly may: string }[] = [
  { role: 'read', may: 'read: list and fetch' },
  { role: 'node', may: 'node: also stage and change models' },
  { role: 'admin', may: 'admin: also change settings' },
];

/** Creates a token, and shows it once. */
export function CreateToken({ onCreated }: { readonly onCreated: () => void }): ReactElement {
  const { client } = useApp();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('node');
  const task = useTask<NamedToken & { readonly token: string }>();
  const [nameField, roleField] = [useId(), useId()];
  const create = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const made = await task.start((signal) => client.send(callOf('POST /tokens', {}), { name: name.trim(), role }, signal));
    if (made === undefined) return;
    // A name that was typed meanwhile stays.
    setName((now) => (now === name ? '' : now));
    onCreated();
  };
  return (
    <form className="stack" onSubmit={(event) => void create(event)}>
      <div className="field-pair token-fields">
        <div className="field">
          <label htmlFor={nameField}>Name of a new token</label>
          <input
            id={nameField}
            type="text"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            required
            maxLength={64}
            placeholder="laptop"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </div>
        <div className="field">
          <label htmlFor={roleField}>Role</label>
          <select id={roleField} value={role} onChange={(event) => setRole(event.target.value as Role)}>
            {roles.map(({ role: one, may }) => (
              <option key={one} value={one}>
                {may}
              </option>
            ))}
          </select>
        </div>
      </div>
      {task.error !== undefined && <Problem error={task.error} />}
      <div role="status">
        {task.result !== undefined && (
          <div className="callout note">
            <div className="stack">
              <p>
                <strong>This is the token {task.result.name}.</strong> Copy it now: it is not shown again.
              </p>
              <Command text={task.result.token} what="the token" />
            </div>
          </div>
        )}
      </div>
      <div>
        <Button isSubmit icon="add" disabled={task.isBusy}>
          Create a token
        </Button>
      </div>
    </form>
  );
}
