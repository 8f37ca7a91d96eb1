import { type FormEvent, type ReactElement, useId, useState } from 'react';
import type { Lan } from '../../../../src/core/protocol/access.ts';
import type { PolicyView } from '../../../../src/core/protocol/settings.ts';
import { callOf } from '../../../api/call.ts';
import { useMayAdminister } from '../../../parts/access/needs-key.tsx';
import { useApp, useNode } from '../../../parts/app-context.ts';
import { Button } from '../../../parts/button.tsx';
import { Icon } from '../../../parts/icon.tsx';
import { Problem } from '../../../parts/problem.tsx';
import { type RadioChoice, RadioList } from '../../../parts/radio-list.tsx';
import { useEdits } from '../../../parts/use-edits.ts';
import { useTask } from '../../../parts/use-task.ts';
import { type HubDraft, HubFields, hubChanges, hubOf } from './hub-fields.tsx';
import { LimitFields } from './limit-fields.tsx';

const choices: readonly RadioChoice<Lan>[] = [
  { value: 'node', name: 'Stage and change models', help: 'Anyone who can open the page can make these changes.' },
  { value: 'read', name: 'List and fetch', help: 'Anyone can list and fetch models. Changing them needs a token with the role node.' },
  { value: 'none', name: 'Nothing', help: 'Every machine and every browser needs a token.' },
];

/** The settings of the store: the rights of the LAN without a token, further names, limits, and Hub clients. A change applies at once. */
export function PolicyForm({ view: given }: { readonly view: PolicyView }): ReactElement {
  const { client, tell } = useApp();
  const mayChange = useMayAdminister();
  const [view, setView] = useState(given);
  const saved = { lan: view.policy['lan'] as Lan, names: namesOf(view), limits: limitsOf(view), hub: hubOf(view) };
  const main = useEdits({ lan: saved.lan, names: saved.names });
  const { lan, names } = main.fields;
  const limits = useEdits(saved.limits);
  const hub = useEdits<Partial<HubDraft>>(saved.hub ?? {});
  const newLimits = Object.entries(limits.fields).filter(([key, text]) => text !== saved.limits[key]);
  const newHub = Object.entries(saved.hub === undefined ? {} : hubChanges(saved.hub, { ...saved.hub, ...hub.fields }));
  const task = useTask<PolicyView>();
  const field = useId();
  const isChanged = lan !== saved.lan || names !== saved.names || newLimits.length > 0 || newHub.length > 0;
  const isClosedByToken = useNode().topics.config?.secrets['model_store.auth.token'] === true && saved.lan !== 'none';
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const server_names = names.split(/[\s,]+/).filter((name) => name !== '');
    // Changes by others meanwhile are kept.
    const changes = {
      ...(lan !== saved.lan && { lan }),
      ...(names !== saved.names && { server_names }),
      ...(newHub.length > 0 && { hub: Object.fromEntries(newHub) }),
      ...(newLimits.length > 0 && { limits: Object.fromEntries(newLimits.map(([key, text]) => [key, numberOf(text)])) }),
    };
    const now = await task.start((signal) => client.send<PolicyView>(callOf('PUT /policy', {}), changes, signal));
    if (now === undefined) return;
    setView(now);
    main.settle(main.edited);
    limits.settle(limits.edited);
    hub.settle(hub.edited);
    tell(`Access control saved to ${now.path}.`);
  };
  return (
    <form className="stack" onSubmit={(event) => void save(event)}>
      <fieldset className="stack policy" disabled={!mayChange}>
        <legend>What the LAN may do without a token</legend>
        <RadioList choices={choices} value={lan} onChange={(value) => main.edit({ lan: value })} />
        {isClosedByToken && (
          <div className="callout warn">
            <Icon name="warning" />
            <p>
              The LAN has no access without a token while <code>SKULK_TOKEN</code> or <code>model_store.auth.token</code> is set.
            </p>
          </div>
        )}
        <div className="field">
          <label htmlFor={field}>Additional names of this store</label>
          <input
            id={field}
            type="text"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            value={names}
            aria-describedby={`${field}-help`}
            onChange={(event) => main.edit({ names: event.target.value })}
          />
          <p id={`${field}-help`} className="muted field-help">
            Host names that a browser or a proxy may use, separated by commas, e.g. models.example.com.
          </p>
        </div>
        <LimitFields limits={limits.fields} onChange={(key, text) => limits.edit({ [key]: text })} />
        {saved.hub !== undefined && <HubFields draft={{ ...saved.hub, ...hub.fields }} onChange={hub.edit} />}
      </fieldset>
      {task.error !== undefined && <Problem error={task.error} />}
      {mayChange && (
        <div>
          <Button isSubmit tone="primary" disabled={!isChanged || task.isBusy}>
            Update access
          </Button>
        </div>
      )}
    </form>
  );
}

function namesOf({ policy }: PolicyView): string {
  const names = policy['server_names'];
  return Array.isArray(names) ? names.join(', ') : '';
}

/** The typed texts. */
function limitsOf({ policy: { limits } }: PolicyView): Readonly<Record<string, string>> {
  if (typeof limits !== 'object' || limits === null) return {};
  return Object.fromEntries(Object.entries(limits).flatMap(([key, value]) => (typeof value === 'number' ? [[key, String(value)]] : [])));
}

/** A text that is not a number is sent unchanged, and the server reports it; an empty text restores the default. */
function numberOf(text: string): number | string | null {
  if (text.trim() === '') return null;
  return /^\s*\d+(?:\.\d+)?\s*$/.test(text) ? Number(text) : text;
}
