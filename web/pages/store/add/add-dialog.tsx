import { type FormEvent, type ReactElement, useEffect, useId, useState } from 'react';
import type { HubOffer } from '../../../../src/core/protocol/models.ts';
import type { ApiError } from '../../../api/api-error.ts';
import { callOf } from '../../../api/call.ts';
import { splitRef } from '../../../api/model-ref.ts';
import { firstChoice } from '../../../api/offer-presence.ts';
import { useLocks } from '../../../parts/access/locks.ts';
import { useApp, useStore } from '../../../parts/app-context.ts';
import { Button } from '../../../parts/button.tsx';
import { Dialog } from '../../../parts/dialog.tsx';
import { Problem } from '../../../parts/problem.tsx';
import { useTask } from '../../../parts/use-task.ts';
import { rememberAsked } from '../moving/troubles.ts';
import { type Found, lookUp } from './look-up.ts';
import { Offer } from './offer.tsx';
import { SearchResults } from './search-results.tsx';
import { TokenField } from './token-field.tsx';
import { useSearch } from './use-search.ts';

/** Adding a model from Hugging Face: a search as one types, what the chosen one would bring, and the download. */
export function AddDialog({
  freeBytes,
  initial = '',
  onClose,
}: {
  readonly freeBytes: number | undefined;
  /** A model that is looked up at once. */
  readonly initial?: string;
  readonly onClose: () => void;
}): ReactElement {
  const { client, tell } = useApp();
  const { topics } = useStore();
  const [text, setText] = useState(initial);
  const [chosen, setChosen] = useState<string>();
  const { models: lock } = useLocks();
  const look = useTask<Found>();
  const download = useTask<unknown>();
  const [field, help] = [useId(), useId()];
  const change = (value: string): void => {
    setText(value);
    look.reset();
    download.reset();
  };
  const find = async (name = text): Promise<void> => {
    const found = await look.start((signal) => lookUp(client, name, signal));
    if (found === undefined) return;
    const { offer, named } = found;
    const downloads = (topics.downloads?.downloads ?? []).filter(({ modelId }) => modelId === offer.modelId);
    const isOffered = offer.quantizations.some(({ gguf_file }) => gguf_file === named);
    setChosen(isOffered ? named : firstChoice(offer.quantizations, downloads)?.gguf_file);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is typed later is looked up when it is asked for
  useEffect(() => {
    if (initial !== '') void find();
  }, []);
  const isSearching = look.result === undefined && look.error === undefined && !look.isBusy;
  const search = useSearch(text, isSearching && lock === undefined);
  const open = (name: string): void => {
    change(name);
    void find(name);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void find();
  };
  const begin = async (offer: HubOffer): Promise<void> => {
    const { revision } = splitRef(text);
    const body = { ...(revision !== undefined && { revision }), ...(chosen !== undefined && { gguf_file: chosen, exact: true }) };
    const asked = await download.start((signal) =>
      client.send(callOf('POST /store/models/:id/download', { id: offer.modelId }), body, signal),
    );
    if (asked === undefined) return;
    rememberAsked(offer.modelId);
    tell(`Started the download of ${offer.modelId}.`);
    onClose();
  };
  return (
    <Dialog title="Add a model" size="wide" onClose={onClose}>
      <form onSubmit={submit} className="stack">
        <div className="field">
          <label htmlFor={field}>Model on Hugging Face</label>
          <div className="field-row">
            <input
              id={field}
              type="text"
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              required
              placeholder="mlx-community/Qwen3-4B-4bit"
              aria-describedby={help}
              value={text}
              onChange={(event) => change(event.target.value)}
            />
            <Button isSubmit lock={lock} tone={look.result === undefined ? 'primary' : 'plain'} disabled={look.isBusy}>
              Open
            </Button>
          </div>
          <p id={help} className="muted field-help">
            Words to search for, a full name (<code>org/name@v1.0:Q4_K_M</code>), or the address of a page.
          </p>
        </div>
      </form>
      <div role="status">{look.isBusy && <p className="muted">Asking Hugging Face…</p>}</div>
      {isSearching && <SearchResults search={search} words={text.trim()} onOpen={open} />}
      {look.error !== undefined && <Problem error={look.error} />}
      {look.error !== undefined && isGated(look.error) && <TokenField modelId={splitRef(text).modelId} />}
      {look.result?.refusal !== undefined && <Problem error={look.result.refusal} />}
      {look.result !== undefined && (
        <Offer
          offer={look.result.offer}
          freeBytes={freeBytes}
          chosen={chosen}
          isBusy={download.isBusy}
          error={download.error}
          onChoose={setChosen}
          onDownload={begin}
        />
      )}
    </Dialog>
  );
}

const isGated = ({ code, message }: ApiError): boolean => code === 'HUB_REFUSED' && / is gated /.test(message);
