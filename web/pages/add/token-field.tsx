import { type FormEvent, type ReactElement, useId, useState } from 'react';
import { callOf } from '../../api/call.ts';
import { useApp, useStore } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';
import { Command } from '../../parts/command.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Problem } from '../../parts/problem.tsx';
import { useTask } from '../../parts/use-task.ts';

/**
 * What to do about a model for which Hugging Face wants a token: an admin of the store host sets it here, anybody else reads how.
 */
export function TokenField({ modelId }: { readonly modelId: string }): ReactElement {
  const { access, identity, client } = useApp();
  const host = useStore().topics.health?.hostname || identity.hostname;
  const task = useTask<object>();
  const [token, setToken] = useState('');
  const field = useId();
  const maySet = access.role === 'admin' && identity.role === 'store';
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const saved = await task.start((signal) => client.send<object>(callOf('PUT /config', {}), { hf_token: token.trim() }, signal));
    if (saved !== undefined) setToken('');
  };
  return (
    <section className="callout warn" aria-label="Hugging Face token">
      <Icon name="lock" />
      <div className="stack">
        <p role="alert">
          This model is gated. Accept its terms on{' '}
          <a href={`https://huggingface.co/${modelId}`} target="_blank" rel="noreferrer">
            Hugging Face
          </a>
          , then set a token {maySet ? 'here' : `on ${host}`}.
        </p>
        {task.result !== undefined ? (
          <p role="status">Saved. Restart skulk on {host} to use the token, then add the model again.</p>
        ) : maySet ? (
          <form className="field" onSubmit={(event) => void submit(event)}>
            <label htmlFor={field}>Hugging Face token</label>
            <div className="field-row">
              <input
                id={field}
                type="password"
                autoComplete="off"
                required
                placeholder="hf_…"
                value={token}
                onChange={(event) => setToken(event.target.value)}
              />
              <Button isSubmit disabled={task.isBusy}>
                Save the token
              </Button>
            </div>
            <p className="muted field-help">It is saved on {host} and never shown again or sent to nodes.</p>
            {task.error !== undefined && <Problem error={task.error} />}
          </form>
        ) : (
          <>
            <p>To set it, run this on {host}, open the link that it prints, and add the model there:</p>
            <Command text="skulk key" />
          </>
        )}
      </div>
    </section>
  );
}
