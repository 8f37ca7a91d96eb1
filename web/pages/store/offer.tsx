import { type ReactElement, useId } from 'react';
import type { HubOffer, OfferedQuantization } from '../../../src/core/protocol/models.ts';
import type { ApiError } from '../../api/api-error.ts';
import { useLocks } from '../../parts/access/locks.ts';
import { Button } from '../../parts/button.tsx';
import { formatBytes, plural } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { Problem } from '../../parts/problem.tsx';

/** What is chosen at first: what was named, else what is taken when nothing is. */
export function firstChoice({ quantizations }: HubOffer, selector: string | undefined): string | undefined {
  const named = quantizations.find(({ label, gguf_file }) => label === selector?.toUpperCase() || gguf_file === selector);
  return (named ?? quantizations.find(({ is_preferred }) => is_preferred) ?? quantizations[0])?.gguf_file;
}

/** What a download would bring: its size before a byte is sent, of a GGUF repo one of several. */
export function Offer({
  offer,
  freeBytes,
  chosen,
  isBusy,
  error,
  onChoose,
  onDownload,
}: {
  readonly offer: HubOffer;
  readonly freeBytes: number | undefined;
  readonly chosen: string | undefined;
  readonly isBusy: boolean;
  readonly error: ApiError | undefined;
  readonly onChoose: (ggufFile: string) => void;
  readonly onDownload: (offer: HubOffer) => void;
}): ReactElement {
  const { models: lock } = useLocks();
  const { modelId, commit, quantizations, total_bytes, file_count } = offer;
  const choice = quantizations.find(({ gguf_file }) => gguf_file === chosen);
  const bytes = choice?.size_bytes ?? total_bytes;
  const isTooLarge = freeBytes !== undefined && bytes > freeBytes;
  return (
    <div className="stack offer">
      <p>
        <strong>{modelId}</strong>{' '}
        <span className="muted">
          {offer.revision}, commit <code>{commit.slice(0, 12)}</code>
        </span>
      </p>
      {quantizations.length === 0 ? (
        <p>
          {formatBytes(total_bytes)} in {plural(file_count, 'file')}.
        </p>
      ) : (
        <Choice quantizations={quantizations} chosen={chosen} onChoose={onChoose} />
      )}
      {isTooLarge && (
        <div className="callout warn" role="status">
          <Icon name="warning" />
          <p>That is more than the {formatBytes(freeBytes)} that are free on the store&rsquo;s disk.</p>
        </div>
      )}
      {error !== undefined && <Problem error={error} />}
      <div className="dialog-actions">
        <Button tone="primary" icon="download" disabled={isBusy} lock={lock} onClick={() => onDownload(offer)}>
          Download {formatBytes(bytes)}
        </Button>
      </div>
    </div>
  );
}

function Choice({
  quantizations,
  chosen,
  onChoose,
}: {
  readonly quantizations: readonly OfferedQuantization[];
  readonly chosen: string | undefined;
  readonly onChoose: (ggufFile: string) => void;
}): ReactElement {
  const name = useId();
  return (
    <fieldset className="choice">
      <legend>Quantization</legend>
      <div className="choice-list">
        {quantizations.map(({ label, gguf_file, size_bytes, is_preferred, in_store }) => (
          <label key={gguf_file} className="choice-item">
            <input type="radio" name={name} value={gguf_file} checked={gguf_file === chosen} onChange={() => onChoose(gguf_file)} />
            <span className="choice-name">{label}</span>
            {is_preferred && <span className="badge">recommended</span>}
            {in_store && <span className="badge good">in the store</span>}
            <span className="choice-size">{formatBytes(size_bytes)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
