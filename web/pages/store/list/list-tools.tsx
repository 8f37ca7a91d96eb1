import { type ReactElement, useId, useRef, useState } from 'react';
import type { CountedEntry } from '../../../../src/core/protocol/models/entries.ts';
import { plural } from '../../../parts/format.ts';
import { Icon } from '../../../parts/icon.tsx';
import { Menu } from '../../../parts/menu/menu.tsx';
import { isAt, type ListView, type Place, type Places, tagsOf } from './list-models.ts';

interface ListToolsProps {
  readonly view: ListView;
  /** How many models are listed. */
  readonly count: number;
  readonly entries: readonly CountedEntry[];
  readonly places: Places;
  readonly onChange: (view: ListView) => void;
}

const placeNames: Readonly<Record<Place, string>> = { all: 'All', here: 'Staged here', nowhere: 'Not staged' };

/** Looking for models by words, by where they are staged, and by tags. */
export function ListTools(props: ListToolsProps): ReactElement {
  const { view, count, entries, places, onChange } = props;
  const field = useId();
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
      <fieldset className="segments">
        <legend className="visually-hidden">Only models that are staged</legend>
        {(['all', 'here', 'nowhere'] as const).map((place) => (
          <button key={place} type="button" aria-pressed={view.place === place} onClick={() => onChange({ ...view, place })}>
            {placeNames[place]} {entries.filter(({ model_id }) => isAt(model_id, place, places)).length}
          </button>
        ))}
      </fieldset>
      <TagsButton {...props} />
      <p className="muted count" role="status">
        {count === entries.length ? describeCount(entries) : `${count} of ${plural(entries.length, 'model')}`}
      </p>
    </search>
  );
}

/** The tags, of which a model must have all that are chosen. */
function TagsButton({ view, entries, onChange }: ListToolsProps): ReactElement | null {
  const button = useRef<HTMLButtonElement>(null);
  const [isOpen, setOpen] = useState(false);
  const tags = tagsOf(entries);
  if (tags.length === 0) return null;
  const toggle = (tag: string): void =>
    onChange({ ...view, tags: view.tags.includes(tag) ? view.tags.filter((one) => one !== tag) : [...view.tags, tag] });
  return (
    <>
      <button
        ref={button}
        type="button"
        className={`button row-action ${view.tags.length > 0 ? 'chosen' : ''}`}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        onClick={() => setOpen(true)}
      >
        {view.tags.length === 0 ? 'Tags' : plural(view.tags.length, 'tag')}
        <Icon name="down" />
      </button>
      {isOpen && (
        <Menu title="Tags" anchor={button} onClose={() => setOpen(false)}>
          {tags.map((tag) => (
            <button key={tag} type="button" className="menu-item" aria-pressed={view.tags.includes(tag)} onClick={() => toggle(tag)}>
              <span className="menu-check">{view.tags.includes(tag) && <Icon name="check" />}</span>
              <span className="menu-machine-name">{tag}</span>{' '}
              <span className="menu-state">{entries.filter((entry) => entry.tags.some((own) => own === tag)).length}</span>
            </button>
          ))}
        </Menu>
      )}
    </>
  );
}

/** `6 models, 9 quantizations`, where a model of another format counts as one. Pure. */
function describeCount(entries: readonly CountedEntry[]): string {
  const parts = entries.reduce((sum, { quantizations = [] }) => sum + Math.max(1, quantizations.length), 0);
  return `${plural(entries.length, 'model')}${parts > entries.length ? `, ${plural(parts, 'quantization')}` : ''}`;
}
