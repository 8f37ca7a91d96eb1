import { type ReactElement, useState } from 'react';
import type { OfferedQuantization } from '../../../../src/core/protocol/models/hub-offer.ts';
import { useLocks } from '../../../parts/access/locks.ts';
import { Button } from '../../../parts/button.tsx';
import { Dialog } from '../../../parts/dialog.tsx';
import { Sentence } from '../../../parts/sentence.tsx';
import { Size } from '../../../parts/size.tsx';
import { describeLack } from '../../add/sum-chosen.ts';
import { useDownload } from '../../add/use-download.ts';
import { useRoom } from '../../add/use-room.ts';
import { CancelDownload, DownloadState } from '../../store/moving/download-row.tsx';
import { formatNamed } from '../../store/quantizations.ts';
import { isComing, type QuantizationRow } from './quantization-rows.ts';

/** A quantization that the store does not have: on Hugging Face, or on the way from there. */
export function AbsentRow({
  row: { name, bytes, bits, offered, download },
  modelId,
  revision,
  largest,
}: {
  readonly row: QuantizationRow;
  readonly modelId: string;
  readonly revision: string | undefined;
  readonly largest: number;
}): ReactElement {
  const { models: lock } = useLocks();
  const coming = download !== undefined && isComing(download) ? download : undefined;
  const adding = useDownload(modelId, revision);
  const reason = adding.error?.message ?? (coming === undefined ? (download?.error ?? undefined) : undefined);
  const problem = reason !== undefined && (
    <p className="bad" role="alert">
      <Sentence text={reason} />
    </p>
  );
  return (
    <tr>
      <th scope="row" className="path">
        <span className={coming === undefined ? 'label absent' : 'label'}>{name}</span>{' '}
        {offered?.is_preferred === true && <span className="badge tag">recommended</span>}
        <div className="narrow-only">
          {coming !== undefined && <DownloadState download={coming} />}
          {problem}
        </div>
      </th>
      <td className="number spare">{bits?.toFixed(2) ?? '?'}</td>
      <td className="number">{bytes === 0 ? '?' : <Size bytes={bytes} largest={largest} />}</td>
      <td className="wide-only">
        {coming !== undefined && <DownloadState download={coming} />}
        {coming === undefined && (problem || <span className="muted">–</span>)}
      </td>
      <td className="spare" />
      <td className="actions">
        {coming !== undefined && <CancelDownload download={coming} lock={lock} />}
        {coming === undefined && offered !== undefined && (
          <AddButton
            name={formatNamed({ modelId, selector: name })}
            offered={offered}
            isBusy={adding.isBusy}
            lock={lock}
            onAdd={() => void adding.begin([offered.gguf_file])}
          />
        )}
      </td>
    </tr>
  );
}

/** Starts a download at once, or asks first if it does not fit. */
function AddButton({
  name,
  offered: { label, size_bytes },
  isBusy,
  lock,
  onAdd,
}: {
  readonly name: string;
  readonly offered: OfferedQuantization;
  readonly isBusy: boolean;
  readonly lock: string | undefined;
  readonly onAdd: () => void;
}): ReactElement {
  const room = useRoom();
  const [isAsking, setAsking] = useState(false);
  const lacks = room !== undefined && size_bytes > room.freeBytes;
  return (
    <>
      <Button icon="download" label={`Add ${name}`} lock={lock} disabled={isBusy} onClick={lacks ? () => setAsking(true) : onAdd}>
        Add
      </Button>
      {isAsking && room !== undefined && (
        <Dialog title={`Add ${name}?`} onClose={() => setAsking(false)}>
          <p>{describeLack([label], size_bytes, room)} The download fails unless something is deleted first.</p>
          <div className="dialog-actions">
            <Button takesFocus onClick={() => setAsking(false)}>
              Do not add it
            </Button>
            <Button
              icon="download"
              onClick={() => {
                setAsking(false);
                onAdd();
              }}
            >
              Add {label}
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
