import { type ReactElement, type ReactNode, useId } from 'react';
import type { SettingKey } from './keys.ts';
import type { Draft } from './use-draft.ts';

/** The properties of every kind of field. */
export interface FieldProps {
  readonly name: SettingKey;
  readonly label: string;
  readonly help?: ReactNode;
  readonly draft: Draft;
  /** The source that overrides the file, if any. */
  readonly setBy: string | undefined;
}

/** A text or a number, with its problem below. */
export function TextField({
  kind = 'text',
  unit,
  after,
  ...props
}: FieldProps & { readonly kind?: 'text' | 'number'; readonly unit?: string; readonly after?: ReactNode }): ReactElement {
  const { name, label, draft, setBy } = props;
  const ids = useFieldIds();
  const value = draft.value(name);
  const problem = draft.problemOf(name);
  const change = (text: string): void => draft.set(name, kind === 'number' ? numberOf(text) : text);
  return (
    <div className="field">
      <label htmlFor={ids.field}>{label}</label>
      <div className="field-row">
        <input
          id={ids.field}
          type="text"
          inputMode={kind === 'number' ? 'decimal' : undefined}
          className={kind === 'number' ? 'short' : undefined}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          disabled={setBy !== undefined}
          value={value === null ? '' : String(value)}
          aria-invalid={problem !== undefined}
          aria-describedby={`${ids.help} ${ids.problem}`}
          onChange={(event) => change(event.target.value)}
        />
        {unit !== undefined && <span className="muted unit">{unit}</span>}
        {after}
      </div>
      <Notes ids={ids} {...props} problem={problem} />
    </div>
  );
}

/** A setting that is on or off. */
export function SwitchField(props: FieldProps): ReactElement {
  const { name, label, draft, setBy } = props;
  const ids = useFieldIds();
  return (
    <div className="field">
      <label className="check">
        <input
          type="checkbox"
          disabled={setBy !== undefined}
          checked={draft.value(name) === true}
          aria-describedby={`${ids.help} ${ids.problem}`}
          onChange={(event) => draft.set(name, event.target.checked)}
        />
        <span>{label}</span>
      </label>
      <Notes ids={ids} {...props} problem={draft.problemOf(name)} />
    </div>
  );
}

interface FieldIds {
  readonly field: string;
  readonly help: string;
  readonly problem: string;
}

function useFieldIds(): FieldIds {
  const field = useId();
  return { field, help: `${field}-help`, problem: `${field}-problem` };
}

function Notes({
  ids,
  help,
  setBy,
  problem,
}: {
  readonly ids: FieldIds;
  readonly help?: ReactNode;
  readonly setBy: string | undefined;
  readonly problem: string | undefined;
}): ReactElement {
  return (
    <>
      <p id={ids.help} className="muted field-help">
        {help}
        {setBy !== undefined && <> Set by {setBy}, which overrides the file.</>}
      </p>
      <p id={ids.problem} className="field-problem" aria-live="polite">
        {problem}
      </p>
    </>
  );
}

/** A text that is not a number stays as typed, so that it can be corrected. */
const numberOf = (text: string): number | string => (/^-?\d+(?:\.\d+)?$/.test(text.trim()) ? Number(text) : text);
