import type { Deps } from '../connect/deps.ts';
import type { OpenedStore } from '../connect/open-store.ts';
import { rememberSilence, withSignal } from '../connect/reach-store.ts';
import { SkulkError } from '../kernel/errors.ts';
import { startDeadline } from '../kernel/flow/deadline.ts';
import { ensureNodeId, type NodeId } from '../kernel/machine/node-id.ts';
import { formatRef, type ModelId } from '../kernel/model-id.ts';
import { formatBytes } from '../kernel/units.ts';
import type { Order, OrderKind, OrderOutcome } from '../protocol/fleet.ts';
import { askAsNode, isWithoutStore } from './ask-as-node.ts';
import { describeNode } from './describe-node.ts';
import { executeOrder, executeStage, reportCopies } from './execute-order.ts';
import { noteUnreported } from './note-unreported.ts';
import type { StageForOrder } from './stage-orders.ts';

/** An order that this node carried out, and its result. */
export interface ExecutedOrder {
  readonly order: Order;
  readonly outcome: OrderOutcome;
}

/** An order of the store for this node: carried out, or pending. */
export interface OrderForNode extends Omit<OrderOutcome, 'status'> {
  readonly kind: OrderKind;
  readonly model_id: ModelId | null;
  /** Only this quantization. */
  readonly selector: string | undefined;
  readonly status: OrderOutcome['status'] | 'pending';
}

/** This node's stable id; creates it if there is none. */
export const ownNodeId = ({ config, world }: Deps): Promise<NodeId> => ensureNodeId(config.skulkHome, world.env['SKULK_NODE_ID']);

/**
 * Reports this node to the store, and carries out its orders. Succeeds if the store is unreachable or does not support orders; they are
 * kept until the next time.
 * @param full whether to also report the staged copies, which takes a moment if there are many
 * @param isRequested whether the user asked for this, so that a failure is a warning
 * @param stage carries out orders to stage, which take long; without it they stay pending
 * @param onRefusal called, instead of a warning, if the store refused access
 */
export async function catchUp(
  deps: Deps,
  {
    full,
    isRequested = false,
    stage,
    onRefusal,
  }: { readonly full: boolean; readonly isRequested?: boolean; readonly stage?: StageForOrder; readonly onRefusal?: OnRefusal },
): Promise<readonly ExecutedOrder[]> {
  const executed = await askAsNode(
    deps,
    (opened) => executeOrders(deps, opened, { full, isRequested, stage }),
    (reason, thrown, hint) => reportNotAsked(deps, reason, { thrown, hint, isWarning: isRequested && !isWithoutOrders(thrown), onRefusal }),
  );
  return executed ?? [];
}

async function executeOrders(
  deps: Deps,
  opened: OpenedStore,
  { full, isRequested, stage }: { readonly full: boolean; readonly isRequested: boolean; readonly stage: StageForOrder | undefined },
): Promise<readonly ExecutedOrder[]> {
  const { emit, signal } = deps.world;
  const nodeId = await ownNodeId(deps);
  const fleet = await opened.fleet();
  const about = await describeNode(deps, nodeId, { agent: false, full });
  const orders = await fleet.report(about, { signal, isPatient: isRequested }).catch(async (error: unknown) => {
    rememberSilence(deps, opened, error);
    // A requested report fails with its own error.
    if (!isRequested && (about.staged_models ?? 0) > 0) await noteUnreported(deps, error, { hasCopies: true });
    throw error;
  });
  const executed: ExecutedOrder[] = [];
  let hasStaged = false;
  for (const order of orders) {
    if (order.kind === 'stage') {
      const outcome = stage === undefined ? undefined : await executeStage(deps, { fleet, nodeId, order, stage });
      if (outcome !== undefined) executed.push({ order, outcome });
      hasStaged ||= outcome?.status === 'done';
      continue;
    }
    const outcome = await executeOrder(deps, fleet, nodeId, order);
    executed.push({ order, outcome });
    if (!isRequested && outcome.freed_bytes > 0)
      emit({
        type: 'done',
        message: `the store had asked to ${order.kind === 'evict' ? 'delete' : 'purge'} ${nameOf(order)}: removed here, ${formatBytes(outcome.freed_bytes)}`,
      });
  }
  if (hasStaged || executed.some(({ outcome }) => outcome.freed_bytes > 0)) await reportCopies(deps, fleet, nodeId);
  return executed;
}

const nameOf = ({ model_id, selector }: Order): string => (model_id === null ? 'all copies' : formatRef({ modelId: model_id, selector }));

/**
 * The store's orders for this node, without carrying them out; empty for an unknown node.
 * @param onRefusal called, instead of a warning, if the store refused access
 */
export async function listOrdersForNode(
  deps: Deps,
  { onRefusal }: { readonly onRefusal?: OnRefusal } = {},
): Promise<readonly OrderForNode[]> {
  if (deps.config.nodeId === undefined) return [];
  const orders = await askAsNode(
    deps,
    async (opened): Promise<readonly OrderForNode[]> => {
      const nodeId = await ownNodeId(deps);
      const pending = await (await opened.fleet()).pendingOrders();
      return pending.flatMap(({ kind, model_id, selector, nodes }) => {
        const here = nodes.find(({ node }) => node === nodeId);
        if (here === undefined || here.status === 'done') return [];
        return [{ kind, model_id, selector, status: here.status, freed_bytes: here.freed_bytes, reason: here.reason }];
      });
    },
    (reason, thrown, hint) => reportNotAsked(deps, reason, { thrown, hint, isWarning: !isWithoutOrders(thrown), onRefusal }),
  );
  return orders ?? [];
}

/** Reports the current copies to the store. Its orders wait until the next time, because the user has just requested these copies. */
export async function reportStaged(deps: Deps): Promise<void> {
  await askAsNode(
    deps,
    async (opened) => reportCopies(deps, await opened.fleet(), await ownNodeId(deps)),
    // The earlier request for orders has already reported that it is unreachable.
    async (_, thrown) => (thrown === undefined ? undefined : noteUnreported(deps, thrown, { hasCopies: true })),
  );
}

/**
 * Reports the remaining copies to the store after a command has removed some, so that a delete there does not wait for this machine. The
 * removal does not depend on it: if the store is away, there is only a note, and the next report has the same content. Not for a server,
 * whose agent reports by itself.
 */
export async function reportRemoval(deps: Deps, { limitMs = removalReportMs }: { readonly limitMs?: number } = {}): Promise<void> {
  if (await reportWithin(deps, limitMs)) return;
  deps.world.emit({
    type: 'warning',
    message: `the store did not accept the report within ${limitMs / 1000} s, so it does not know yet which copies were removed`,
    hint: 'check that store; `skulk reconcile` on this machine reports again',
  });
}

/**
 * Reports that a program has begun to use a copy, which may last for weeks. Neither the program nor a report at its end waits long for it,
 * and a failure is only noted.
 */
export async function reportUse(deps: Deps, { limitMs = useReportMs }: { readonly limitMs?: number } = {}): Promise<void> {
  await reportWithin(deps, limitMs);
}

/** @returns whether the report ended in time; a failure is only noted */
async function reportWithin(deps: Deps, limitMs: number): Promise<boolean> {
  const { promise: late, resolve: end } = Promise.withResolvers<'late'>();
  const abort = new AbortController();
  const stop = startDeadline(() => {
    end('late');
    abort.abort();
  }, limitMs);
  const bounded = { ...deps, world: withSignal(deps.world, AbortSignal.any([deps.world.signal, abort.signal])) };
  const reported = askAsNode(
    bounded,
    async (opened) => reportCopies(bounded, await opened.fleet(), await ownNodeId(deps), { isEnding: false }),
    async (reason, thrown) =>
      isWithoutStore(thrown) ? undefined : noteUnreported(deps, thrown ?? new Error(reason), { hasCopies: false }),
  );
  try {
    return (await Promise.race([reported, late])) !== 'late';
  } catch (error) {
    if (deps.world.signal.aborted || !abort.signal.aborted) throw error;
    return false;
  } finally {
    stop();
  }
}

/** A store may answer byte by byte, so the limits of single requests do not bound the report. */
const removalReportMs = 60_000;
const useReportMs = 5_000;

/** Receives the error of a store that refused access. */
export type OnRefusal = (error: SkulkError) => void;

function reportNotAsked(
  { world }: Deps,
  reason: string,
  {
    thrown,
    hint = 'check the store with `skulk health`',
    isWarning,
    onRefusal,
  }: {
    readonly thrown: unknown;
    readonly hint: string | undefined;
    readonly isWarning: boolean;
    readonly onRefusal: OnRefusal | undefined;
  },
): void {
  const message = `cannot ask the store for orders: ${reason}`;
  if (onRefusal !== undefined && isRefusal(thrown)) {
    onRefusal(new SkulkError(thrown.code, message, { hint: thrown.hint, cause: thrown }));
    return;
  }
  if (isWarning) world.emit({ type: 'warning', message, hint: `${hint}; the orders wait for the next \`skulk reconcile\`` });
  else world.emit({ type: 'note', message });
}

/** Whether there are no orders to ask for: without a store, or with the Python program, which never has any. */
const isWithoutOrders = (thrown: unknown): boolean => isWithoutStore(thrown) || (thrown instanceof SkulkError && thrown.code === 'USAGE');

/** Trying again does not help: the token is missing or wrong, or must not be sent. */
const isRefusal = (thrown: unknown): thrown is SkulkError =>
  thrown instanceof SkulkError && (thrown.code === 'CONFIG' || thrown.code === 'TOKEN_WITHHELD');
