import { type CommandContext, flagName, type TextBlock } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { type NodeId, parseNodeId } from '../core/kernel/machine/node-id.ts';
import type { ModelRef } from '../core/kernel/model-id.ts';
import { formatBytes } from '../core/kernel/units.ts';
import { type KnownName, nameAmong } from './node-lines.ts';

/** What `skulk stage --on` and `--all-nodes` do on one node, as it is shown. */
interface ShownNode {
  readonly model: string;
  readonly node: string;
  readonly hostname: string;
  readonly status: 'pending' | 'done' | 'deferred' | 'failed';
  readonly bytes_transferred: number;
  readonly reason: string | null;
}

/** The nodes that are named, each by itself or several with commas between; undefined for every node. @throws SkulkError USAGE */
export function readNodes({ on, allNodes }: { readonly on: readonly string[]; readonly allNodes: boolean }): readonly NodeId[] | undefined {
  if (allNodes && on.length > 0) throw new SkulkError('USAGE', '--on and --all-nodes cannot be combined', { hint: 'use only one of them' });
  if (allNodes) return undefined;
  const names = on.flatMap((text) => text.split(',')).map((name) => name.trim());
  if (names.includes('')) throw new SkulkError('USAGE', '--on has an empty name', { hint: 'e.g. --on kite1,kite2' });
  return [...new Set(names)].map(parseNodeId);
}

/** Refuses options that only mean something for a copy on this machine. @throws SkulkError USAGE */
export function refuseLocalOptions(options: Readonly<Record<string, unknown>>): void {
  const isGiven = (value: unknown): boolean => value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
  const given = Object.entries(options).find(([, value]) => isGiven(value));
  if (given === undefined) return;
  throw new SkulkError('USAGE', `${flagName(given[0])} cannot be combined with --on or --all-nodes`, {
    hint: 'the nodes stage with their own settings; only --keep is sent to them',
  });
}

/** Has other machines stage models, and waits for those that can be reached. */
export async function stageOnNodes(
  context: CommandContext,
  request: { readonly refs: readonly ModelRef[]; readonly nodes: readonly NodeId[] | undefined; readonly keepMs: number | undefined },
): Promise<{ readonly nodes: readonly ShownNode[]; readonly known: readonly KnownName[] }> {
  const deps = await context.deps();
  const { stageEverywhere } = await import('../core/operations/nodes/stage-everywhere.ts');
  return stageEverywhere(deps, request);
}

const words = { done: 'staged', pending: 'pending', deferred: 'waits', failed: 'failed' } as const;

/** One row for each model and node. */
export const stagedOnTable = (nodes: readonly ShownNode[], known: readonly KnownName[]): readonly TextBlock[] => [
  {
    header: ['MODEL', 'NODE', 'STATUS', 'TRANSFERRED', 'REASON'],
    rows: nodes.map((one) => [
      one.model,
      nameAmong(nodes, known)(one),
      words[one.status],
      formatBytes(one.bytes_transferred),
      one.reason ?? '',
    ]),
    alignRight: [3],
    under: 4,
  },
];

/** The failure when some machine has not staged. */
export function unstagedNodes(nodes: readonly ShownNode[], known: readonly KnownName[]): SkulkError | undefined {
  const missing = nodes.filter(({ status }) => status !== 'done');
  if (missing.length === 0) return undefined;
  const names = [...new Set(missing.map(nameAmong(nodes, known)))];
  const isPending = missing.some(({ status }) => status !== 'failed');
  return new SkulkError('PARTIAL', `not staged on ${names.join(', ')}`, {
    hint: isPending
      ? 'a machine that is away stages it when its `skulk serve` is back; `skulk nodes` lists pending orders, and `skulk cancel MODEL --all-nodes` withdraws them'
      : 'fix the cause, then run the command again',
  });
}
