import { type ReactElement, useId } from 'react';

/** One of several choices. */
export interface RadioChoice<Value extends string> {
  readonly value: Value;
  readonly name: string;
  /** What it means, in a sentence. */
  readonly help: string;
}

/** Choices of which one holds, each with what it means. */
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
