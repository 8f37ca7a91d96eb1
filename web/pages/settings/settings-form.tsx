import type { FormEvent, ReactElement } from 'react';
import type { ConfigView } from '../../../src/core/protocol/settings.ts';
import { NeedsKey, useMayAdminister } from '../../parts/access/needs-key.tsx';
import { useApp } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';
import { plural } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { Problem } from '../../parts/problem.tsx';
import { useTask } from '../../parts/use-task.ts';
import { type FieldProps, SwitchField, TextField } from './field.tsx';
import type { SettingKey } from './keys.ts';
import { PathField } from './path-field.tsx';
import { RestartNote } from './restart-note.tsx';
import { RoleFields } from './role-fields.tsx';
import { useDraft } from './use-draft.ts';

/** The settings of this machine, saved together. */
export function SettingsForm({ view }: { readonly view: ConfigView }): ReactElement {
  const { tell } = useApp();
  const mayChange = useMayAdminister();
  const draft = useDraft(view);
  const task = useTask<boolean>();
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const isSaved = await task.start(async () => {
      await draft.save();
      return true;
    });
    if (isSaved === true) tell(`Saved to ${view.save_path}.`);
  };
  const field = (name: SettingKey, label: string): Omit<FieldProps, 'help'> => ({ name, label, draft, setBy: view.overridden[name] });
  return (
    <form className="settings" onSubmit={(event) => void save(event)}>
      {view.problem !== null && (
        <div className="callout bad" role="alert">
          <Icon name="warning" />
          <div>
            <p>The file cannot be read, so nothing can be saved into it: {view.problem}.</p>
            <p className="muted">Mend it with an editor; this page sees that.</p>
          </div>
        </div>
      )}
      {!mayChange && <NeedsKey />}
      <RestartNote view={view} />
      <RoleFields view={view} draft={draft} field={field} isDisabled={!mayChange} />
      <fieldset className="card" disabled={!mayChange}>
        <legend>Network</legend>
        <div className="field-pair">
          <TextField {...field('model_store.store_port', 'Port of the store')} kind="number" help="On the store host; nodes ask there." />
          <TextField
            {...field('model_store.api_port', 'Port of this page')}
            kind="number"
            help="On every machine that serves; the API is there too."
          />
        </div>
      </fieldset>
      <fieldset className="card" disabled={!mayChange}>
        <legend>Hugging Face</legend>
        <SwitchField
          {...field('model_store.download.allow_hf_fallback', 'Fetch what the store lacks from Hugging Face')}
          help="Off in a network that must not reach the internet: then what the store lacks is simply not found."
        />
        <TextField {...field('model_store.download.max_concurrent', 'Downloads at one time')} kind="number" help="More wait in order." />
      </fieldset>
      <fieldset className="card" disabled={!mayChange}>
        <legend>Staged copies on this machine</legend>
        <SwitchField
          {...field('model_store.staging.enabled', 'Keep verified copies on this machine')}
          help="Off on a machine that uses its models where the store has them."
        />
        <PathField
          {...field('model_store.staging.node_cache_path', 'Directory of the copies')}
          help="On the store host it may be the store itself: then nothing is copied."
        />
        <SwitchField
          {...field('model_store.staging.cleanup_on_deactivate', 'Let idle copies beyond the budget go')}
          help="When a program that used a model ends, and when the server starts. Never because a disk fills up."
        />
        <TextField
          {...field('model_store.staging.staging_keep_recent_gb', 'Budget for idle copies')}
          kind="number"
          unit="GiB"
          help="Newest use first; 0 keeps only what is in use."
        />
      </fieldset>
      {task.error !== undefined && <Problem error={task.error} />}
      {mayChange && (
        <div className="save-bar">
          <p className="muted">
            {draft.changed.length === 0 ? (
              <>
                {view.path === null ? 'There is no file yet; it would be ' : 'Saved in '}
                <code>{view.save_path}</code>
              </>
            ) : (
              plural(draft.changed.length, 'change')
            )}
          </p>
          <Button disabled={draft.changed.length === 0 || task.isBusy} onClick={draft.discard}>
            Discard
          </Button>
          <Button isSubmit tone="primary" disabled={!draft.maySave || task.isBusy}>
            Save
          </Button>
        </div>
      )}
    </form>
  );
}
