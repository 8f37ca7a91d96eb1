import type { GivenOrder, KnownNode } from '../../../../src/core/protocol/fleet.ts';
import type { CountedEntry } from '../../../../src/core/protocol/models/entries.ts';
import type { StagingJob } from '../../../../src/core/protocol/staging.ts';
import { formatCount } from '../../../parts/format.ts';
import type { Named } from '../quantizations.ts';

/** `30.5B, context 40,960`: as far as it is known. Pure. */
export const factsOf = ({ parameters, context_length }: CountedEntry): string =>
  [
    ...(parameters === null ? [] : [formatCount(parameters)]),
    ...(context_length === null ? [] : [`context ${context_length.toLocaleString('en')}`]),
  ].join(', ');

/** Its quantization; of several, how many the store has, and of how many of its repo: `3 of 12`. Pure. */
export function labelQuantizations({ quantizations = [], quantizations_of_repo: ofRepo, quantization }: CountedEntry): string {
  if (quantizations.length <= 1) return quantization ?? '';
  return ofRepo === undefined ? String(quantizations.length) : `${quantizations.length} of ${ofRepo}`;
}

/** The same in words. Pure. */
export const explainQuantizations = ({ quantizations = [], quantizations_of_repo: ofRepo }: CountedEntry): string =>
  `${quantizations.length} quantizations${ofRepo === undefined ? '' : ` of the ${ofRepo} of its repo`}`;

const isSame = (a: string | null | undefined, b: string | null | undefined): boolean => (a ?? '').toLowerCase() === (b ?? '').toLowerCase();

/** Machines to which something is on its way. A whole model counts all of its quantizations. */
export interface OnTheWay {
  readonly machines: number;
  /** How far it is, where this machine is the only one. */
  readonly percent: number | undefined;
}

/** Where a model, or one of its quantizations, is being staged now. Pure. */
export function onTheWay(
  { modelId, selector }: Named,
  {
    orders,
    nodes,
    jobs,
    ownId,
  }: {
    readonly orders: readonly GivenOrder[];
    readonly nodes: readonly KnownNode[];
    readonly jobs: readonly StagingJob[];
    readonly ownId: string | null;
  },
): OnTheWay {
  const isMeant = (one: { readonly model_id: string | null; readonly selector?: string | null | undefined }): boolean =>
    one.model_id === modelId && (selector === undefined || isSame(one.selector, selector));
  const connected = new Set(nodes.flatMap(({ node_id, connected: is }) => (is ? [node_id as string] : [])));
  const asked = orders
    .filter((order) => order.kind === 'stage' && isMeant(order))
    .flatMap((order) => order.nodes.flatMap(({ node, status }) => (status === 'pending' && connected.has(node) ? [node as string] : [])));
  const job = jobs.find((one) => isMeant(one) && (one.status === 'staging' || one.status === 'pending'));
  const machines = new Set([...asked, ...(job === undefined ? [] : [ownId ?? ''])]).size;
  const isAlone = job !== undefined && machines === 1 && job.bytes_total > 0;
  return { machines, percent: isAlone ? Math.floor((job.bytes_done / job.bytes_total) * 100) : undefined };
}

/** One or two machines by their names, more by their number. Pure. */
export function namePlaces(names: readonly string[], nodes: number): string {
  if (names.length === 0) return 'not staged';
  return names.length <= 2 ? names.join(', ') : `${names.length} of ${nodes} nodes`;
}
