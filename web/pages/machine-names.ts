import type { KnownNode } from '../../src/core/protocol/fleet.ts';

/** What each machine is called in a list, by its id: two with the same host name also have the first characters of their ids. Pure. */
export function nameMachines(nodes: readonly KnownNode[]): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  for (const { hostname } of nodes) counts.set(hostname, (counts.get(hostname) ?? 0) + 1);
  return new Map(
    nodes.map(({ node_id, hostname }) => [
      node_id,
      hostname === '' ? node_id : (counts.get(hostname) ?? 0) > 1 ? `${hostname} (${node_id.slice(0, 4)})` : hostname,
    ]),
  );
}
