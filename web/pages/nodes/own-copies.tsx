import type { ReactElement } from 'react';
import { Age } from '../../parts/age.tsx';
import { useApp, useNode, useStore } from '../../parts/app-context.ts';
import { formatBytes, plural } from '../../parts/format.ts';
import { ModelName } from '../../parts/model-name.tsx';
import { CopyState } from '../copy-state.tsx';

/**
 * What this machine has itself, while the store is away, as its programs can use that. Nothing while the store answers.
 * @param isShown whether it is shown then too, because the store does not know what its nodes have
 */
export function OwnCopies({ isShown = false }: { readonly isShown?: boolean }): ReactElement | null {
  const { identity } = useApp();
  const { status } = useStore();
  const storage = useNode().topics.storage;
  if ((status !== 'lost' && !isShown) || identity.role === 'store' || storage === undefined) return null;
  const { models, total_bytes } = storage;
  return (
    <section className="card flush" aria-labelledby="own-copies">
      <header className="card-head">
        <h2 id="own-copies">On this machine</h2>
        <p className="muted">
          {plural(models.length, 'copy', 'copies')}, {formatBytes(total_bytes)}.{' '}
          {status === 'lost' && models.length > 0 && 'They still work.'}
        </p>
      </header>
      {models.length > 0 && (
        <table className="list slim">
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col" className="number">
                Size
              </th>
              <th scope="col" className="wide-only">
                Last used
              </th>
              <th scope="col">State</th>
            </tr>
          </thead>
          <tbody>
            {models.map((copy) => (
              <tr key={copy.model_id}>
                <th scope="row">
                  <ModelName id={copy.model_id} />
                  <p className="muted row-more">
                    <code>{copy.directory}</code>
                  </p>
                </th>
                <td className="number">{formatBytes(copy.size_bytes)}</td>
                <td className="wide-only">
                  <Age at={copy.last_used} />
                </td>
                <td>
                  <CopyState copy={copy} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
