import { type ReactElement, useId } from 'react';
import { Icon } from '../../parts/icon.tsx';
import type { ListView } from './list-models.ts';

/** Looking for models by words and by tags. */
export function ListTools({
  view,
  tags,
  count,
  total,
  onChange,
}: {
  readonly view: ListView;
  readonly tags: readonly string[];
  readonly count: number;
  readonly total: number;
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
          Find models
        </label>
        <input
          id={field}
          type="search"
          placeholder="Find models"
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
        {count === total ? `${total} in total` : `${count} of ${total}`}
      </p>
    </search>
  );
}
