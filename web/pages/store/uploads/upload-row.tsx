import type { ReactElement } from 'react';
import type { ListedUpload } from '../../../../src/core/protocol/uploads.ts';
import { Age } from '../../../parts/age.tsx';
import { IconButton } from '../../../parts/button.tsx';
import { ModelName } from '../../../parts/model-name.tsx';
import { Progress } from '../../../parts/progress.tsx';
import { useNow } from '../../../parts/use-now.ts';

/** Without a byte for so long an upload counts as stopped. */
const quietMs = 60_000;

/** One unfinished upload: what, who sends it from where, how far it is, and since when. */
export function UploadRow({
  upload: { model_id, who, bytes_done, bytes_total, began_at, last_byte_at },
  sender,
  lock,
  onCancel,
}: {
  readonly upload: ListedUpload;
  readonly sender: string;
  readonly lock: string | undefined;
  readonly onCancel: () => void;
}): ReactElement {
  const now = useNow();
  const isQuiet = now - Date.parse(last_byte_at) > quietMs;
  const isWhole = bytes_total > 0 && bytes_done >= bytes_total;
  return (
    <li>
      <div>
        <ModelName id={model_id} />
        <p className="muted row-more">{who === null ? `from ${sender}` : `by ${who}, from ${sender}`}</p>
      </div>
      <div className="move-state">
        <Progress
          label={`Upload of ${model_id}`}
          bytes_done={bytes_done}
          bytes_total={bytes_total}
          bytes_per_second={null}
          seconds_left={null}
          isStopped={isQuiet && !isWhole}
        />
        <p className="muted row-more">
          began <Age at={began_at} />, last byte <Age at={last_byte_at} />
          {isWhole ? '; everything has arrived and is being checked' : isQuiet && '; it continues when its sender runs skulk add again'}
        </p>
      </div>
      <IconButton icon="close" label={`Cancel the upload of ${model_id}`} lock={lock} onClick={onCancel} />
    </li>
  );
}
