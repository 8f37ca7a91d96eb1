import type { LineOfParts } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { formatRef, type ModelId } from '../core/kernel/model-id.ts';
import { formatBytes } from '../core/kernel/units.ts';

interface Outcome {
  readonly status: 'pending' | 'done' | 'deferred' | 'failed';
  readonly freed_bytes: number;
  readonly bytes_transferred?: number | undefined;
  readonly reason: string | null;
}

type OnNode = Outcome & { readonly node: string; readonly hostname: string };

const nameOf = ({ node, hostname }: OnNode): string => (hostname === '' ? node : `${hostname} (${node})`);

/** The state of an order on the nodes, except those that had nothing to remove. */
export const nodeLines = (outcomes: readonly OnNode[]): readonly string[] =>
  outcomes.filter(({ status, freed_bytes }) => status !== 'done' || freed_bytes > 0).map(nodeLine);

/** The state of an order on one node. */
function nodeLine(outcome: OnNode): string {
  const name = nameOf(outcome);
  if (outcome.status === 'done') return `${name}: done, freed ${formatBytes(outcome.freed_bytes)}`;
  if (outcome.status === 'deferred') return `${name}: later, ${outcome.reason ?? 'it is in use'}`;
  if (outcome.status === 'failed') return `${name}: failed, ${outcome.reason ?? 'no reason given'}`;
  return `${name}: not answered yet`;
}

/** An order in the store's list. */
export interface ListedOrder {
  readonly kind: string;
  readonly model_id: ModelId | null;
  readonly selector?: string | undefined;
  readonly given_at: string;
  readonly nodes: readonly OnNode[];
}

const copiesOf = ({ model_id, selector }: Pick<ListedOrder, 'model_id' | 'selector'>): string =>
  model_id === null ? 'all copies' : formatRef({ modelId: model_id, selector });

/** The pending orders, with their nodes. */
export function pendingLines(orders: readonly ListedOrder[]): readonly LineOfParts[] {
  return orders.flatMap(({ kind, given_at, nodes, ...what }) =>
    nodes
      .filter(({ status }) => status !== 'done')
      .map((outcome) => ({
        line: [`${kind === 'evict' ? 'delete' : kind} ${copiesOf(what)} on ${nodeLine(outcome)} (asked `, { time: given_at }, ')'],
      })),
  );
}

/** The result of an order of the store on this machine. */
export function orderLine({ kind, ...outcome }: Outcome & Pick<ListedOrder, 'kind' | 'model_id' | 'selector'>): string {
  const what = `the store asked to ${kind === 'evict' ? 'delete' : kind} ${copiesOf(outcome)}`;
  if (outcome.status === 'done')
    return kind === 'stage'
      ? `${what}: done, ${formatBytes(outcome.bytes_transferred ?? 0)} moved`
      : `${what}: freed ${formatBytes(outcome.freed_bytes)}`;
  if (outcome.status === 'pending') return `${what}: not done yet`;
  return `${what}: ${outcome.status === 'deferred' ? 'later' : 'failed'}, ${outcome.reason ?? 'no reason given'}`;
}

/** The error for an order that some nodes have not carried out. A copy in use is removed later automatically. */
export function unfinishedNodes(nodes: readonly OnNode[]): SkulkError | undefined {
  const unfinished = nodes.filter(({ status }) => status === 'pending' || status === 'failed');
  if (unfinished.length === 0) return undefined;
  return new SkulkError('PARTIAL', `not carried out yet on ${unfinished.map(nameOf).join(', ')}`, {
    hint: 'these machines catch up when they are back; `skulk nodes` lists pending orders, `skulk nodes --forget NODE` by an admin removes a machine that will not come back',
  });
}
