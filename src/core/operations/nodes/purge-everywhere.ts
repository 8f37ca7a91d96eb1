import type { Deps } from '../../connect/deps.ts';
import { openStore } from '../../connect/open-store.ts';
import type { NodeId } from '../../kernel/machine/node-id.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import type { GivenOrder, KnownNode, NodeOutcome } from '../../protocol/fleet.ts';
import { logUnserved } from '../store/log-change.ts';
import { findNodes } from './find-nodes.ts';
import { awaitNodes, findConcerned, mergeOutcomes, usualWaitMs, withoutUnconcerned } from './order-everywhere.ts';

/** The order to every node, and its state. */
export interface PurgedEverywhere {
  /** The first one if there are several. */
  readonly order: Omit<GivenOrder, 'nodes'>;
  readonly freed_bytes: number;
  readonly nodes: readonly NodeOutcome[];
}

/** Which copies to remove, and where. */
export interface PurgeRequest {
  /** Models, or quantizations of them; empty means every model. */
  readonly refs: readonly ModelRef[];
  readonly force: boolean;
  /** Only these nodes, by their ids or unique hostnames; undefined means every node. */
  readonly nodes?: readonly NodeId[] | undefined;
  readonly waitMs?: number | undefined;
}

/**
 * Orders every node to remove its staged copies, all of them or those of some models. Canonical copies stay, even if they are used in
 * place.
 * @returns also all machines that the store knows, because several may have the same hostname
 * @throws SkulkError NODE_NOT_FOUND for an unknown node
 */
export async function purgeEverywhere(
  deps: Deps,
  { refs, force, nodes: named, waitMs = usualWaitMs }: PurgeRequest,
): Promise<PurgedEverywhere & { readonly known: readonly KnownNode[] }> {
  await using opened = await openStore(deps);
  const fleet = await opened.fleet();
  const nodeIds = named === undefined ? undefined : await findNodes(fleet, named);
  const { isConcerned, known } = await findConcerned(fleet);
  const give = (ref: ModelRef | undefined): Promise<GivenOrder> =>
    logUnserved(
      deps,
      opened,
      { action: 'purge', model_id: ref?.modelId ?? null, selector: ref?.selector ?? null },
      () =>
        fleet.give({
          kind: 'purge',
          model_id: ref?.modelId ?? null,
          ...(ref?.selector !== undefined && { selector: ref.selector }),
          force,
          ...(nodeIds !== undefined && { nodes: nodeIds }),
        }),
      (order) => (order.nodes.length > 0 ? { state: 'accepted' } : {}),
    );
  const [first, ...others] = refs;
  const { nodes: atFirst, ...order } = await give(first);
  const orders: GivenOrder[] = [{ ...order, nodes: atFirst }];
  for (const ref of others) orders.push(await give(ref));
  const lists = await Promise.all(
    orders.map(async (given) => {
      const outcomes = await awaitNodes(deps, fleet, given, { waitMs, isForAll: named === undefined });
      // Explicitly named nodes are always listed, even without a copy.
      return named === undefined ? withoutUnconcerned(outcomes, given, isConcerned) : outcomes;
    }),
  );
  const nodes = mergeOutcomes(lists);
  return { order, freed_bytes: nodes.reduce((sum, { freed_bytes }) => sum + freed_bytes, 0), nodes, known };
}
