import { type ReactElement, useId } from 'react';
import type { CountedEntry } from '../../../../src/core/protocol/models.ts';
import { plural } from '../../../parts/format.ts';
import { Icon } from '../../../parts/icon.tsx';
import type { ListView } from './list-models.ts';

/** Looking for models by words and by tags. */
export function ListTools({
  view,
  tags,
  count,
  entries,
  onChange,
}: {
  readonly view: ListView;
  readonly tags: readonly string[];
  readonly count: number;
  readonly entries: readonly CountedEntry[];
  readonly onChange: (view: ListView) => void;
}): ReactElement {
  const field = useId();
  const toggle = (tag: string): void =>
    onChange({ ...view, tags: view.tags.includes(tag) ? view.tags.filter((one) => one !== tag) : [...view.tags, tag] });
  return (
    <search className="tools">
      <div className="search">
        <Icon name="search" />
        <label htmlFor={field} className="visually-hidden">
          Filter models
        </label>
        <input
          id={field}
          type="search"
          placeholder="Filter models"
          aria-keyshortcuts="/"
          title="Press / to get here, ? for all keys"
          value={view.words}
          onChange={(event) => onChange({ ...view, words: event.target.value })}
        />
      </div>
      {tags.length > 0 && (
        <fieldset className="chips">
          <legend className="visually-hidden">Only models with these tags</legend>
          {tags.map((tag) => (
            <button key={tag} type="button" className="chip" aria-pressed={view.tags.includes(tag)} onClick={() => toggle(tag)}>
              {tag}
            </button>
          ))}
        </fieldset>
      )}
      <p className="muted count" role="status">
        {count === entries.length ? describeCount(entries) : `${count} of ${plural(entries.length, 'model')}`}
      </p>
    </search>
  );
}

/** `6 models, 9 quantizations`. Pure. */
function describeCount(entries: readonly CountedEntry[]): string {
  const parts = entries.reduce((sum, { quantizations = [] }) => sum + quantizations.length, 0);
  return `${plural(entries.length, 'model')}${parts > 0 ? `, ${plural(parts, 'quantization')}` : ''}`;
}
