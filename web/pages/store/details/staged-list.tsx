import type { ReactElement } from 'react';
import type { ShownModel } from '../../../../src/core/protocol/models.ts';
import { Age } from '../../../parts/age.tsx';
import { useApp, useStore } from '../../../parts/app-context.ts';
import { formatBytes } from '../../../parts/format.ts';
import { CopyState } from '../../copy-state.tsx';
import { olderParts, stagedOn } from '../quantizations.ts';

/** On which nodes a model is staged, and whether it is used there. */
export function StagedList({ model }: { readonly model: ShownModel }): ReactElement {
  const { model_id: modelId } = model;
  const { identity } = useApp();
  const { topics } = useStore();
  const copies = stagedOn(topics.nodes?.nodes ?? [], { modelId });
  return (
    <section aria-labelledby="staged">
      <h3 id="staged">Staged on</h3>
      {copies.length === 0 ? (
        <p className="muted">No machine has reported a copy.</p>
      ) : (
        <ul className="staged-list">
          {copies.map(({ node, copy, whole }) => (
            <li key={node.node_id}>
              <strong>{node.hostname || node.node_id}</strong>{' '}
              {node.node_id === identity.node_id && <span className="badge">this machine</span>}
              <CopyState copy={copy} />
              <OlderBadge parts={olderParts(whole, model)} />
              <span className="muted">
                {formatBytes(copy.size_bytes)}, last used <Age at={copy.last_used} />
                {!node.connected && (
                  <>
                    ; away since <Age at={node.last_seen} />
                  </>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** Says which quantizations of a copy have other content than the store. */
function OlderBadge({ parts }: { readonly parts: readonly string[] }): ReactElement | null {
  if (parts.length === 0) return null;
  return (
    <span className="badge warn" title="Staging it again there updates it.">
      older: {parts.join(', ')}
    </span>
  );
}
