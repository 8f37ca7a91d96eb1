import type { ReactElement } from 'react';
import type { ConfigView } from '../../../src/core/protocol/settings.ts';
import { useApp } from '../../parts/app-context.ts';
import { RadioList } from '../../parts/radio-list.tsx';
import { type FieldProps, TextField } from './field.tsx';
import { isThisMachine, type SettingKey, type SettingValue, settingOf } from './keys.ts';
import { PathField } from './path-field.tsx';
import type { Draft } from './use-draft.ts';

const key = 'model_store.store_host';

/** Whether this machine keeps the models, or the name of the one that does. */
export function RoleFields({
  view,
  draft,
  field,
  isDisabled,
}: {
  readonly view: ConfigView;
  readonly draft: Draft;
  readonly field: (name: SettingKey, label: string) => Omit<FieldProps, 'help'>;
  /** Whether everything is read-only. */
  readonly isDisabled: boolean;
}): ReactElement {
  const { identity } = useApp();
  const saved = settingOf(view, key);
  const value = draft.value(key);
  // With an address, or without a name, the role is the current one, unless it is about to change.
  const runsAsHost = identity.role === 'store' && !view.restart_because.includes(key);
  const isHostName = (one: SettingValue): boolean => typeof one === 'string' && isThisMachine(one, identity);
  const wasHost = isHostName(saved) || runsAsHost;
  const isHost = value === saved ? wasHost : isHostName(value);
  const becomeHost = (): void => draft.set(key, wasHost ? saved : identity.hostname);
  const becomeNode = (): void => draft.set(key, wasHost ? '' : saved);
  return (
    <fieldset className="card" disabled={isDisabled}>
      <legend>Role of this machine</legend>
      <RadioList
        choices={[
          { value: 'host', name: 'The store host', help: `${identity.hostname} keeps the models and serves them to the others.` },
          { value: 'node', name: 'A node', help: 'It stages its models from another machine.' },
        ]}
        value={isHost ? 'host' : 'node'}
        onChange={(role) => (role === 'host' ? becomeHost() : becomeNode())}
      />
      {isHost ? (
        <PathField
          {...field('model_store.store_path', 'Directory of the models')}
          help="It holds the canonical copies. A new directory is a new store: existing models are not moved."
        />
      ) : (
        <TextField {...field(key, 'Store host')} help="Name or node id of the machine that keeps the models." />
      )}
    </fieldset>
  );
}
