import type { FormEvent, ReactElement } from 'react';
import type { ConfigView } from '../../../src/core/protocol/settings.ts';
import { useMayAdminister } from '../../parts/access/needs-key.tsx';
import { useApp } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';
import { plural } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { Problem } from '../../parts/problem.tsx';
import { useTask } from '../../parts/use-task.ts';
import { type FieldProps, SwitchField, TextField } from './field.tsx';
import type { SettingKey } from './keys.ts';
import { PathField } from './path-field.tsx';
import { RestartNote } from './restart/restart-note.tsx';
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
            <p>The file is invalid, so nothing can be saved to it: {view.problem}.</p>
            <p className="muted">Correct it with an editor; this page updates automatically.</p>
          </div>
        </div>
      )}
      <RestartNote view={view} />
      <div className="settings-cards">
        <RoleFields view={view} draft={draft} field={field} isDisabled={!mayChange} />
        <fieldset className="card" disabled={!mayChange}>
          <legend>Network</legend>
          <div className="field-pair">
            <TextField
              {...field('model_store.store_port', 'Port of the store')}
              kind="number"
              help="On the store host; nodes connect to it."
            />
            <TextField
              {...field('model_store.api_port', 'Port of this page')}
              kind="number"
              help="On every machine that runs skulk serve; also the port of the API."
            />
          </div>
        </fieldset>
        <fieldset className="card" disabled={!mayChange}>
          <legend>Hugging Face</legend>
          <SwitchField
            {...field('model_store.download.allow_hf_fallback', 'Download missing models from Hugging Face')}
            help="Turn this off in a network without internet access: missing models are then reported as not found."
          />
          <TextField
            {...field('model_store.download.max_concurrent', 'Simultaneous downloads')}
            kind="number"
            help="Others wait in the queue."
          />
        </fieldset>
        <fieldset className="card" disabled={!mayChange}>
          <legend>Staged copies on this machine</legend>
          <SwitchField
            {...field('model_store.staging.enabled', 'Keep verified copies on this machine')}
            help="Turn this off on a machine that uses its models in place in the store."
          />
          <PathField
            {...field('model_store.staging.node_cache_path', 'Directory of the copies')}
            help="On the store host it may be the store itself: then nothing is copied."
          />
          <SwitchField
            {...field('model_store.staging.cleanup_on_deactivate', 'Evict idle copies beyond the budget')}
            help="When a program that used a model ends, and when the server starts; not because a disk fills up."
          />
          <TextField
            {...field('model_store.staging.staging_keep_recent_gb', 'Budget for idle copies')}
            kind="number"
            unit="GiB"
            help="The most recently used are kept; 0 keeps only copies in use."
          />
        </fieldset>
      </div>
      {task.error !== undefined && <Problem error={task.error} />}
      {mayChange && (
        <div className="save-bar">
          <p className="muted">
            {draft.changed.length === 0 ? (
              <>
                {view.path === null ? 'There is no file yet; saving creates' : 'Saved in '}
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
