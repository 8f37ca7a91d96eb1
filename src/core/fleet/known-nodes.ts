import { SkulkError } from '../kernel/errors.ts';
import type { NodeId } from '../kernel/machine/node-id.ts';
import type { KnownNode, NodeReport } from '../protocol/fleet.ts';
import type { Fleet } from './contract.ts';
import type { FleetState } from './fleet-state.ts';
import { isNews, merge } from './merge-report.ts';
import { understoodBy } from './order-book.ts';
import { makeWayFor, nodeBounds, type RetirementFacts, silentNodes } from './retire-nodes.ts';

/** How often old nodes are removed, in milliseconds. */
const retireEveryMs = 3600_000;
/** The maximum number of copies over all nodes. Beyond it, nodes are listed without their copies. */
const maxCopies = 10_000;

/** The part of a fleet that manages its nodes. */
export function createKnownNodes(state: FleetState): Pick<Fleet, 'report' | 'nodes' | 'forget'> {
  const saveNodes = createNodeSaver(state);
  const retire = createRetirement(state);
  return {
    report: async (report, { address } = {}) => {
      await state.ready();
      const before = state.nodes.get(report.node_id);
      // Without a server no other node can reach this store, and local orders are carried out at once.
      if (before === undefined && !state.isServer) return [];
      // A command asks for orders before it knows whether the store has its model. If it has, the node reports its copies next.
      if (before === undefined && isOnlyAsking(report)) return [];
      const bounded = hasRoomFor(state, report) ? report : { ...report, copies: null };
      const enter = (): boolean => {
        const known = state.nodes.get(report.node_id);
        const record = merge(known, bounded, address ?? null, state.now());
        state.nodes.set(record.node_id, record);
        state.changed();
        return isNews(known, record);
      };
      const hasRoom = before !== undefined || makeWayFor(state.nodes.values(), address ?? null, factsOf(state)) === 'room';
      const isNew = hasRoom
        ? enter()
        : // One after the other, because each may take the last free slot.
          await state.change(async () => {
            if (!state.nodes.has(report.node_id)) await makeWay(state, address ?? null);
            return enter();
          });
      if (state.isServer && isNew) await saveNodes();
      await retire();
      return understoodBy(state.book.openFor(report.node_id), report.knows);
    },
    nodes: async () => {
      await state.ready();
      return [...state.nodes.values()].map(
        (record): KnownNode => ({
          ...record,
          connected: state.watchers.has(record.node_id),
          pending_orders: state.book.openFor(record.node_id).length,
        }),
      );
    },
    forget: (nodeId) =>
      state.change(async () => {
        if (!state.nodes.has(nodeId)) throw unknownNode(nodeId);
        await dropNodes(state, [nodeId]);
      }),
  };
}

/** Whether a node neither says what it has staged nor runs an agent. */
const isOnlyAsking = ({ agent, staged_models, copies }: NodeReport): boolean => !agent && staged_models === null && copies === null;

/** The error for an unknown node. */
export const unknownNode = (nodeId: NodeId): SkulkError =>
  new SkulkError('NODE_NOT_FOUND', `no node has the id ${nodeId}`, { hint: '`skulk nodes` lists the nodes' });

/** Removes nodes and their orders. Inside a change. */
async function dropNodes(state: FleetState, gone: readonly NodeId[]): Promise<void> {
  const rest = new Map(state.nodes);
  for (const nodeId of gone) rest.delete(nodeId);
  await state.writeNodes(rest);
  // Others may have reported in the meantime.
  for (const nodeId of gone) state.nodes.delete(nodeId);
  await state.write(...gone.map((forget) => ({ forget })));
}

/**
 * Writes the list of nodes. Calls before the write begins share it: otherwise each node of a rack that starts at once would wait for its
 * own sync.
 */
function createNodeSaver(state: FleetState): () => Promise<void> {
  let waiting: Promise<void> | undefined;
  return () => {
    if (waiting !== undefined) return waiting;
    const begin = (): void => {
      waiting = undefined;
    };
    const saving = state.change(async () => {
      begin();
      await state.writeNodes(state.nodes);
    });
    waiting = saving;
    saving.catch(begin);
    return saving;
  };
}

/** Removes nodes that have been silent for long, at intervals. */
function createRetirement(state: FleetState): () => Promise<void> {
  let retiredAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (!state.isServer || state.now().getTime() - retiredAt < retireEveryMs) return;
    retiredAt = state.now().getTime();
    const remembered = await state.retention();
    await state.change(async () => {
      const gone = silentNodes(state.nodes.values(), factsOf(state), remembered);
      if (gone.length > 0) await dropNodes(state, gone);
    });
  };
}

const factsOf = ({ now, watchers }: FleetState): RetirementFacts => ({ now: now().getTime(), listens: watchers.has });

/** Makes space for a new node. Inside a change. Throws CONFLICT. */
async function makeWay(state: FleetState, address: string | null): Promise<void> {
  const leaving = makeWayFor(state.nodes.values(), address, factsOf(state));
  if (leaving === undefined)
    throw new SkulkError('CONFLICT', `${nodeBounds.nodes} nodes are known, which is the limit`, {
      hint: 'remove one that is gone with `skulk nodes --forget NODE`',
    });
  if (leaving !== 'room') await dropNodes(state, [leaving]);
}

function hasRoomFor({ nodes }: FleetState, { node_id, copies }: NodeReport): boolean {
  const others = [...nodes.values()].filter((record) => record.node_id !== node_id);
  return others.reduce((sum, record) => sum + (record.copies?.length ?? 0), copies?.length ?? 0) <= maxCopies;
}
