import { type ClipboardEvent, type FormEvent, type KeyboardEvent, type ReactElement, useEffect, useId, useRef, useState } from 'react';
import { splitRef } from '../../api/model-ref.ts';
import { useLocks } from '../../parts/access/locks.ts';
import { ViewOnly } from '../../parts/access/view-only.tsx';
import { formatAddAddress } from '../../parts/address/add-address.ts';
import { Button } from '../../parts/button.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Link } from '../../parts/link.tsx';
import { ChosenRepo } from './chosen-repo.tsx';
import { mayOpen } from './is-reference.ts';
import { OtherWays } from './other-ways.tsx';
import { SearchResults } from './search-results.tsx';
import { useAddAddress } from './use-add-address.ts';
import { useSearch } from './use-search.ts';

/** Adding a model from Hugging Face: a search as one types, what the chosen one would bring, and the download. */
export function AddPage(): ReactElement {
  const { words, asked, text, type, open } = useAddAddress();
  const { models: lock } = useLocks();
  const search = useSearch(text, asked === undefined && lock === undefined);
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const [field, help] = [useId(), useId()];
  const isChosen = asked !== undefined;
  const address = formatAddAddress({ words: '', asked });
  const [first] = useState(address);
  const canOpen = mayOpen(text.trim()) && !isChosen;
  useEffect(() => {
    if (!isChosen) input.current?.focus();
  }, [isChosen]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (canOpen) open(splitRef(text));
  };
  const enterList = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowDown' && (event.key !== 'Enter' || canOpen)) return;
    event.preventDefault();
    list.current?.querySelector('a')?.focus();
  };
  const paste = (event: ClipboardEvent<HTMLInputElement>): void => {
    const { selectionStart, selectionEnd, value } = event.currentTarget;
    const pasted = event.clipboardData.getData('text').trim();
    const isWhole = selectionStart === 0 && selectionEnd === value.length;
    if (!isWhole || !mayOpen(pasted) || lock !== undefined) return;
    event.preventDefault();
    open(splitRef(pasted));
  };
  return (
    <>
      <div className="page-head model-page-head">
        <div className="model-title">
          <nav aria-label="Where this is" className="muted">
            <Link to="/">Store</Link>
          </nav>
          <h1>Add a model</h1>
        </div>
      </div>
      <ViewOnly />
      <div className="model-columns">
        <div className="model-main">
          <section className="card flush" aria-label="Search">
            <form onSubmit={submit} className="add-search">
              <label htmlFor={field}>Model on Hugging Face</label>
              <div className="field-row">
                <div className="search">
                  <Icon name="search" />
                  <input
                    ref={input}
                    id={field}
                    type="search"
                    autoComplete="off"
                    autoCapitalize="none"
                    spellCheck={false}
                    aria-describedby={help}
                    value={text}
                    onChange={(event) => type(event.target.value)}
                    onKeyDown={enterList}
                    onPaste={paste}
                  />
                </div>
                <Button isSubmit lock={lock} disabled={!canOpen}>
                  Open
                </Button>
              </div>
              <p id={help} className="muted field-help">
                Words to search for, a full name (<code>org/name@v1.0:Q4_K_M</code>), or the address of a page.
              </p>
            </form>
            {search.isAsked && <SearchResults search={search} words={text.trim()} list={list} onLeave={() => input.current?.focus()} />}
          </section>
          {asked !== undefined && words !== '' && !mayOpen(words) && (
            <p>
              <Link to={formatAddAddress({ words })}>Results for “{words}”</Link>
            </p>
          )}
          {asked !== undefined && <ChosenRepo key={address} asked={asked} takesFocus={address !== first} />}
        </div>
        <div className="model-rail">
          <OtherWays modelId={asked?.modelId} />
        </div>
      </div>
    </>
  );
}
