import { type ReactElement, type RefObject, useEffect, useRef, useState } from 'react';
import type { OfferedQuantization } from '../../../src/core/protocol/models/hub-offer.ts';
import type { ApiError } from '../../api/api-error.ts';
import type { RefParts } from '../../api/model-ref.ts';
import { presenceOf } from '../../api/offer-presence.ts';
import { useLocks } from '../../parts/access/locks.ts';
import { useStore } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';
import { formatBytes, plural } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { Link } from '../../parts/link.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { pathOfModel } from '../../parts/model-path.ts';
import { Problem } from '../../parts/problem.tsx';
import { Attention } from '../store/moving/attention.tsx';
import { DownloadRow } from '../store/moving/download-row.tsx';
import { useTroubles } from '../store/moving/troubles.ts';
import { keyOfDownload } from '../store/quantizations.ts';
import { ChooseQuantizations } from './choose-quantizations.tsx';
import type { Found } from './look-up.ts';
import { PlannedFiles } from './planned-files.tsx';
import { describeLack, sumChosen } from './sum-chosen.ts';
import { TokenField } from './token-field.tsx';
import { useDownload } from './use-download.ts';
import { useLookup } from './use-lookup.ts';
import { useRoom } from './use-room.ts';

/** One model of Hugging Face: what there is of it, what the store has, and what an addition would bring. */
export function ChosenRepo({
  asked,
  takesFocus,
}: {
  readonly asked: RefParts;
  /** Whether it was opened on this page: what opened it has gone or has done its work. */
  readonly takesFocus: boolean;
}): ReactElement {
  const { modelId } = asked;
  const { models: lock } = useLocks();
  const { topics } = useStore();
  const { found, error, retry } = useLookup(asked, lock === undefined);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (takesFocus) heading.current?.focus({ preventScroll: true });
  }, [takesFocus]);
  const isStored = topics.registry?.entries.some(({ model_id }) => model_id === modelId) === true;
  const { troubles, dismiss } = useTroubles((topics.downloads?.downloads ?? []).filter((one) => one.modelId === modelId));
  const isClosed = (error !== undefined && isGated(error.message)) || troubles.some((one) => isGated(one.error ?? ''));
  return (
    <>
      <section className="card flush" aria-labelledby="chosen">
        <header className="card-head">
          <h2 id="chosen" ref={heading} tabIndex={-1}>
            <ModelName id={found?.offer.modelId ?? modelId} />
          </h2>
          {isStored && <Link to={pathOfModel(modelId)}>Open its page</Link>}
          {found !== undefined && (
            <p className="muted">
              {found.offer.revision}, commit <code>{found.offer.commit.slice(0, 12)}</code>
            </p>
          )}
        </header>
        <div role="status">
          {lock === undefined && found === undefined && error === undefined && <p className="muted card-line">Asking Hugging Face…</p>}
        </div>
        {lock !== undefined && <p className="muted card-line">{lock}</p>}
        {error !== undefined && !isClosed && <LookupProblem error={error} onRetry={retry} />}
        {found !== undefined && <Choice found={found} asked={asked} isStored={isStored} heading={heading} />}
      </section>
      {isClosed && <TokenField modelId={modelId} />}
      <Attention troubles={troubles} lock={lock} onDismiss={dismiss} />
    </>
  );
}

const isGated = (message: string): boolean => / is gated /.test(message);

function LookupProblem({ error, onRetry }: { readonly error: ApiError; readonly onRetry: () => void }): ReactElement {
  return (
    <div className="card-line stack">
      <Problem error={error} />
      <div>
        <Button icon="retry" onClick={onRetry}>
          Try again
        </Button>
      </div>
    </div>
  );
}

function Choice({
  found: { offer, named, refusal },
  asked: { revision },
  isStored,
  heading,
}: {
  readonly found: Found;
  readonly asked: RefParts;
  readonly isStored: boolean;
  readonly heading: RefObject<HTMLHeadingElement | null>;
}): ReactElement {
  const { models: lock } = useLocks();
  const { topics } = useStore();
  const room = useRoom();
  const { modelId, quantizations, total_bytes, file_count } = offer;
  const download = useDownload(modelId, revision);
  const downloads = (topics.downloads?.downloads ?? []).filter((one) => one.modelId === modelId);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(() => {
    // What is there already is not chosen by itself, except by its name.
    const first = quantizations.find((one) =>
      named === undefined ? one.is_preferred && presenceOf(one, downloads) === 'absent' : one.gguf_file === named,
    );
    return new Set(first === undefined ? [] : [first.gguf_file]);
  });
  const isFree = (one: OfferedQuantization): boolean => ['absent', 'older'].includes(presenceOf(one, downloads));
  const wanted = quantizations.filter((one) => chosen.has(one.gguf_file) && isFree(one));
  const isWhole = quantizations.length === 0;
  const bytes = isWhole ? total_bytes : sumChosen(offer, wanted);
  const coming = downloads.filter(({ status }) => status === 'pending' || status === 'downloading');
  const [said, setSaid] = useState('');
  const add = async (): Promise<void> => {
    const left = await download.begin(wanted.map(({ gguf_file }) => gguf_file));
    setChosen(new Set(left));
    if (left.length > 0) return;
    setSaid(isWhole ? `Downloading ${modelId}.` : `Downloading ${wanted.map(({ label }) => label).join(', ')}.`);
    heading.current?.focus({ preventScroll: true });
  };
  return (
    <>
      {offer.kept !== undefined && (
        <div className="callout warn" role="status">
          <Icon name="warning" />
          <p>This is what the repo had at the last download, because Hugging Face cannot be asked: {offer.kept.reason}.</p>
        </div>
      )}
      {refusal !== undefined && <Problem error={refusal} />}
      {!isWhole && (
        <ChooseQuantizations
          quantizations={quantizations}
          downloads={downloads}
          chosen={chosen}
          lock={lock}
          onChoose={(file, isChosen) => setChosen(new Set(isChosen ? [...chosen, file] : [...chosen].filter((one) => one !== file)))}
        />
      )}
      {isWhole && coming.length > 0 && (
        <ul className="moves" aria-label="Coming in">
          {coming.map((one) => (
            <DownloadRow key={keyOfDownload(one)} download={one} lock={lock} />
          ))}
        </ul>
      )}
      {isWhole && (
        <p className="card-line">
          {formatBytes(total_bytes)} in {plural(file_count, 'file')}.{' '}
          {isStored && (
            <span className="badge good">
              <Icon name="check" />
              in the store
            </span>
          )}
        </p>
      )}
      {!isWhole && !quantizations.some(isFree) && <p className="muted card-line">Every quantization is in the store or downloading.</p>}
      <div className="card-line add-files">
        {(isWhole ? [undefined] : wanted).map((one) => (
          <PlannedFiles key={one?.gguf_file} offer={offer} chosen={one} isOneOf={wanted.length > 1} />
        ))}
      </div>
      {download.error !== undefined && <Problem error={download.error} />}
      <div className="card-line add-end">
        {room !== undefined && (bytes <= room.freeBytes || (!isWhole && wanted.length === 0)) && (
          <p className="muted">
            {formatBytes(room.freeBytes)} free on {room.host}
          </p>
        )}
        {room !== undefined && bytes > room.freeBytes && (isWhole || wanted.length > 0) && (
          <p className="lack">
            <Icon name="warning" /> {describeLack(isWhole ? ['It'] : wanted.map(({ label }) => label), bytes, room)}
          </p>
        )}
        <Button
          tone="primary"
          icon="download"
          lock={lock}
          disabled={download.isBusy || (isWhole ? coming.length > 0 : wanted.length === 0)}
          onClick={() => void add()}
        >
          {nameAddition({ isWhole, isStored, wanted, bytes })}
        </Button>
      </div>
      <p className="visually-hidden" role="status">
        {said}
      </p>
    </>
  );
}

/** The words on the button: `Add Q4_K_M (6.8 GiB)`, `Add 2 (15.8 GiB)`. Pure. */
function nameAddition({
  isWhole,
  isStored,
  wanted,
  bytes,
}: {
  readonly isWhole: boolean;
  readonly isStored: boolean;
  readonly wanted: readonly OfferedQuantization[];
  readonly bytes: number;
}): string {
  if (isWhole) return `${isStored ? 'Add again' : 'Add the model'} (${formatBytes(bytes)})`;
  if (wanted.length === 0) return 'Add';
  return `Add ${wanted.length === 1 ? wanted[0]?.label : wanted.length} (${formatBytes(bytes)})`;
}
