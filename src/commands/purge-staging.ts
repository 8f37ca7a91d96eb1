import { defineCommand, duration, flag, list, sentence } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { parseNodeId } from '../core/kernel/machine/node-id.ts';
import { formatRef } from '../core/kernel/model-id.ts';
import { silenceMs } from '../core/kernel/process/observe.ts';
import { formatBytes } from '../core/kernel/units.ts';
import { describeHolders, type Holder } from '../core/protocol/holder.ts';
import { failedRemovals } from './failed-removals.ts';
import { modelOption, modelsArgument } from './model-arguments.ts';
import { nodeLines, unfinishedNodes } from './node-lines.ts';

/** `skulk purge-staging`: remove staged copies on this machine, or on every machine. */
export const purgeStaging = defineCommand({
  name: 'purge-staging',
  summary: 'remove staged copies from this machine or from every node',
  description: [
    'Removes copies under node_cache_path; canonical copies in the store are never touched. A copy in use (skulk run, activate, stage --keep, or being staged) is kept and listed, unless --force is given. With --force, the time of stage --keep ends too. The command does not ask, because a copy can be staged again.',
    'With --all-nodes every node does the same, with --node only the given nodes. On a terminal both ask first; elsewhere they need --yes. The command waits up to five seconds for answers (--wait); the exit status is 9 if a node has not answered. A copy in use is removed when its last use ends.',
  ],
  arguments: { models: modelsArgument('only these models', { optional: true }) },
  options: {
    model: modelOption('the same as MODELS, for one model'),
    allNodes: flag('on every node'),
    node: list('only on this node, by its host name, its id, or a part of the id', 'NODE', { completes: 'nodes' }),
    force: flag('also remove copies that are in use'),
    dryRun: flag('only show what would be removed'),
    wait: duration('with --all-nodes or --node: how long to wait for the answers of nodes', { fallback: '5s' }),
    yes: flag('do not ask'),
  },
  examples: [
    ['see what would be removed', 'skulk purge-staging --dry-run'],
    ['remove one copy', 'skulk purge-staging mlx-community/Qwen3-4B-4bit'],
    ['remove a model from every machine, but not from the store', 'skulk purge-staging me/Foo-GGUF --all-nodes --yes'],
    ['remove every copy of one machine', 'skulk purge-staging --node gpu-box-1'],
  ],
  exits: ['not-found', 'store-unreachable', 'conflict', 'partial'],
  run: async ({ models, model, allNodes, node, force, dryRun, wait, yes }, context) => {
    const named = node.map(parseNodeId);
    const refs = model === undefined ? models : [...models, model];
    if (allNodes && named.length > 0)
      throw new SkulkError('USAGE', '--all-nodes and --node cannot be combined', { hint: 'use only one of them' });
    if (!allNodes && named.length === 0) {
      const deps = await context.deps();
      const { purgeStaging: purge } = await import('../core/operations/nodes/purge-staging.ts');
      return purge(deps, { force, dryRun, refs });
    }

    if (dryRun)
      throw new SkulkError('USAGE', '--dry-run cannot show what other machines would remove', {
        hint: '`skulk nodes` shows what each node has staged',
      });
    if (!yes && !context.canAsk())
      throw new SkulkError(
        'USAGE',
        `"skulk purge-staging ${allNodes ? '--all-nodes' : '--node'}" needs --yes when there is no terminal to ask on`,
        {
          hint: `without ${allNodes ? '--all-nodes' : '--node'} it works on this machine only, and does not ask`,
        },
      );
    const where = allNodes ? 'on every machine' : `on ${named.join(', ')}`;
    if (!yes && !(await context.confirm(`Remove ${refs.length === 0 ? 'every staged copy' : refs.map(formatRef).join(', ')} ${where}?`)))
      throw new SkulkError('INTERRUPTED', 'nothing was removed');
    const deps = await context.deps();
    const { purgeEverywhere } = await import('../core/operations/nodes/purge-everywhere.ts');
    return purgeEverywhere(deps, { refs, force, waitMs: wait, ...(!allNodes && { nodes: named }) });
  },
  text: (result) => {
    if ('nodes' in result) return [...nodeLines(result.nodes, result.known).map(sentence), `freed ${formatBytes(result.freed_bytes)}`];
    const { evicted, evicted_bytes, kept_in_use, dry_run } = result;
    return [
      ...evicted.map(({ reference, size_bytes }) =>
        sentence(`${dry_run ? 'would remove' : 'removed'} ${reference} (${formatBytes(size_bytes)})`),
      ),
      ...kept_in_use.map(({ reference, holders }) =>
        sentence(`kept ${reference}: in use by ${describeHolders(holders)}${untilWhen(holders)}`),
      ),
      `${dry_run ? 'would free' : 'freed'} ${formatBytes(evicted_bytes)}`,
    ];
  },
  json: (result) => {
    if (!('known' in result)) return result;
    const { known: _, ...report } = result;
    return report;
  },
  notice: (result) =>
    'nodes' in result && result.freed_bytes === 0 && result.nodes.every(({ status }) => status === 'done')
      ? `no machine had ${result.order.model_id === null ? 'anything' : 'a copy'} to remove`
      : undefined,
  failure: (result) => ('nodes' in result ? unfinishedNodes(result.nodes, result.known) : failedRemovals(result.failed)),
});

/** A process elsewhere may have ended without notice. */
function untilWhen(holders: readonly Holder[]): string {
  const elsewhere = holders.filter(({ place }) => place !== undefined);
  if (elsewhere.length === 0) return '';
  const until = elsewhere
    .flatMap(({ unattended_until: time }) => time ?? [])
    .toSorted()
    .at(-1);
  const silence = `has been silent for ${silenceMs / 1000} s`;
  const when = until === undefined ? `its holder ${silence}` : `a server there ${silence}, without a server until ${until}`;
  return `; kept until ${when}; --force removes it now`;
}
