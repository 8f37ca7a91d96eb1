import type { ReactElement } from 'react';
import type { NodeOutcome } from '../../src/core/protocol/fleet.ts';
import { formatBytes } from '../parts/format.ts';
import { useMachineName } from './use-machine-name.ts';

/** The result of an order on each node, as a list. */
export function Outcomes({ nodes }: { readonly nodes: readonly NodeOutcome[] }): ReactElement | null {
  const nameOf = useMachineName();
  if (nodes.length === 0) return null;
  return (
    <ul className="outcomes">
      {nodes.map((outcome) => (
        <li key={outcome.node} className={outcome.status}>
          <strong>{nameOf(outcome)}</strong> {sentenceOf(outcome)}
        </li>
      ))}
    </ul>
  );
}

/** The result, to follow the node's name. */
export function sentenceOf({ status, freed_bytes, reason }: NodeOutcome): string {
  if (status === 'done') return freed_bytes > 0 ? `freed ${formatBytes(freed_bytes)}` : 'had nothing to remove';
  if (status === 'deferred') return `will remove it later: ${reason ?? 'it is in use'}`;
  if (status === 'failed') return `failed: ${reason ?? 'no reason given'}`;
  return 'not answered yet; pending until it is back';
}
