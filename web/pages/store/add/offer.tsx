import type { ReactElement } from 'react';
import type { HubOffer } from '../../../../src/core/protocol/models.ts';
import type { ApiError } from '../../../api/api-error.ts';
import { useLocks } from '../../../parts/access/locks.ts';
import { useStore } from '../../../parts/app-context.ts';
import { Button } from '../../../parts/button.tsx';
import { formatBytes, plural } from '../../../parts/format.ts';
import { Icon } from '../../../parts/icon.tsx';
import { Problem } from '../../../parts/problem.tsx';
import { Choice } from './choice.tsx';
import { PlannedFiles } from './planned-files.tsx';

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
  // Everything is there already, and nobody has said what is to be fetched again.
  const isUnchosen = quantizations.length > 0 && choice === undefined;
  const downloads = (useStore().topics.downloads?.downloads ?? []).filter((one) => one.modelId === modelId);
  const isTooLarge = !isUnchosen && freeBytes !== undefined && bytes > freeBytes;
  return (
    <div className="stack offer">
      <p>
        <strong>{modelId}</strong>{' '}
        <span className="muted">
          {offer.revision}, commit <code>{commit.slice(0, 12)}</code>
        </span>
      </p>
      {offer.kept !== undefined && (
        <div className="callout warn" role="status">
          <Icon name="warning" />
          <p>This is what the repo had at the last download, because Hugging Face cannot be asked: {offer.kept.reason}.</p>
        </div>
      )}
      {quantizations.length === 0 ? (
        <p>
          {formatBytes(total_bytes)} in {plural(file_count, 'file')}.
        </p>
      ) : (
        <Choice quantizations={quantizations} downloads={downloads} chosen={chosen} onChoose={onChoose} />
      )}
      {isUnchosen && <p className="muted">Every quantization is in the store or downloading. To download one again, choose it.</p>}
      <PlannedFiles offer={offer} chosen={chosen} />
      {isTooLarge && (
        <div className="callout warn" role="status">
          <Icon name="warning" />
          <p>This is more than the {formatBytes(freeBytes)} that are free on the store&rsquo;s disk.</p>
        </div>
      )}
      {error !== undefined && <Problem error={error} />}
      <div className="dialog-actions">
        <Button tone="primary" icon="download" disabled={isBusy || isUnchosen} lock={lock} onClick={() => onDownload(offer)}>
          {isUnchosen ? 'Download' : `Download ${formatBytes(bytes)}`}
        </Button>
      </div>
    </div>
  );
}
