import { type KeyboardEvent, type ReactElement, useRef } from 'react';
import type { FoundModel } from '../../../../src/core/protocol/models.ts';
import { Age } from '../../../parts/age.tsx';
import { Button } from '../../../parts/button.tsx';
import { formatCount } from '../../../parts/format.ts';
import { Icon } from '../../../parts/icon.tsx';
import { ModelName } from '../../../parts/model-name.tsx';
import { Problem } from '../../../parts/problem.tsx';
import type { Search } from './use-search.ts';

/** The models that a search found, each a button that opens it; arrow keys move between them. */
export function SearchResults({
  search: { models, error, isOld, more },
  words,
  onOpen,
}: {
  readonly search: Search;
  readonly words: string;
  readonly onOpen: (modelId: string) => void;
}): ReactElement {
  const list = useRef<HTMLUListElement>(null);
  const move = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const all = [...(list.current?.querySelectorAll('button') ?? [])];
    const next = step === undefined ? undefined : all[all.indexOf(document.activeElement as HTMLButtonElement) + step];
    if (next === undefined) return;
    event.preventDefault();
    next.focus();
  };
  return (
    <div className={`found${isOld ? ' old' : ''}`} aria-busy={isOld}>
      <p className="visually-hidden" role="status">
        {!isOld && models !== undefined && `${models.length} models found`}
      </p>
      {error !== undefined && <Problem error={error} />}
      {models?.length === 0 && !isOld && (
        <p className="muted">
          No model on Hugging Face matches “{words}”. A private model opens by its full name, <code>org/name</code>.
        </p>
      )}
      {models !== undefined && models.length > 0 && (
        <ul ref={list} aria-label="Models on Hugging Face" onKeyDown={move}>
          {models.map((model) => (
            <li key={model.model_id}>
              <button type="button" onClick={() => onOpen(model.model_id)}>
                <span className="found-name">
                  <ModelName id={model.model_id} /> <Badges model={model} />
                </span>
                <span className="muted found-facts">
                  <Facts model={model} />
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {more !== undefined && !isOld && <Button onClick={more}>Show more</Button>}
    </div>
  );
}

function Badges({ model: { in_store, gated } }: { readonly model: FoundModel }): ReactElement {
  return (
    <>
      {in_store && <span className="badge good">in the store</span>}{' '}
      {gated && (
        <span className="badge warn">
          <Icon name="lock" />
          gated
        </span>
      )}
    </>
  );
}

function Facts({ model: { downloads, parameters, formats, license, updated_at } }: { readonly model: FoundModel }): ReactElement {
  const facts = [
    ...(downloads === null ? [] : [`${downloads.toLocaleString('en')} downloads`]),
    ...(parameters === null ? [] : [formatCount(parameters)]),
    ...(formats.length === 0 ? [] : [formats.map((format) => names[format] ?? format).join(', ')]),
    ...(license === null ? [] : [`license ${license}`]),
  ];
  return (
    <>
      {facts.join(' · ')}
      {updated_at !== null && (
        <>
          {' · updated '}
          <Age at={updated_at} />
        </>
      )}
    </>
  );
}

const names: Readonly<Record<string, string>> = { gguf: 'GGUF', mlx: 'MLX', onnx: 'ONNX' };
