import { SkulkError } from '../kernel/errors.ts';
import type { NodeId } from '../kernel/machine/node-id.ts';
import type { KnownNode, NodeReport } from '../protocol/fleet.ts';
import type { Fleet } from './contract.ts';
import type { FleetState } from './fleet-state.ts';
import { isNews, merge } from './merge-report.ts';
import { understoodBy } from './order-book.ts';
import { makeWayFor, nodeBounds, type RetirementFacts, silentNodes } from './retire-nodes.ts';

/** How often nodes that are gone are looked for, in milliseconds. */
const retireEveryMs = 3600_000;
/** So many copies are remembered over all nodes; whoever reports beyond that is known without its list. */
const maxCopies = 10_000;

/** The part of a fleet that is about its nodes. */
export function createKnownNodes(state: FleetState): Pick<Fleet, 'report' | 'nodes' | 'forget'> {
  const saveNodes = createNodeSaver(state);
  const retire = createRetirement(state);
  return {
    report: async (report, { address } = {}) => {
      await state.ready();
      const before = state.nodes.get(report.node_id);
      // Without a server nobody can reach this store over HTTP, and what is done here is done at once.
      if (before === undefined && !state.isServer) return [];
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
        : // One after the other, as each may take the last place.
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

/** The answer to whoever names a node that is not known. */
export const unknownNode = (nodeId: NodeId): SkulkError =>
  new SkulkError('NODE_NOT_FOUND', `no node has the name ${nodeId}`, { hint: '`skulk nodes` lists them' });

/** Drops nodes and their orders. Inside of a change. */
async function dropNodes(state: FleetState, gone: readonly NodeId[]): Promise<void> {
  const rest = new Map(state.nodes);
  for (const nodeId of gone) rest.delete(nodeId);
  await state.writeNodes(rest);
  // Others may have reported meanwhile.
  for (const nodeId of gone) state.nodes.delete(nodeId);
  await state.write(...gone.map((forget) => ({ forget })));
}

/** Writes the list of nodes. Who asks before it is begun shares one write: a rack that starts at once would wait for a sync each. */
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

/** Drops nodes that nobody heard of for long, from time to time. */
function createRetirement(state: FleetState): () => Promise<void> {
  let retiredAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (!state.isServer || state.now().getTime() - retiredAt < retireEveryMs) return;
    retiredAt = state.now().getTime();
    const remembered = await state.remembrance();
    await state.change(async () => {
      const gone = silentNodes(state.nodes.values(), factsOf(state), remembered);
      if (gone.length > 0) await dropNodes(state, gone);
    });
  };
}

const factsOf = ({ now, watchers }: FleetState): RetirementFacts => ({ now: now().getTime(), listens: watchers.has });

/** Finds a place for a new node. Inside of a change. Throws CONFLICT. */
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
