import type { FormEvent, ReactElement } from 'react';
import type { ConfigView } from '../../../../src/core/protocol/settings.ts';
import { callOf } from '../../../api/call.ts';
import { NeedsKey, useMayAdminister } from '../../../parts/access/needs-key.tsx';
import { useApp } from '../../../parts/app-context.ts';
import { Button } from '../../../parts/button.tsx';
import { Problem } from '../../../parts/problem.tsx';
import { useTask } from '../../../parts/use-task.ts';
import { nest, type SettingKey, type SettingValue, settingOf } from '../../settings/keys.ts';
import { PathField } from '../../settings/path-field.tsx';
import { RestartNote } from '../../settings/restart/restart-note.tsx';
import { useDraft } from '../../settings/use-draft.ts';

const key = 'model_store.store_path';

/** The first setting: this machine is the host, and this is its directory. Both are written down, also as they are. */
export function ChoosePlace({ view }: { readonly view: ConfigView }): ReactElement {
  const { client, identity, tell } = useApp();
  const draft = useDraft(view);
  const task = useTask<object>();
  const setBy = view.overridden[key];
  const mayChange = useMayAdminister();
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const settings = new Map<SettingKey, SettingValue>([
      ['model_store.store_host', identity.hostname],
      ...(setBy === undefined ? [[key, draft.value(key)] as const] : []),
    ]);
    if ((await task.start((signal) => client.send(callOf('PUT /config', {}), nest(settings), signal))) !== undefined)
      tell(`Saved to ${view.save_path}.`);
  };
  if (view.path !== null)
    return (
      <>
        <p className="muted">
          In <code>{String(settingOf(view, key))}</code>, as <code>{view.path}</code> says.
        </p>
        <RestartNote view={view} />
      </>
    );
  if (!mayChange)
    return (
      <>
        <p className="muted">
          In <code>{String(settingOf(view, key))}</code>, unless you change the setting.
        </p>
        <NeedsKey />
      </>
    );
  return (
    <form className="stack" onSubmit={(event) => void save(event)}>
      <PathField
        name={key}
        label="Directory of the models"
        help="Choose a disk with enough space: models have tens of gigabytes."
        draft={draft}
        setBy={setBy}
      />
      {task.error !== undefined && <Problem error={task.error} />}
      <div>
        <Button isSubmit tone="primary" disabled={task.isBusy || draft.problemOf(key) !== undefined}>
          Save
        </Button>
      </div>
    </form>
  );
}
