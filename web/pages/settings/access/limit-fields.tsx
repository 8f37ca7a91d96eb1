import { type ReactElement, useId } from 'react';

/** The names of the limits of a store; an unknown limit of a newer store is shown by its key. */
const names: Readonly<Record<string, string>> = {
  forget_nodes_after_days: 'Forget nodes without copies after (days)',
  forget_nodes_with_copies_after_days: 'Forget nodes with copies after (days)',
  open_uploads: 'Unfinished uploads at one time',
  upload_idle_days: 'Keep an idle upload or download for (days)',
};

/** The limits of the store, as typed. */
export function LimitFields({
  limits,
  onChange,
}: {
  readonly limits: Readonly<Record<string, string>>;
  readonly onChange: (key: string, text: string) => void;
}): ReactElement {
  const field = useId();
  return (
    <div className="field-pair limits">
      {Object.entries(limits).map(([key, text]) => (
        <div key={key} className="field">
          <label htmlFor={`${field}-${key}`}>{names[key] ?? key}</label>
          <input
            id={`${field}-${key}`}
            type="text"
            inputMode="numeric"
            className="short"
            autoComplete="off"
            value={text}
            onChange={(event) => onChange(key, event.target.value)}
          />
        </div>
      ))}
    </div>
  );
}
