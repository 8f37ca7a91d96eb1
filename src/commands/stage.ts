import { choice, defineCommand, duration, flag, list, number, rate, sentence } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { formatBytes } from '../core/kernel/units.ts';
import { modelsArgument } from './model-arguments.ts';
import { readNodes, refuseLocalOptions, stagedOnTable, stageOnNodes, unstagedNodes } from './stage-on-nodes.ts';
import { readWantedFiles, wantedFilesOptions } from './wanted-files.ts';

const printed = ['path', 'gguf', 'mmproj', 'files'] as const;

/** `skulk stage`: make a verified local copy and print its path. */
export const stage = defineCommand({
  name: 'stage',
  summary: 'make a verified local copy of a model',
  description: [
    'Copies a model from the store to this machine, verifies every byte with sha256, and prints the absolute path. If the copy is complete, nothing is sent. An interrupted copy is resumed.',
    'A connection without data for 30 seconds (SKULK_STALL_TIMEOUT, in seconds) is closed, and its bytes are requested again.',
    'A model that the store does not have is first downloaded by the store host from Hugging Face, once for all nodes (allow_hf_fallback: false or HF_HUB_OFFLINE=1 prevents it). If no store is configured, it is downloaded directly into the copy. --weights, --include, --exclude, --whole and --mmproj choose the files of a download. If the store has the model, only the selector chooses what is staged.',
    'Companions that the model card names (vision weights, a draft model) are staged too. If the vision weights cannot be staged, the command fails.',
    'With --on, the given nodes stage the model; with --all-nodes, every node except the store host does. Each node does this with its `skulk serve`; the machine that runs the command needs none, and stages the model itself. The command shows the progress of each node, and ends when no reachable node is staging any more. The exit status is 9 if a node has not staged the model. The orders stay after Ctrl-C: a machine that is away stages the model when it is back. `skulk cancel MODEL --all-nodes` withdraws them.',
    'On the store host the copy is a clone where the file system supports it, or the canonical directory itself if node_cache_path is store_path.',
  ],
  arguments: { model: modelsArgument() },
  options: {
    dryRun: flag('only show what would be done; the exit status is 7 if there is no space for it'),
    force: flag('copy again, even if the copy is complete'),
    offline: flag('use only files on this machine'),
    direct: flag('download from Hugging Face directly if the store cannot be reached'),
    limitRate: rate('limit the transfer to this many bytes per second, e.g. 100M'),
    keep: duration('keep the copy in use for this long, e.g. 10m, so that it is not evicted before a program starts'),
    on: list('stage on these nodes instead, by their host names or ids', 'NODE,…', { completes: 'nodes' }),
    allNodes: flag('stage on every node except the store host'),
    ...wantedFilesOptions,
    print: choice('what to print for each model: its directory, the GGUF file to load, its projector, or every file', 'WHAT', printed, {
      fallback: 'path',
    }),
    noSwarm: flag('take the model only from the store, and do not share it with other nodes'),
    connections: number('number of connections to the store', 'N', { from: 1, to: 32 }),
  },
  examples: [
    ['stage one model', 'skulk stage mlx-community/Qwen3-4B-4bit'],
    ['use the path at once', 'llama-server -m "$(skulk stage --print gguf me/Foo-GGUF:Q5_K_M)"'],
    ['keep it until the program has started', 'skulk stage --keep 10m mlx-community/Qwen3-4B-4bit'],
    ['have every machine stage it and keep it for an hour', 'skulk stage --all-nodes --keep 1h mlx-community/Qwen3-4B-4bit'],
    ['see how much would be sent', 'skulk stage --dry-run mlx-community/Qwen3-4B-4bit'],
  ],
  whenInterrupted: ({ on, allNodes }) =>
    on === undefined && allNodes === undefined
      ? 'verified data is kept: run the command again to resume'
      : 'the nodes continue: `skulk nodes` shows what they do',
  exits: ['not-found', 'store-unreachable', 'conflict', 'integrity', 'no-space', 'hub', 'partial'],
  run: async ({ model: refs, on, allNodes, keep, print: asked, ...options }, context) => {
    if (allNodes || on.length > 0) {
      const nodes = readNodes({ on, allNodes });
      refuseLocalOptions({ print: asked === 'path' ? undefined : asked, ...options });
      return await stageOnNodes(context, { refs, nodes, keepMs: keep });
    }
    const { dryRun, force, offline, direct, limitRate, connections, noSwarm, ...choices } = options;
    const print = asked ?? 'path';
    const deps = await context.deps();
    const { stageModels } = await import('../core/operations/stage/stage.ts');
    const result = await stageModels(deps, {
      refs,
      dryRun,
      force,
      offline,
      direct,
      noSwarm,
      wanted: readWantedFiles(choices),
      ...((print === 'gguf' || print === 'mmproj') && { needs: [print] }),
      ...(limitRate !== undefined && { limitRate }),
      ...(keep !== undefined && { keepMs: keep }),
      ...(connections !== undefined && { connections }),
    });
    return { ...result, print };
  },
  json: (result) => {
    if ('nodes' in result) return { nodes: result.nodes };
    const { print: _, ...report } = result;
    return report;
  },
  notice: (result) => {
    if (!('staged' in result)) return undefined;
    const lines = result.staged.flatMap(({ model_id, gguf_file, problems, swarm, bytes_total }) => [
      ...(swarm === undefined ? [] : [`${model_id}: ${describeSwarm(swarm, bytes_total)}`]),
      // A warning named it already if no program can load it.
      ...(gguf_file === null || problems !== undefined ? [] : [`${model_id}: the file to load is ${gguf_file}`]),
    ]);
    return lines.length === 0 ? undefined : lines.join('\n');
  },
  text: (result) => {
    if ('nodes' in result) return stagedOnTable(result.nodes, result.known);
    if ('staged' in result) return result.staged.flatMap((copy) => pathsOf(copy, result.print));
    return result.planned.flatMap((plan) => [
      `${plan.model_id} -> ${plan.path}`,
      sentence(
        `  from ${plan.source}: ${formatBytes(plan.bytes_to_transfer)} of ${formatBytes(plan.bytes_total)} to transfer, ${formatBytes(plan.bytes_to_reuse)} to reuse, ${formatBytes(plan.free_bytes)} free`,
      ),
      ...(plan.bytes_missing === 0
        ? []
        : [sentence(`  not enough space: ${formatBytes(plan.bytes_missing)} more must be free at ${plan.path}`)]),
      {
        header: ['  FILE', 'SIZE', 'ACTION'],
        rows: plan.files.map(({ path, size, action }) => [`  ${path}`, formatBytes(size), action]),
        alignRight: [1],
      },
    ]);
  },
  failure: (result) => {
    if ('nodes' in result) return unstagedNodes(result.nodes, result.known);
    if (!('planned' in result) || result.no_space === null) return undefined;
    return new SkulkError('NO_SPACE', result.no_space.message, { hint: result.no_space.hint ?? undefined });
  },
});

const describeSwarm = ({ members, host_sent_bytes: sent }: { members: number; host_sent_bytes: number }, size: number): string =>
  `shared with ${members - 1} other ${members === 2 ? 'node' : 'nodes'}; the store sent them ${formatBytes(sent)} in all, ${(sent / size).toFixed(1)} copies`;

interface PrintedCopy {
  readonly path: string;
  readonly gguf_file: string | null;
  readonly mmproj_file: string | null;
  readonly file_paths: readonly string[];
}

/** The absolute paths to print for a copy. */
function pathsOf({ path, gguf_file, mmproj_file, file_paths }: PrintedCopy, print: (typeof printed)[number]): readonly string[] {
  if (print === 'path') return [path];
  const files = { gguf: [gguf_file], mmproj: [mmproj_file], files: file_paths }[print];
  return files.flatMap((file) => (file === null ? [] : `${path}/${file}`));
}
