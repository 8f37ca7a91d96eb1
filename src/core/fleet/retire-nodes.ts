import type { NodeId } from '../kernel/machine/node-id.ts';
import type { NodeRecord } from '../protocol/fleet.ts';

/** Limits of the list of nodes. Times are in milliseconds. */
export const nodeBounds = {
  nodes: 1024,
  /** Limits per address: of all nodes, and of nodes without a copy. */
  perAddress: 256,
  emptyPerAddress: 64,
} as const;

/** How long a node without reports is remembered. */
export interface Retention {
  /** For a node without a copy, in milliseconds. */
  readonly emptyForMs: number;
  /** A node with copies is removed later. If it comes back, its first report registers it again. */
  readonly silentForMs: number;
}

/** The default. */
export const defaultRetention: Retention = { emptyForMs: 14 * 24 * 3600_000, silentForMs: 90 * 24 * 3600_000 };

/** The facts that decide about a node. */
export interface RetirementFacts {
  readonly now: number;
  /** Whether the node has a stream of orders, or had one since this server started. */
  readonly listens: (nodeId: NodeId) => boolean;
}

/** The nodes that have not reported for too long. Pure. */
export const silentNodes = (
  nodes: Iterable<NodeRecord>,
  { now, listens }: RetirementFacts,
  { emptyForMs, silentForMs }: Retention,
): readonly NodeId[] =>
  [...nodes]
    .filter((node) => !listens(node.node_id) && isSilent(node, now, isEmpty(node) ? emptyForMs : silentForMs))
    .map(({ node_id }) => node_id);

/**
 * Selects the node that gives way to a new one from an address. Nodes with a stream stay. Nodes without a copy go first, and among them
 * the one without a report for the longest time. So a client that invents nodes only displaces nodes of its own address. Pure.
 * @returns `room` if there is a free slot; undefined if no node may be removed
 */
export function makeWayFor(nodes: Iterable<NodeRecord>, address: string | null, { listens }: RetirementFacts): NodeId | 'room' | undefined {
  const all = [...nodes];
  const own = all.filter((node) => node.address === address);
  const isListFull = all.length >= nodeBounds.nodes;
  const hasTooMany = own.length >= nodeBounds.perAddress || own.filter(isEmpty).length >= nodeBounds.emptyPerAddress;
  if (address !== null && hasTooMany) return oldest(own, listens);
  if (!isListFull) return 'room';
  // From the address with the most nodes without a copy.
  const empty = all.filter((node) => isEmpty(node) && !listens(node.node_id));
  const crowds = [...Map.groupBy(empty, (node) => node.address).values()].toSorted((a, b) => b.length - a.length);
  return oldest(crowds[0] ?? [], listens);
}

function oldest(nodes: readonly NodeRecord[], listens: RetirementFacts['listens']): NodeId | undefined {
  const quiet = nodes.filter((node) => !listens(node.node_id)).toSorted((a, b) => lastSeenAt(a) - lastSeenAt(b));
  return (quiet.find(isEmpty) ?? quiet[0])?.node_id;
}

/** Whether a node has no copy, as far as is known. */
const isEmpty = ({ copies, staged_models }: NodeRecord): boolean => (copies === null ? (staged_models ?? 0) === 0 : copies.length === 0);

const lastSeenAt = ({ last_seen }: NodeRecord): number => {
  const at = Date.parse(last_seen);
  return Number.isFinite(at) ? at : 0;
};

const isSilent = (node: NodeRecord, now: number, forMs: number): boolean => now - lastSeenAt(node) > forMs;
