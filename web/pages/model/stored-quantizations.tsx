import type { ReactElement } from 'react';
import type { ShownModel } from '../../../src/core/protocol/models.ts';
import { formatBytes } from '../../parts/format.ts';

/** The quantizations that the store has of a model; nothing where there are none. */
export function StoredQuantizations({ quantizations = [] }: Pick<ShownModel, 'quantizations'>): ReactElement | null {
  if (quantizations.length === 0) return null;
  return (
    <section className="card" aria-labelledby="quantizations">
      <h2 id="quantizations">Quantizations</h2>
      <table className="list files">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" className="number">
              Size
            </th>
            <th scope="col" className="number wide-only">
              Bits per weight
            </th>
            <th scope="col">Staged on</th>
          </tr>
        </thead>
        <tbody>
          {quantizations.map(({ selector, size_bytes, bits_per_weight, staged_on }) => (
            <tr key={selector}>
              <th scope="row" className="path">
                {selector}
              </th>
              <td className="number">{formatBytes(size_bytes)}</td>
              <td className="number wide-only">{bits_per_weight?.toFixed(2) ?? '?'}</td>
              <td>{staged_on.length === 0 ? <span className="muted">–</span> : staged_on.join(', ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
