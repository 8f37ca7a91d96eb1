import { type ReactElement, useId, useState } from 'react';
import type { KnownNode } from '../../../../src/core/protocol/fleet.ts';
import type { ListedUpload } from '../../../../src/core/protocol/uploads.ts';
import { useLocks } from '../../../parts/access/locks.ts';
import { useStore } from '../../../parts/app-context.ts';
import { CancelUploadDialog } from './cancel-upload-dialog.tsx';
import { UploadRow } from './upload-row.tsx';

/** What other machines have not finished sending; nothing if all is finished. */
export function UnfinishedUploads(): ReactElement | null {
  const { topics } = useStore();
  // Who sent an upload may cancel it by its id; the dialog asks for that.
  const { models: lock } = useLocks();
  const [cancelling, setCancelling] = useState<ListedUpload>();
  const title = useId();
  const uploads = topics.uploads?.uploads ?? [];
  return (
    <>
      {uploads.length > 0 && (
        <section className="card flush" aria-labelledby={title}>
          <header className="card-head">
            <h2 id={title}>Unfinished uploads</h2>
            {lock !== undefined && <p className="muted">{lock}</p>}
          </header>
          <ul className="moves">
            {uploads.map((upload) => (
              <UploadRow
                key={upload.id}
                upload={upload}
                sender={senderOf(upload, topics.nodes?.nodes ?? [])}
                lock={lock}
                onCancel={() => setCancelling(upload)}
              />
            ))}
          </ul>
        </section>
      )}
      {cancelling !== undefined && <CancelUploadDialog upload={cancelling} onClose={() => setCancelling(undefined)} />}
    </>
  );
}

/** The name of the machine that sends, where exactly one is known at its address. */
function senderOf({ from }: ListedUpload, nodes: readonly KnownNode[]): string {
  const [first, ...others] = nodes.filter(({ address, hostname }) => address === from && hostname !== '');
  return first === undefined || others.length > 0 ? from : `${first.hostname} (${from})`;
}
