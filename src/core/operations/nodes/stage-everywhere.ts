import type { Deps } from '../../connect/deps.ts';
import { type OpenedStore, openStore } from '../../connect/open-store.ts';
import type { Fleet } from '../../fleet/contract.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { Emit } from '../../kernel/flow/events.ts';
import type { NodeId } from '../../kernel/machine/node-id.ts';
import { nodeNames } from '../../kernel/machine/node-names.ts';
import { formatRef, type ModelRef } from '../../kernel/model-id.ts';
import { ownNodeId } from '../../node/catch-up.ts';
import { executeStage, reportCopies } from '../../node/execute-order.ts';
import { type GivenOrder, type KnownNode, type NodeOutcome, stageOrders } from '../../protocol/fleet.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { GroupFiles } from '../../staging/groups/copy-groups.ts';
import { selectPart } from '../stage/select-part.ts';
import { warnOfProblems } from '../stage/wanted-part.ts';
import { stageHere } from './carry-out-stage.ts';
import { findNodes } from './find-nodes.ts';

/** What nodes are to stage. */
export interface StageOnRequest {
  readonly refs: readonly ModelRef[];
  /** These nodes, by their ids or unique hostnames; every node but the store host when undefined. */
  readonly nodes?: readonly NodeId[] | undefined;
  /** How long the copies stay in use after they were made, in milliseconds. */
  readonly keepMs?: number | undefined;
}

/** The state of a model on a node; sizes in bytes. */
export interface StagedOnNode extends Omit<NodeOutcome, 'freed_bytes' | 'progress' | 'bytes_transferred'> {
  /** `org/name` or `org/name:SELECTOR`. */
  readonly model: string;
  readonly bytes_transferred: number;
}

/** What became of it on each node, model by model. */
export interface StagedEverywhere {
  readonly nodes: readonly StagedOnNode[];
  /** All machines that the store knows: several may have the same hostname. */
  readonly known: readonly KnownNode[];
}

/** How often the store is asked how far its nodes are, in milliseconds. */
const pollEveryMs = 1_000;

/**
 * Orders nodes to stage a model.
 * @throws SkulkError NODE_NOT_FOUND for a node that is named and not known, or when no node is known; USAGE where the store cannot ask them
 */
export async function orderStage(deps: Deps, { refs: [ref], ...request }: StageOnRequest): Promise<GivenOrder> {
  if (ref === undefined) throw new SkulkError('USAGE', 'no model given');
  await using opened = await openStore(deps);
  const fleet = await opened.fleet();
  return giveStage(fleet, ref, { ...request, nodes: await chooseNodes(fleet, request.nodes) });
}

/**
 * Orders nodes to stage models, and follows them until each is done, has failed, or cannot be reached now. The orders stay when this ends
 * early: nodes continue, and unreachable nodes stage the model when they return.
 * @throws SkulkError as `orderStage`; the signal's reason
 */
export async function stageEverywhere(deps: Deps, { refs, nodes: named, keepMs }: StageOnRequest): Promise<StagedEverywhere> {
  await using opened = await openStore(deps);
  const fleet = await opened.fleet();
  const nodes = await chooseNodes(fleet, named);
  const orders: GivenOrder[] = [];
  for (const ref of refs) orders.push(await giveStage(fleet, ref, { nodes, keepMs }));
  for (const ref of refs) await warnOfUnloadable(deps, opened, ref);
  const known = new Map((await fleet.nodes()).map((node) => [node.node_id, node]));
  const own = stageOnThisMachine(deps, fleet, { orders, known });
  try {
    const outcomes = await follow(deps, fleet, { orders, own, known: [...known.values()] });
    return {
      known: [...known.values()],
      nodes: outcomes.flatMap(({ order, outcomes: ofOrder }) =>
        ofOrder.map(({ freed_bytes: _, progress: __, bytes_transferred = 0, ...one }) => ({
          model: nameOf(order),
          ...one,
          bytes_transferred,
          reason: one.reason ?? whyNotYet(one, known.get(one.node)),
        })),
      ),
    };
  } finally {
    await own;
  }
}

/** The nodes that are meant: the store host has the models already. */
async function chooseNodes(fleet: Fleet, named: readonly NodeId[] | undefined): Promise<readonly NodeId[]> {
  if (named !== undefined) return findNodes(fleet, named);
  const nodes = (await fleet.nodes()).filter(({ address }) => address !== null).map(({ node_id }) => node_id);
  if (nodes.length > 0) return nodes;
  throw new SkulkError('NODE_NOT_FOUND', 'the store does not know any other machine', {
    hint: 'a machine becomes known when it runs `skulk serve`, or stages a model of the store',
  });
}

/** The nodes stage a model that no program can load all the same, and their warnings are seen there only. */
async function warnOfUnloadable(deps: Deps, { store }: Pick<OpenedStore, 'store'>, ref: ModelRef): Promise<void> {
  // A model that the store does not have yet, and a store that fails, are reported by the nodes.
  const answer = await store.manifest(ref.modelId, { signal: deps.world.signal }).catch(() => undefined);
  if (answer?.state !== 'ready' || answer.problems === undefined) return;
  const group = selectGroup(ref, answer);
  if (group !== undefined) warnOfProblems({ deps, ref }, answer.problems, group);
}

/** The quantization that a node stages, unless its own card names another one. */
function selectGroup(ref: ModelRef, { manifest, pin }: { readonly manifest: Manifest; readonly pin?: string }): GroupFiles | undefined {
  try {
    return selectPart(ref, manifest, pin).group;
  } catch (error) {
    if (error instanceof SkulkError) return undefined;
    throw error;
  }
}

const giveStage = (
  fleet: Fleet,
  { modelId, selector, revision }: ModelRef,
  { nodes, keepMs }: { readonly nodes: readonly NodeId[]; readonly keepMs?: number | undefined },
): Promise<GivenOrder> =>
  fleet.give({
    kind: 'stage',
    model_id: modelId,
    ...(selector !== undefined && { selector }),
    ...(revision !== undefined && { revision }),
    ...(keepMs !== undefined && { keep_ms: keepMs }),
    force: false,
    nodes,
  });

/** This machine does it by itself when no agent of it listens. @returns whether it had something to do, when that is done */
async function stageOnThisMachine(
  deps: Deps,
  fleet: Fleet,
  { orders, known }: { readonly orders: readonly GivenOrder[]; readonly known: ReadonlyMap<NodeId, KnownNode> },
): Promise<void> {
  if (deps.store !== undefined || deps.config.nodeId === undefined) return;
  const nodeId = await ownNodeId(deps);
  const mine = orders.filter(({ nodes }) => nodes.some(({ node }) => node === nodeId));
  if (mine.length === 0 || known.get(nodeId)?.connected === true) return;
  for (const order of mine) await executeStage(deps, { fleet, nodeId, order, stage: stageHere(deps) });
  await reportCopies(deps, fleet, nodeId);
}

interface Followed {
  readonly order: GivenOrder;
  readonly outcomes: readonly NodeOutcome[];
}

/** Asks how the orders stand until nothing more can be expected soon; progress goes out as one sum over all nodes. */
async function follow(
  deps: Deps,
  fleet: Fleet,
  { orders, own, known }: { readonly orders: readonly GivenOrder[]; readonly own: Promise<void>; readonly known: readonly KnownNode[] },
): Promise<readonly Followed[]> {
  const { signal } = deps.world;
  const show = showProgress(deps.world.emit, known);
  let isOwnDone = false;
  const ownEnded = own.then(
    () => {
      isOwnDone = true;
    },
    () => {
      isOwnDone = true;
    },
  );
  for (;;) {
    const isLast = isOwnDone;
    const followed = await Promise.all(orders.map(async (order) => ({ order, outcomes: await outcomesOf(fleet, order, signal) })));
    show(followed);
    const isAwaited = followed.some(({ outcomes }) => outcomes.some(mayComeSoon));
    if (!isAwaited && isLast) return followed;
    // The store itself waits while an agent is at work.
    if (!isAwaited) await ownEnded;
    signal.throwIfAborted();
  }
}

async function outcomesOf(fleet: Fleet, order: GivenOrder, signal: AbortSignal): Promise<readonly NodeOutcome[]> {
  try {
    return (await fleet.outcome(order.order_id, { waitMs: pollEveryMs, signal })).nodes;
  } catch (error) {
    if (!(error instanceof SkulkError) || error.code !== 'ORDER_NOT_FOUND') throw error;
    return order.nodes.map((one) => ({ ...one, status: 'failed', reason: 'the order was withdrawn', awaited: false }));
  }
}

/** A deferred stage waits for the end of a use, which may take days. */
const mayComeSoon = ({ status, awaited = false }: NodeOutcome): boolean => awaited && status === 'pending';

/** Shows how far each node is, one line for each and model. */
function showProgress(emit: Emit, known: readonly KnownNode[]): (followed: readonly Followed[]) => void {
  const totals = new Map<string, number>();
  const nodeName = nodeNames(known);
  return (followed) => {
    for (const { order, outcomes } of followed) {
      for (const { node, hostname, status, progress } of outcomes) {
        const subject = `${nameOf(order)} on ${nodeName({ node_id: node, hostname })}`;
        const bytesTotal = progress?.bytes_total ?? totals.get(subject) ?? 0;
        if (bytesTotal === 0) continue;
        // Of one that ended, the last bytes are no longer reported.
        const bytesDone = status === 'done' ? bytesTotal : progress?.bytes_done;
        totals.set(subject, bytesTotal);
        if (bytesDone !== undefined) emit({ type: 'progress', doing: 'staging', subject, bytesDone, bytesTotal });
      }
    }
  };
}

/** Why a node has not answered. */
function whyNotYet({ status, awaited = false }: Pick<NodeOutcome, 'status' | 'awaited'>, node: KnownNode | undefined): string | null {
  if (status !== 'pending' || awaited || node === undefined) return null;
  if (node.knows?.includes(stageOrders) !== true) return `its skulk ${node.version} cannot be asked to stage`;
  return node.agent ? 'its server is away' : 'no `skulk serve` runs there';
}

const nameOf = ({ model_id, selector }: GivenOrder): string => (model_id === null ? '' : formatRef({ modelId: model_id, selector }));

/**
 * Withdraws every order that asks nodes to stage a model, or one quantization of it: nodes that are at it stop, and copies that were made stay.
 * @throws SkulkError ORDER_NOT_FOUND when there is no such order
 */
export async function withdrawStages(deps: Deps, { modelId, selector }: ModelRef): Promise<{ readonly withdrawn: readonly GivenOrder[] }> {
  await using opened = await openStore(deps);
  const fleet = await opened.fleet();
  const meant = (await fleet.pendingOrders()).filter(
    (order) => order.kind === 'stage' && order.model_id === modelId && (selector === undefined || order.selector === selector),
  );
  if (meant.length === 0)
    throw new SkulkError('ORDER_NOT_FOUND', `there is no pending order to stage ${formatRef({ modelId, selector })}`, {
      hint: '`skulk nodes` lists pending orders',
    });
  const withdrawn: GivenOrder[] = [];
  for (const { order_id } of meant) withdrawn.push(await fleet.withdraw(order_id));
  return { withdrawn };
}
