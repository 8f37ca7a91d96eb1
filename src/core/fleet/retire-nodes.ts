import type { NodeId } from '../kernel/machine/node-id.ts';
import type { NodeRecord } from '../protocol/fleet.ts';

/** Bounds of the list of nodes. Times are in milliseconds. */
export const nodeBounds = {
  nodes: 1024,
  /** Of them, from one address; without a copy only so many. */
  perAddress: 256,
  emptyPerAddress: 64,
} as const;

/** How long a node is remembered that no longer reports. */
export interface Remembrance {
  /** Without a copy, in milliseconds. */
  readonly emptyForMs: number;
  /** One that had copies is dropped later: if it comes back, it is known again at its first report. */
  readonly silentForMs: number;
}

/** Where nobody says otherwise. */
export const usualRemembrance: Remembrance = { emptyForMs: 14 * 24 * 3600_000, silentForMs: 90 * 24 * 3600_000 };

/** What decides about a node. */
export interface RetirementFacts {
  readonly now: number;
  /** Whether the node holds a stream of orders, or held one since this server began. */
  readonly listens: (nodeId: NodeId) => boolean;
}

/** The nodes that have not reported for too long. Pure. */
export const silentNodes = (
  nodes: Iterable<NodeRecord>,
  { now, listens }: RetirementFacts,
  { emptyForMs, silentForMs }: Remembrance,
): readonly NodeId[] =>
  [...nodes]
    .filter((node) => !listens(node.node_id) && isSilent(node, now, isEmpty(node) ? emptyForMs : silentForMs))
    .map(({ node_id }) => node_id);

/**
 * Which node makes way for a new one that reports from an address: of those that hold no stream, first such without a copy, and of them
 * the one that has not reported for longest. So anyone who invents nodes pushes out nodes of its own address. Pure.
 * @returns `room` when none has to go; undefined when none may go
 */
export function makeWayFor(nodes: Iterable<NodeRecord>, address: string | null, { listens }: RetirementFacts): NodeId | 'room' | undefined {
  const all = [...nodes];
  const own = all.filter((node) => node.address === address);
  const isListFull = all.length >= nodeBounds.nodes;
  const hasTooMany = own.length >= nodeBounds.perAddress || own.filter(isEmpty).length >= nodeBounds.emptyPerAddress;
  if (address !== null && hasTooMany) return oldest(own, listens);
  if (!isListFull) return 'room';
  // Of the address that has most nodes without a copy.
  const empty = all.filter((node) => isEmpty(node) && !listens(node.node_id));
  const crowds = [...Map.groupBy(empty, (node) => node.address).values()].toSorted((a, b) => b.length - a.length);
  return oldest(crowds[0] ?? [], listens);
}

function oldest(nodes: readonly NodeRecord[], listens: RetirementFacts['listens']): NodeId | undefined {
  const quiet = nodes.filter((node) => !listens(node.node_id)).toSorted((a, b) => lastSeenAt(a) - lastSeenAt(b));
  return (quiet.find(isEmpty) ?? quiet[0])?.node_id;
}

/** Whether a node has no copy, as far as anybody knows. */
const isEmpty = ({ copies, staged_models }: NodeRecord): boolean => (copies === null ? (staged_models ?? 0) === 0 : copies.length === 0);

const lastSeenAt = ({ last_seen }: NodeRecord): number => {
  const at = Date.parse(last_seen);
  return Number.isFinite(at) ? at : 0;
};

const isSilent = (node: NodeRecord, now: number, forMs: number): boolean => now - lastSeenAt(node) > forMs;
