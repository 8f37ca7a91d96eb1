import { type FormEvent, type ReactElement, useId, useState } from 'react';
import type { HubOffer } from '../../../src/core/protocol/models.ts';
import { modelPath } from '../../api/client.ts';
import { splitRef } from '../../api/model-ref.ts';
import { useLocks } from '../../parts/access/locks.ts';
import { useApp } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Problem } from '../../parts/problem.tsx';
import { useTask } from '../../parts/use-task.ts';
import { firstChoice, Offer } from './offer.tsx';

/** Adding a model from Hugging Face: its name, what that would bring, and the download. */
export function AddDialog({ freeBytes, onClose }: { readonly freeBytes: number | undefined; readonly onClose: () => void }): ReactElement {
  const { client, tell } = useApp();
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState<string>();
  const { models: lock } = useLocks();
  const look = useTask<HubOffer>();
  const download = useTask<unknown>();
  const [field, help] = [useId(), useId()];
  const change = (value: string): void => {
    setText(value);
    look.reset();
    download.reset();
  };
  const find = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const { modelId, revision, selector } = splitRef(text);
    const query = revision === undefined ? '' : `?revision=${encodeURIComponent(revision)}`;
    const offer = await look.start((signal) => client.get<HubOffer>(modelPath('/store/hub', modelId) + query, signal));
    setChosen(offer && firstChoice(offer, selector));
  };
  const begin = async (offer: HubOffer): Promise<void> => {
    const { revision } = splitRef(text);
    const body = { ...(revision !== undefined && { revision }), ...(chosen !== undefined && { gguf_file: chosen, exact: true }) };
    const asked = await download.start((signal) =>
      client.send('POST', modelPath('/store/models', offer.modelId, '/download'), body, signal),
    );
    if (asked === undefined) return;
    tell(`The download of ${offer.modelId} has begun.`);
    onClose();
  };
  return (
    <Dialog title="Add a model" onClose={onClose}>
      <form onSubmit={(event) => void find(event)} className="stack">
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
            <Button isSubmit icon="search" lock={lock} tone={look.result === undefined ? 'primary' : 'plain'} disabled={look.isBusy}>
              Look it up
            </Button>
          </div>
          <p id={help} className="muted field-help">
            A name, a name with a revision (<code>org/name@v1.0</code>), or the address of its page.
          </p>
        </div>
      </form>
      <div role="status">{look.isBusy && <p className="muted">Hugging Face is asked…</p>}</div>
      {look.error !== undefined && <Problem error={look.error} />}
      {look.result !== undefined && (
        <Offer
          offer={look.result}
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
