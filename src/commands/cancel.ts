import { defineCommand, flag } from '../cli/definition.ts';
import { formatRef } from '../core/kernel/model-id.ts';
import { nameDownload } from '../core/protocol/downloads.ts';
import { downloadCommand } from './download-lines.ts';
import { modelArgument } from './model-arguments.ts';
import { nameAmong } from './node-lines.ts';

/** `skulk cancel`: cancel a download or an optimization. */
export const cancel = defineCommand({
  name: 'cancel',
  summary: 'stop a download, an optimization, or stages on nodes',
  description: [
    'Stops the downloads of a model on the store host; with a selector, only the download of that quantization. Downloaded data is kept, and the next download resumes from there.',
    'If the model is not being downloaded, stops its optimization instead: the one whose result has that id, or else all whose source it is. Partial results are removed.',
    'With --all-nodes, withdraws the orders of `skulk stage --on` and `skulk stage --all-nodes` instead. Nodes that are staging the model stop; finished copies stay.',
  ],
  arguments: { model: modelArgument() },
  options: { allNodes: flag('withdraw all orders to stage the model on nodes') },
  examples: [
    ['stop a download', 'skulk cancel mlx-community/Qwen3-4B-4bit'],
    ['stop the download of one quantization', 'skulk cancel bartowski/Foo-GGUF:Q8_0'],
    ['stop an optimization', 'skulk cancel me/Foo-Q4_K_M-GGUF'],
    ['withdraw an order to stage', 'skulk cancel mlx-community/Qwen3-4B-4bit --all-nodes'],
  ],
  exits: ['not-found', 'store-unreachable', 'conflict'],
  run: async ({ model: ref, allNodes }, context) => {
    const deps = await context.deps();
    if (allNodes) {
      const { withdrawStages } = await import('../core/operations/nodes/stage-everywhere.ts');
      return { ref, ...(await withdrawStages(deps, ref)) };
    }
    const { cancelJob } = await import('../core/operations/models/cancel-job.ts');
    return cancelJob(deps, ref);
  },
  json: (result) => ('withdrawn' in result ? { withdrawn: result.withdrawn } : result.stopped),
  text: (result) => {
    if ('withdrawn' in result) {
      const open = result.withdrawn.flatMap(({ nodes }) => nodes).filter(({ status }) => status === 'pending' || status === 'deferred');
      return [`${formatRef(result.ref)}: order withdrawn on ${[...new Set(open.map(nameAmong(open, [])))].join(', ')}`];
    }
    const { kind, stopped } = result;
    return kind === 'download'
      ? [`${nameDownload(stopped)}: download stopped`, `to resume it: ${downloadCommand(stopped.modelId, stopped.request)}`]
      : [`${stopped.targetId}: optimization stopped; partial results were removed`];
  },
});
