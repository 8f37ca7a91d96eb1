import { type ReactElement, useEffect, useState } from 'react';
import type { HubOffer, OfferedQuantization, PlannedFile } from '../../../src/core/protocol/models/hub-offer.ts';
import { useApp } from '../../parts/app-context.ts';
import { formatBytes, plural } from '../../parts/format.ts';
import { Problem } from '../../parts/problem.tsx';
import { useTask } from '../../parts/use-task.ts';
import { askOffer } from './look-up.ts';

/** A repo may have very many files; so many of those that are taken, and of those that are left, are shown. */
const maxShown = 100;

/** Which files a download takes and which it leaves, and why; asked for when it is opened. */
export function PlannedFiles({
  offer: { modelId, revision },
  chosen,
  isOneOf,
}: {
  readonly offer: HubOffer;
  /** The quantization; undefined for a whole model. */
  readonly chosen: OfferedQuantization | undefined;
  /** Whether there are others beside it. */
  readonly isOneOf: boolean;
}): ReactElement {
  const { client } = useApp();
  const [isOpen, setOpen] = useState(false);
  const { start, result, error, isBusy } = useTask<HubOffer>();
  const file = chosen?.gguf_file;
  useEffect(() => {
    if (!isOpen) return;
    const wanted = file === undefined ? {} : { gguf_file: file, exact: true };
    void start((signal) => askOffer(client, { modelId, revision, wanted, mayBeKept: true }, signal));
  }, [isOpen, file, client, modelId, revision, start]);
  const plan = result?.plan;
  return (
    <details className="planned" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{isOneOf ? `Which files of ${chosen?.label}, and why` : 'Which files, and why'}</summary>
      {isBusy && <p className="muted">Asking Hugging Face…</p>}
      {error !== undefined && <Problem error={error} />}
      {plan !== undefined && (
        <>
          <Files title="Taken" files={plan.taken} />
          {plan.left.length > 0 && <Files title="Left" files={plan.left} />}
        </>
      )}
      {result !== undefined && plan === undefined && <p className="muted">This store does not list the files it would download.</p>}
    </details>
  );
}

function Files({ title, files }: { readonly title: string; readonly files: readonly PlannedFile[] }): ReactElement {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return (
    <table className="list files">
      <thead>
        <tr>
          <th scope="col">
            {title}: {plural(files.length, 'file')}
          </th>
          <th scope="col" className="number">
            {formatBytes(bytes)}
          </th>
        </tr>
      </thead>
      <tbody>
        {files.slice(0, maxShown).map(({ path, size, reason }) => (
          <tr key={path}>
            <th scope="row" className="path">
              {path} <span className="muted">{reason}</span>
            </th>
            <td className="number">{formatBytes(size)}</td>
          </tr>
        ))}
        {files.length > maxShown && (
          <tr>
            <td colSpan={2} className="muted">
              and {plural(files.length - maxShown, 'smaller file')}
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}
