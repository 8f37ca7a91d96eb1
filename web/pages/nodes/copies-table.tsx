import type { ReactElement } from 'react';
import type { KnownNode } from '../../../src/core/protocol/fleet.ts';
import type { ReportedCopy } from '../../../src/core/protocol/models/reported-copy.ts';
import { Age } from '../../parts/age.tsx';
import { formatBytes } from '../../parts/format.ts';
import { Link } from '../../parts/link.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { pathOfModel } from '../../parts/model-path.ts';
import { CopyState } from '../copy-state.tsx';
import { CopyActions } from './copy-actions.tsx';

/** The staged copies of a node, with their use and what can be done with each. */
export function CopiesTable({
  node,
  isSilent = false,
  directories,
  onPurge,
}: {
  readonly node: KnownNode;
  /** Whether nothing is said where there are none. */
  readonly isSilent?: boolean;
  /** The directories of its copies by model, as far as they are known. */
  readonly directories: ReadonlyMap<string, string>;
  readonly onPurge: (modelId: string) => void;
}): ReactElement | null {
  const { copies, staged_models, hostname } = node;
  if (copies === null && (staged_models ?? 0) > 0)
    return <p className="muted">{staged_models} staged; it does not report single copies.</p>;
  if (copies === null || copies.length === 0) return isSilent ? null : <p className="muted">Nothing is staged here.</p>;
  return (
    <table className="list copies of-page">
      <caption className="visually-hidden">Staged copies on {hostname}</caption>
      <thead>
        <tr>
          <th scope="col">Model</th>
          <th scope="col" className="number">
            Size
          </th>
          <th scope="col" className="wide-only">
            Last use
          </th>
          <th scope="col" className="copy-state">
            State
          </th>
          <th scope="col" className="actions">
            <span className="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {copies.map((copy) => (
          <tr key={copy.model_id}>
            <th scope="row">
              <Link to={pathOfModel(copy.model_id)} className="row-link">
                <ModelName id={copy.model_id} />
              </Link>
              <Parts copy={copy} />
              {directories.has(copy.model_id) && (
                <p className="muted row-more">
                  <code>{directories.get(copy.model_id)}</code>
                </p>
              )}
              <p className="narrow-only muted row-more">
                used <Age at={copy.last_used} />
              </p>
            </th>
            <td className="number">{formatBytes(copy.size_bytes)}</td>
            <td className="wide-only">
              <Age at={copy.last_used} />
            </td>
            <td className="copy-state">
              <CopyState copy={copy} />
            </td>
            <td className="actions">
              <CopyActions copy={copy} hostname={hostname} onPurge={() => onPurge(copy.model_id)} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The quantizations of a copy, newest use first, where it has any. */
function Parts({ copy: { quantizations = [] } }: { readonly copy: ReportedCopy }): ReactElement | null {
  const names = quantizations.flatMap(({ selector }) => selector ?? []);
  return names.length === 0 ? null : <p className="muted row-more">{names.join(', ')}</p>;
}
