import type { KnownNode } from '../../../core/protocol/fleet.ts';

type Named = Pick<KnownNode, 'hostname' | 'node_id'>;

/** What people call machines: by hostname, and by id as well where several have the same. Pure. */
export function nodeNames(nodes: readonly Named[]): (node: Named) => string {
  const namesakes = Map.groupBy(nodes, ({ hostname }) => hostname.toLowerCase());
  return ({ hostname, node_id }) => {
    if (hostname === '') return node_id;
    const count = namesakes.get(hostname.toLowerCase())?.length ?? 0;
    return count > 1 ? `${hostname} (${node_id})` : hostname;
  };
}
