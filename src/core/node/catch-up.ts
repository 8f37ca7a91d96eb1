import type { Deps } from '../connect/deps.ts';
import { openStore } from '../connect/open-store.ts';
import { rememberSilence, whyOutOfReach } from '../connect/reach-store.ts';
import { isStagedInPlace } from '../connect/resolve-canonical.ts';
import type { Fleet, Order, OrderKind, OrderOutcome } from '../fleet/contract.ts';
import { SkulkError } from '../kernel/errors.ts';
import { ensureNodeId, type NodeId } from '../kernel/machine/node-id.ts';
import { formatBytes } from '../kernel/units.ts';
import { carryOutOrder, settleOutcome } from './carry-out-order.ts';
import { describeNode } from './describe-node.ts';

/** An order that this node heard of, and what became of it. */
export interface CaughtUp {
  readonly order: Order;
  readonly outcome: OrderOutcome;
}

/** Something that the store asks of this node: done, or still to be done when nothing is to be changed. */
export interface HeardOrder extends Omit<OrderOutcome, 'status'> {
  readonly kind: OrderKind;
  readonly model_id: string | null;
  readonly status: OrderOutcome['status'] | 'pending';
}

/** This node's stable id, made when there is none yet. */
export const ownNodeId = ({ config, world }: Deps): Promise<NodeId> => ensureNodeId(config.skulkHome, world.env['SKULK_NODE_ID']);

/**
 * Says to the store that this node is there, and does what the store asked of it meanwhile. A store that cannot be reached, or
 * that knows no orders, is no failure: the orders are kept until the next time.
 * @param full whether to say also what is staged here, which takes a moment when that is much
 * @param isAskedFor whether a person wants this very thing, and so hears when it was not possible
 */
export async function catchUp(
  deps: Deps,
  { full, isAskedFor = false }: { readonly full: boolean; readonly isAskedFor?: boolean },
): Promise<readonly CaughtUp[]> {
  const { world } = deps;
  try {
    if (await isStagedInPlace(deps, { offline: true })) return [];
    await using opened = await openStore(deps);
    const failure = await whyOutOfReach(deps, opened, 'answer');
    if (failure !== undefined) {
      tellNotAsked(deps, failure.message, isAskedFor);
      return [];
    }
    const nodeId = await ownNodeId(deps);
    const fleet = await opened.fleet();
    const about = await describeNode(deps, nodeId, { agent: false, full });
    const orders = await fleet.report(about, { signal: world.signal }).catch((error: unknown) => {
      rememberSilence(deps, opened, error);
      throw error;
    });
    const done: CaughtUp[] = [];
    for (const order of orders) {
      const outcome = await obey(deps, fleet, nodeId, order);
      done.push({ order, outcome });
      if (!isAskedFor && outcome.freed_bytes > 0)
        world.emit({
          type: 'done',
          message: `the store had asked to ${order.kind} ${order.model_id ?? 'all copies'}: removed here, ${formatBytes(outcome.freed_bytes)}`,
        });
    }
    if (done.some(({ outcome }) => outcome.freed_bytes > 0)) await tellStaged(deps, fleet, nodeId);
    return done;
  } catch (error) {
    if (world.signal.aborted) throw world.signal.reason;
    const isExpected = error instanceof SkulkError && error.code === 'STORE_NOT_CONFIGURED';
    tellNotAsked(deps, error instanceof Error ? error.message : String(error), isAskedFor && !isExpected);
    return [];
  }
}

function tellNotAsked({ world }: Deps, why: string, isAskedFor: boolean): void {
  world.emit({ type: isAskedFor ? 'warning' : 'note', message: `the store was not asked for orders: ${why}` });
}

/** What the store asks of this node and has not heard of, for whoever only wants to know; a node that is not known yet has nothing to do. */
export async function pendingHere(deps: Deps): Promise<readonly HeardOrder[]> {
  const { config, world } = deps;
  try {
    if (config.nodeId === undefined || (await isStagedInPlace(deps, { offline: true }))) return [];
    const nodeId = await ownNodeId(deps);
    await using opened = await openStore(deps);
    const failure = await whyOutOfReach(deps, opened, 'answer');
    if (failure !== undefined) {
      tellNotAsked(deps, failure.message, true);
      return [];
    }
    const orders = await (await opened.fleet()).pendingOrders();
    return orders.flatMap(({ kind, model_id, nodes }) => {
      const here = nodes.find(({ node }) => node === nodeId);
      if (here === undefined || here.status === 'done') return [];
      return [{ kind, model_id, status: here.status, freed_bytes: here.freed_bytes, reason: here.reason }];
    });
  } catch (error) {
    if (world.signal.aborted) throw world.signal.reason;
    const isExpected = error instanceof SkulkError && error.code === 'STORE_NOT_CONFIGURED';
    tellNotAsked(deps, error instanceof Error ? error.message : String(error), !isExpected);
    return [];
  }
}

/** Tells the store what is staged here by now; what it asks is left to the next time, as the copies were just asked for. */
export async function reportStaged(deps: Deps): Promise<void> {
  const { world } = deps;
  try {
    if (await isStagedInPlace(deps, { offline: true })) return;
    await using opened = await openStore(deps);
    if ((await whyOutOfReach(deps, opened, 'answer')) !== undefined) return;
    await tellStaged(deps, await opened.fleet(), await ownNodeId(deps));
  } catch (error) {
    if (world.signal.aborted) throw world.signal.reason;
    world.emit({
      type: 'note',
      message: `the store was not told what is staged: ${error instanceof Error ? error.message : String(error)}`,
    });
  }
}

/** Tells the store what is staged here by now. Nobody asked for that, so a failure is only noted. */
export async function tellStaged(deps: Deps, fleet: Fleet, nodeId: NodeId): Promise<void> {
  const { signal, emit } = deps.world;
  try {
    await fleet.report(await describeNode(deps, nodeId, { agent: false, full: true, isEnding: true }), { signal });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    emit({ type: 'note', message: `the store was not told what is staged: ${error instanceof Error ? error.message : String(error)}` });
  }
}

/** Carries an order out and tells the store. */
export async function obey(deps: Deps, fleet: Fleet, nodeId: NodeId, order: Order): Promise<OrderOutcome> {
  const outcome = await carryOutOrder(deps, order);
  try {
    await fleet.acknowledge(nodeId, order.order_id, outcome);
    if (outcome.status === 'done') await settleOutcome(deps, order);
  } catch (error) {
    if (!(error instanceof SkulkError) || deps.world.signal.aborted) throw error;
    deps.world.emit({ type: 'note', message: `the store does not know yet what became of an order: ${error.message}` });
  }
  return outcome;
}
