import { type FormEvent, type ReactElement, useId, useState } from 'react';
import { isTokenGood } from '../api/client.ts';
import { Button } from '../parts/button.tsx';
import { Problem } from '../parts/problem.tsx';
import { useTask } from '../parts/use-task.ts';
import icon from './icon.svg';

/** Asks for the token of the server, and reports a wrong one. */
export function TokenGate({
  trouble,
  onToken,
}: {
  /** The reason why the credential or the link does not work, as a sentence. */
  readonly trouble: string | undefined;
  readonly onToken: (token: string) => void;
}): ReactElement {
  const [token, setToken] = useState('');
  const task = useTask<boolean>();
  const [field, help] = [useId(), useId()];
  const isWrong = task.result === false;
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (await task.start(() => isTokenGood(token))) onToken(token);
  };
  return (
    <main className="gate">
      <form className="card" onSubmit={(event) => void submit(event)}>
        <img src={icon} alt="" width="48" height="48" />
        <h1>This server requires a token</h1>
        {trouble !== undefined && (
          <p className="field-problem" role="alert">
            {trouble}
          </p>
        )}
        <p className="muted">
          Run <code>skulk key</code> on this machine and open the link it prints. Or enter a token from <code>skulk token create</code>, or
          what <code>SKULK_TOKEN</code> or <code>model_store.auth.token</code> says there. This tab keeps it until you close it.
        </p>
        <div className="field">
          <label htmlFor={field}>Token</label>
          <input
            id={field}
            type="password"
            autoComplete="off"
            required
            value={token}
            aria-invalid={isWrong}
            aria-describedby={isWrong ? help : undefined}
            onChange={(event) => setToken(event.target.value)}
          />
          {isWrong && (
            <p id={help} className="field-problem" role="alert">
              This token is invalid or was revoked.
            </p>
          )}
        </div>
        {task.error !== undefined && <Problem error={task.error} />}
        <Button isSubmit tone="primary" disabled={task.isBusy}>
          Open
        </Button>
      </form>
    </main>
  );
}
