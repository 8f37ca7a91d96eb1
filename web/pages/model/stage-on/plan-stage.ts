import type { GivenOrder, KnownNode, NodeOutcome } from '../../../../src/core/protocol/fleet.ts';
import { formatBytes, plural } from '../../../parts/format.ts';
import { nameMachines } from '../../machine-names.ts';
import { type Named, partOf } from '../../store/quantizations.ts';

/** A machine, and what it has of a model. */
export interface Machine {
  readonly node: KnownNode;
  readonly name: string;
  readonly hasCopy: boolean;
  /** How much of a whole model with several quantizations it has, where that is not all: `has 1 of 3`. */
  readonly partly: string | undefined;
  /** The order that asks it to stage this, while that is open. */
  readonly open: { readonly order: GivenOrder; readonly outcome: NodeOutcome } | undefined;
  /** Why it cannot be asked. */
  readonly obstacle: string | undefined;
  /** The free space of its disk, where that is less than the model needs, in bytes. */
  readonly tightBytes: number | undefined;
}

/** What is known of a store, to plan with. */
export interface Fleet {
  readonly nodes: readonly KnownNode[];
  readonly orders: readonly GivenOrder[];
  /** The machine whose page this is. */
  readonly ownId: string | null;
}

/**
 * Whether one of these copies is all of what is named. Pure.
 * @param parts the quantizations of a whole model with several
 */
export function whatItHas(
  copies: readonly Parameters<typeof partOf>[0][],
  named: Named,
  parts: readonly string[],
): Pick<Machine, 'hasCopy' | 'partly'> {
  const copy = copies.find((one) => partOf(one, named) !== undefined);
  // An older node does not report quantizations.
  if (copy?.quantizations === undefined || named.selector !== undefined || parts.length < 2)
    return { hasCopy: copy !== undefined, partly: undefined };
  const held = parts.filter((selector) => partOf(copy, { ...named, selector }) !== undefined).length;
  return held < parts.length ? { hasCopy: false, partly: `has ${held} of ${parts.length}` } : { hasCopy: true, partly: undefined };
}

/** Whether an order asks for exactly this. */
const asksFor = ({ kind, model_id, selector }: GivenOrder, named: Named): boolean =>
  kind === 'stage' && model_id === named.modelId && selector?.toLowerCase() === named.selector?.toLowerCase();

/** Every machine: this one first, the others by name; two of the same name also have the first characters of their ids. Pure. */
export function listMachines(
  { nodes, orders, ownId }: Fleet,
  named: Named,
  bytes: number,
  parts: readonly string[] = [],
): readonly Machine[] {
  const names = nameMachines(nodes);
  return nodes
    .map((node): Machine => {
      const { node_id, copies, knows, free_bytes, version } = node;
      const { hasCopy, partly } = whatItHas(copies ?? [], named, parts);
      const open = orders.flatMap((order) => {
        const outcome = asksFor(order, named) ? order.nodes.find((one) => one.node === node_id && one.status !== 'done') : undefined;
        return outcome === undefined ? [] : [{ order, outcome }];
      });
      return {
        node,
        name: names.get(node_id) ?? node_id,
        hasCopy,
        partly,
        open: open.at(-1),
        obstacle: knows?.includes('stages') === true ? undefined : `skulk ${version} there cannot be asked to stage`,
        tightBytes: !hasCopy && free_bytes !== null && free_bytes < bytes ? free_bytes : undefined,
      };
    })
    .toSorted((a, b) => Number(b.node.node_id === ownId) - Number(a.node.node_id === ownId) || a.name.localeCompare(b.name));
}

/** The machines that can be asked and lack the model; the store host has it already. Pure. */
export const lackingIt = (machines: readonly Machine[]): readonly Machine[] =>
  machines.filter(({ node, hasCopy, open, obstacle }) => node.address !== null && !hasCopy && open === undefined && obstacle === undefined);

/** The question before all of them are asked, in sentences. Pure. */
export function askAll(machines: readonly Machine[], bytes: number | undefined): string {
  const away = machines.flatMap(({ node, name }) => (node.connected ? [] : [name]));
  const later = away.length === 0 ? '' : ` ${away.join(', ')} ${away.length === 1 ? 'is away and gets' : 'are away and get'} it later.`;
  const sum = bytes === undefined ? '' : ` Sends up to ${formatBytes(bytes * machines.length)} in total.`;
  return `Stage on ${plural(machines.length, 'machine')}?${sum}${later}`;
}

/** The state of an order to stage on one machine, to follow its name. Pure. */
export function describeStage({ status, reason, progress, awaited }: NodeOutcome): string {
  if (status === 'done') return 'has it';
  if (status === 'failed') return `failed: ${reason ?? 'no reason given'}`;
  if (status === 'deferred') return `waits: ${reason ?? 'it is in use'}`;
  if (progress !== undefined && progress.waits_for !== null) return progress.waits_for;
  if (progress !== undefined && progress.doing !== null) return progress.doing;
  return awaited === false ? 'away; stages it when it is back' : 'asked';
}
