import { type KeyboardEvent, type ReactElement, type RefObject, useEffect, useRef } from 'react';
import type { FoundModel } from '../../../src/core/protocol/models/found-models.ts';
import { formatAddAddress } from '../../parts/address/add-address.ts';
import { Age } from '../../parts/age.tsx';
import { Button } from '../../parts/button.tsx';
import { formatBytes, formatCount, plural } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { Link } from '../../parts/link.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { Problem } from '../../parts/problem.tsx';
import { useRoom } from './use-room.ts';
import type { Search } from './use-search.ts';

/** The models that a search found, each a link that opens it; arrow keys move between them and the field. */
export function SearchResults({
  search: { models, error, isOld, more },
  words,
  list,
  onLeave,
}: {
  readonly search: Search;
  readonly words: string;
  readonly list: RefObject<HTMLUListElement | null>;
  /** Moves the focus to the field above. */
  readonly onLeave: () => void;
}): ReactElement {
  // The first of those that were asked for has the focus, because the button for them is gone.
  const firstOfMore = useRef<number>(undefined);
  useEffect(() => {
    if (firstOfMore.current === undefined || isOld) return;
    const links = list.current?.querySelectorAll('a');
    (links?.[firstOfMore.current] ?? links?.[firstOfMore.current - 1])?.focus();
    firstOfMore.current = undefined;
  }, [isOld, list]);
  const move = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    const all = [...(list.current?.querySelectorAll('a') ?? [])];
    const at = all.indexOf(document.activeElement as HTMLAnchorElement) + step;
    event.preventDefault();
    if (at < 0) onLeave();
    else all[at]?.focus();
  };
  return (
    <div className={`found${isOld ? ' old' : ''}`} aria-busy={isOld}>
      <p className="visually-hidden" role="status">
        {!isOld && models !== undefined && `${plural(models.length, 'model')} found`}
      </p>
      {error !== undefined && <Problem error={error} />}
      {isOld && models === undefined && <p className="muted card-line">Asking Hugging Face…</p>}
      {models?.length === 0 && !isOld && (
        <p className="muted card-line">
          No model on Hugging Face matches “{words}”. A private model opens by its full name, <code>org/name</code>.
        </p>
      )}
      {models !== undefined && models.length > 0 && (
        <ul ref={list} aria-label="Models on Hugging Face" onKeyDown={move}>
          {models.map((model) => (
            <li key={model.model_id}>
              <Link
                to={formatAddAddress({ words, asked: { modelId: model.model_id, revision: undefined, selector: undefined } })}
                className="found-model"
              >
                <span className="found-name">
                  <ModelName id={model.model_id} /> <Badges model={model} />
                </span>
                <span className="muted found-facts">
                  <Facts model={model} />
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
      {more !== undefined && models !== undefined && (
        <div className="card-line">
          <Button
            disabled={isOld}
            onClick={() => {
              firstOfMore.current = models.length;
              more();
            }}
          >
            Show more
          </Button>
        </div>
      )}
    </div>
  );
}

function Badges({ model: { in_store, gated, weights_bytes: bytes } }: { readonly model: FoundModel }): ReactElement {
  const freeBytes = useRoom()?.freeBytes ?? Number.POSITIVE_INFINITY;
  return (
    <>
      {in_store && (
        <span className="badge good">
          <Icon name="check" />
          in the store
        </span>
      )}{' '}
      {gated && (
        <span className="badge">
          <Icon name="lock" />
          gated
        </span>
      )}{' '}
      {!in_store && bytes != null && bytes > freeBytes && (
        <span className="badge warn">
          needs {formatBytes(bytes)}, {formatBytes(freeBytes)} free
        </span>
      )}
    </>
  );
}

function Facts({
  model: { downloads, parameters, formats, license, weights_bytes: bytes, updated_at },
}: {
  readonly model: FoundModel;
}): ReactElement {
  const facts = [
    ...(downloads === null ? [] : [`${downloads.toLocaleString('en')} downloads`]),
    ...(bytes == null ? [] : [formatBytes(bytes)]),
    ...(parameters === null ? [] : [`${formatCount(parameters)} parameters`]),
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
