import type { KnownNode } from '../fleet.ts';
import type { ReportedCopy } from '../models/reported-copy.ts';

/** Whether a copy has a quantization, as far as its node reported it; older nodes do not report them. Pure. */
export const mayHave = ({ quantizations }: Pick<ReportedCopy, 'quantizations'>, selector: string): boolean =>
  quantizations === undefined ||
  quantizations.some((one) => one.selector === null || one.selector.toLowerCase() === selector.toLowerCase());

/** The copies that an order is about. */
interface CopyOfOrder {
  readonly model_id: string | null;
  readonly selector?: string | undefined;
}

/** Whether a node reported a copy that an order is about, or did not report its copies. Pure. */
export function mayHaveCopy(
  { copies, staged_models }: Pick<KnownNode, 'copies' | 'staged_models'>,
  { model_id: modelId, selector }: CopyOfOrder,
): boolean {
  if (copies === null) return staged_models !== 0;
  return copies.some((copy) => modelId === null || (copy.model_id === modelId && (selector === undefined || mayHave(copy, selector))));
}

/** Whether a node reported that a copy which an order is about is in use. Pure. */
export const usesCopy = ({ copies }: Pick<KnownNode, 'copies'>, { model_id: modelId, selector }: CopyOfOrder): boolean =>
  copies?.some(
    (copy) =>
      copy.in_use &&
      (modelId === null || copy.model_id === modelId) &&
      (selector === undefined ||
        copy.quantizations?.some((one) => one.in_use && one.selector?.toLowerCase() === selector.toLowerCase()) === true),
  ) === true;

/** The nodes that reported a quantization of a model; those that do not report quantizations count for none. Pure. */
export const stagedOn = <N extends Pick<ReportedCopy, 'quantizations'>>(nodes: readonly N[], selector: string): readonly N[] =>
  nodes.filter((node) => node.quantizations !== undefined && mayHave(node, selector));
