import type { ReactElement } from 'react';
import type { KnownNode } from '../../../../src/core/protocol/fleet.ts';
import type { ShownModel } from '../../../../src/core/protocol/models.ts';
import { Age } from '../../../parts/age.tsx';
import { useApp, useStore } from '../../../parts/app-context.ts';
import { formatBytes } from '../../../parts/format.ts';
import { CopyState } from '../../copy-state.tsx';
import { olderParts, type StagedOn, stagedOn } from '../../store/quantizations.ts';

/** Every machine, and what it has of a model: those with a copy first. */
export function StagedList({ model }: { readonly model: ShownModel }): ReactElement {
  const { topics } = useStore();
  const nodes = topics.nodes?.nodes ?? [];
  const copies = stagedOn(nodes, { modelId: model.model_id });
  const others = nodes
    .filter(({ node_id }) => !copies.some(({ node }) => node.node_id === node_id))
    .toSorted((a, b) => a.hostname.localeCompare(b.hostname));
  return (
    <section className="card flush" aria-labelledby="staged">
      <header className="card-head">
        <h2 id="staged">On your machines</h2>
      </header>
      {copies.length === 0 && <p className="muted card-line">No machine has reported a copy.</p>}
      <ul className="machines">
        {copies.map((copy) => (
          <Copy key={copy.node.node_id} {...copy} model={model} />
        ))}
        {others.map((node) => (
          <li key={node.node_id} className="machine">
            <Name node={node} />
            <span className="muted machine-more">
              not staged{node.free_bytes !== null && `, ${formatBytes(node.free_bytes)} free`}
              <Away node={node} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Copy({ node, copy, whole, model }: StagedOn & { readonly model: ShownModel }): ReactElement {
  const parts = (whole.quantizations ?? []).flatMap(({ selector }) => selector ?? []);
  const older = olderParts(whole, model);
  return (
    <li className="machine">
      <Name node={node} />
      <CopyState copy={copy} />
      <span className="muted machine-more">
        {parts.map((selector) => (
          <span key={selector} className="label">
            {selector}
          </span>
        ))}{' '}
        {formatBytes(copy.size_bytes)}, used <Age at={copy.last_used} />
        <Away node={node} />
      </span>
      {older.length > 0 && (
        <span className="badge warn machine-more" title="Staging it again there updates it.">
          older: {older.join(', ')}
        </span>
      )}
    </li>
  );
}

function Name({ node }: { readonly node: KnownNode }): ReactElement {
  const { identity } = useApp();
  return (
    <span className="machine-name">
      <span className={`dot ${node.connected ? 'live' : 'away'}`} aria-hidden="true" />
      <strong>{node.hostname || node.node_id}</strong> {node.node_id === identity.node_id && <span className="badge">this machine</span>}
    </span>
  );
}

function Away({ node: { connected, last_seen, agent } }: { readonly node: KnownNode }): ReactElement | null {
  if (connected) return null;
  return (
    <>
      ; {agent ? 'away' : 'no agent'}, last seen <Age at={last_seen} />
    </>
  );
}
