import type { KnownNode } from '../../src/core/protocol/fleet.ts';
import { nodeNames } from '../api/node-names.ts';

/** What each machine is called in a list, by its id: two with the same host name also have the first characters of their ids. Pure. */
export function nameMachines(nodes: readonly KnownNode[]): ReadonlyMap<string, string> {
  const nameOf = nodeNames(nodes);
  return new Map(nodes.map((node) => [node.node_id, nameOf(node)]));
}
