import { type ReactElement, useId } from 'react';

/** One of several choices. */
export interface RadioChoice<Value extends string> {
  readonly value: Value;
  readonly name: string;
  /** The meaning, as a sentence. */
  readonly help: string;
}

/** Choices with their meanings, of which one is selected. */
export function RadioList<Value extends string>({
  choices,
  value,
  onChange,
}: {
  readonly choices: readonly RadioChoice<Value>[];
  readonly value: string;
  readonly onChange: (value: Value) => void;
}): ReactElement {
  const radio = useId();
  return (
    <div className="choice-list roles">
      {choices.map(({ value: one, name, help }) => (
        <label key={one} className="choice-item">
          <input type="radio" name={radio} checked={value === one} onChange={() => onChange(one)} />
          <span>
            <span className="choice-name">{name}</span>
            <span className="muted"> {help}</span>
          </span>
        </label>
      ))}
    </div>
  );
}
