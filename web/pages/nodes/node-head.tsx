import type { ReactElement } from 'react';
import type { KnownNode } from '../../../src/core/protocol/fleet.ts';
import { useLocks } from '../../parts/access/locks.ts';
import { Age } from '../../parts/age.tsx';
import { useApp } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';

/** What stands beside the name of a machine: whether it is connected, and what it is. */
export function NodeBadges({ node, isStoreHost }: { readonly node: KnownNode; readonly isStoreHost: boolean }): ReactElement {
  const { identity } = useApp();
  return (
    <>
      {node.node_id === identity.node_id && <span className="badge">this machine</span>}
      {isStoreHost && <span className="badge">store host</span>}
    </>
  );
}

/** Whether it is connected, and otherwise when it reported last. */
export function NodeState({ node }: { readonly node: KnownNode }): ReactElement {
  if (node.connected) return <>connected</>;
  return (
    <>
      {node.agent ? 'away' : 'no agent'}, last seen <Age at={node.last_seen} />
    </>
  );
}

/** Its state, id, version and address. */
export function NodeFacts({ node }: { readonly node: KnownNode }): ReactElement {
  return (
    <p className="muted">
      <NodeState node={node} /> · <code>{node.node_id}</code> · skulk {node.version}
      {node.address !== null && ` · ${node.address}`}
    </p>
  );
}

/** What can be done with all of it. */
export function NodeActs({
  node,
  name,
  isStoreHost,
  onPurge,
  onForget,
}: {
  readonly node: KnownNode;
  readonly name: string;
  readonly isStoreHost: boolean;
  readonly onPurge: () => void;
  readonly onForget: () => void;
}): ReactElement {
  const { identity } = useApp();
  const { models: lock, nodes: forgetLock } = useLocks();
  return (
    <div className="node-acts">
      {!node.connected && node.node_id !== identity.node_id && !isStoreHost && (
        <Button lock={forgetLock} onClick={onForget} label={`Forget ${name}`}>
          Forget…
        </Button>
      )}
      <Button icon="trash" disabled={(node.staged_models ?? 0) === 0} lock={lock} onClick={onPurge} label={`Purge all on ${name}`}>
        Purge all…
      </Button>
    </div>
  );
}
