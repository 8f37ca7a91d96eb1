import { type LineOfParts, sentence, type TextBlock } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { nodeNames } from '../core/kernel/machine/node-names.ts';
import { formatRef, type ModelId } from '../core/kernel/model-id.ts';
import { formatBytes } from '../core/kernel/units.ts';
import { mayHaveCopy } from '../core/protocol/describe/may-have.ts';
import type { KnownNode } from '../core/protocol/fleet.ts';

interface Outcome {
  readonly status: 'pending' | 'done' | 'deferred' | 'failed';
  readonly freed_bytes: number;
  readonly bytes_transferred?: number | undefined;
  readonly reason: string | null;
}

type OnNode = Outcome & { readonly node: string; readonly hostname: string };

/** A machine that the store knows. */
export interface KnownName {
  readonly node_id: string;
  readonly hostname: string;
}

type NameOf = (node: Pick<OnNode, 'node' | 'hostname'>) => string;

/** Names nodes by hostname, and also by id if another one has the same, known or listed. */
export function nameAmong(listed: readonly Pick<OnNode, 'node' | 'hostname'>[], known: readonly KnownName[]): NameOf {
  const ids = new Set(known.map(({ node_id }) => node_id));
  const unknown = new Map(listed.filter(({ node }) => !ids.has(node)).map(({ node, hostname }) => [node, hostname]));
  const nameOf = nodeNames([...known, ...[...unknown].map(([node_id, hostname]) => ({ node_id, hostname }))]);
  return ({ node, hostname }) => nameOf({ node_id: node, hostname });
}

/** The state of an order on the nodes, except those that had nothing to remove. */
export function nodeLines(outcomes: readonly OnNode[], known: readonly KnownName[]): readonly string[] {
  const nameOf = nameAmong(outcomes, known);
  return outcomes
    .filter(({ status, freed_bytes }) => status !== 'done' || freed_bytes > 0)
    .map((outcome) => nodeLine(outcome, nameOf(outcome)));
}

/** The state of an order on one node. */
function nodeLine(outcome: OnNode, name: string): string {
  if (outcome.status === 'done') return `${name}: done, freed ${formatBytes(outcome.freed_bytes)}`;
  if (outcome.status === 'deferred') return `${name}: later, ${outcome.reason ?? 'it is in use'}`;
  if (outcome.status === 'failed') return `${name}: failed, ${outcome.reason ?? 'no reason given'}`;
  return `${name}: ${outcome.reason === null ? 'not answered yet' : `later, ${outcome.reason}`}`;
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

/** A machine with the copies that it reported. */
export type ReportingNode = KnownName & Pick<KnownNode, 'copies' | 'staged_models'>;

/**
 * The pending orders, with their nodes. A node gets an order to remove a copy also without a copy, because it may be staging just now. Such
 * orders are only counted.
 */
export function pendingLines(orders: readonly ListedOrder[], nodes: readonly ReportingNode[]): readonly LineOfParts[] {
  const known = new Map(nodes.map((node) => [node.node_id, node]));
  const open = orders.flatMap((order) => order.nodes.filter(({ status }) => status !== 'done').map((outcome) => ({ order, outcome })));
  const nameOf = nameAmong(
    open.map(({ outcome }) => outcome),
    nodes,
  );
  const isForCopy = ({ order, outcome }: (typeof open)[number]): boolean => {
    const node = known.get(outcome.node);
    return order.kind === 'stage' || outcome.status !== 'pending' || node === undefined || mayHaveCopy(node, order);
  };
  const others = open.filter((one) => !isForCopy(one));
  const idle = [...new Set(others.map(({ outcome }) => nameOf(outcome)))];
  return [
    ...open.filter(isForCopy).map(({ order: { kind, given_at, ...what }, outcome }) => ({
      line: [
        `${kind === 'evict' ? 'delete' : kind} ${copiesOf(what)} on ${nodeLine(outcome, nameOf(outcome))} (asked `,
        { time: given_at },
        ')',
      ],
      indent: 2,
    })),
    ...(idle.length === 0 ? [] : [sentence(withoutCopies(idle, new Set(others.map(({ order }) => order)).size))]),
  ];
}

const maxNamed = 5;

function withoutCopies(names: readonly string[], orders: number): string {
  const rest = names.length - maxNamed;
  const named = `${names.slice(0, maxNamed).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  const what = orders === 1 ? '1 more order waits' : `${orders} more orders wait`;
  return `${what} for ${named}, which reported no such copy: nothing to do`;
}

/** The result of an order of the store on this machine. With `--dry-run`, what would happen to it. */
export function orderLine(
  { kind, ...outcome }: Outcome & Pick<ListedOrder, 'kind' | 'model_id' | 'selector'>,
  { dryRun }: { readonly dryRun: boolean },
): string {
  const what = `the store asked to ${kind === 'evict' ? 'delete' : kind} ${copiesOf(outcome)}`;
  if (outcome.status === 'done')
    return kind === 'stage'
      ? `${what}: done, ${formatBytes(outcome.bytes_transferred ?? 0)} moved`
      : `${what}: freed ${formatBytes(outcome.freed_bytes)}`;
  if (outcome.status === 'pending') return `${what}: ${dryRun ? 'would be done now' : 'not done yet'}`;
  return `${what}: ${outcome.status === 'deferred' ? 'later' : 'failed'}, ${outcome.reason ?? 'no reason given'}`;
}

/** The error for an order that some nodes have not carried out. A copy in use is removed later automatically. */
export function unfinishedNodes(nodes: readonly OnNode[], known: readonly KnownName[]): SkulkError | undefined {
  const unfinished = nodes.filter(({ status }) => status === 'pending' || status === 'failed');
  if (unfinished.length === 0) return undefined;
  return new SkulkError('PARTIAL', `not carried out yet on ${unfinished.map(nameAmong(nodes, known)).join(', ')}`, {
    hint: hintFor(unfinished),
  });
}

/** What each kind of unfinished node waits for. */
function hintFor(unfinished: readonly OnNode[]): string {
  const isPending = ({ status }: OnNode): boolean => status === 'pending';
  const isUsed = unfinished.some((one) => isPending(one) && one.reason !== null);
  const isAway = unfinished.some((one) => isPending(one) && one.reason === null);
  const hasFailed = unfinished.some((one) => !isPending(one));
  return [
    ...(isAway ? ['machines that have not answered catch up when they are back'] : []),
    ...(isUsed ? ['a copy in use is removed when its use ends; `--force` does not wait for that'] : []),
    ...(hasFailed ? ['a failed removal is tried again on its machine: fix the cause there'] : []),
    '`skulk nodes` lists pending orders',
    ...(isAway ? ['`skulk nodes --forget NODE` by an admin removes a machine that will not come back'] : []),
  ].join('; ');
}

/** A machine as the store lists it. */
export interface ListedNode extends ReportingNode {
  readonly address: string | null;
  readonly version: string;
  readonly agent: boolean;
  readonly connected: boolean;
  readonly last_seen: string;
  readonly staged_bytes: number | null;
  readonly free_bytes: number | null;
  readonly pending_orders: number;
}

/**
 * The machines as a table.
 * @param storeAddress the address of the store host, which reports to itself without one
 */
export function nodeTable(all: readonly ListedNode[], { storeAddress }: { readonly storeAddress: string | null }): readonly TextBlock[] {
  if (all.length === 0) return [];
  // As commands compare them: `kite` and `kite.example.com` may be one machine.
  const names = new Set(all.map(({ hostname }) => hostname.toLowerCase().split('.')[0]));
  const areNamesUnique = names.size === all.length && !names.has('');
  const size = (bytes: number | null): string => (bytes === null ? '?' : formatBytes(bytes));
  return [
    {
      header: ['NODE', 'HOSTNAME', 'LAST SEEN', 'AGENT', 'VERSION', 'STAGED', 'FREE', 'PENDING', 'ADDRESS'],
      rows: all.map((node) => [
        node.node_id,
        node.hostname,
        { time: node.last_seen, ...(node.connected && { age: 'now' }) },
        node.connected ? 'yes' : node.agent ? 'gone' : 'no',
        node.version,
        size(node.staged_bytes),
        size(node.free_bytes),
        String(node.pending_orders),
        node.address ?? storeAddress ?? '',
      ]),
      alignRight: [5, 6, 7],
      // A unique host name identifies a node to every command, so its id is not needed. Pending orders are what one looks for.
      optional: [4, 8, ...(areNamesUnique ? [0] : []), 5, 3, 6, 7],
      isWhole: areNamesUnique ? [0] : [],
    },
  ];
}
