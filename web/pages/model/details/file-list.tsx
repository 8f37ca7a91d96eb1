import { type ReactElement, useState } from 'react';
import type { ShownModel } from '../../../../src/core/protocol/models/shown-model.ts';
import { Button } from '../../../parts/button.tsx';
import { CopyButton } from '../../../parts/copy-button.tsx';
import { formatBytes, plural } from '../../../parts/format.ts';

/** A model may have 50,000 files; so many are shown at first. */
const firstFiles = 50;

/** The files of a model with what each must hash to. */
export function FileList({ model: { files, source } }: { readonly model: ShownModel }): ReactElement {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? files : files.slice(0, firstFiles);
  return (
    <section className="card flush" aria-labelledby="files">
      <header className="card-head">
        <h2 id="files">Files</h2>
        <p className="muted">{plural(files.length, 'file')}</p>
      </header>
      <table className="list slim model-files">
        <thead>
          <tr>
            <th scope="col">Path</th>
            <th scope="col" className="number">
              Size
            </th>
            <th scope="col" className="wide-only">
              sha256
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ path, size, sha256 }) => (
            <tr key={path}>
              <th scope="row" className="path">
                {path}
              </th>
              <td className="number">{size === null ? '?' : formatBytes(size)}</td>
              <td className="wide-only">
                {sha256 === null ? (
                  <span className="muted">{source === 'python-store' ? 'unknown' : 'not yet'}</span>
                ) : (
                  <span className="digest">
                    <code title={sha256}>{sha256.slice(0, 12)}…</code>
                    <CopyButton text={sha256} what={`the sha256 of ${path}`} />
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < files.length && (
        <div className="card-end">
          <Button onClick={() => setWhole(true)}>Show all {plural(files.length, 'file')}</Button>
        </div>
      )}
    </section>
  );
}
