import { defineCommand } from '../cli/definition.ts';
import { nameDownload } from '../core/protocol/downloads.ts';
import { downloadCommand } from './download-lines.ts';
import { modelArgument } from './model-arguments.ts';

/** `skulk cancel`: cancel a download or an optimization. */
export const cancel = defineCommand({
  name: 'cancel',
  summary: 'stop a download or an optimization',
  description: [
    'Stops a download of the store host. Downloaded data is kept, and the next download resumes from there. With a selector, stops only the download of that quantization; otherwise all downloads of the model.',
    'If the model is not being downloaded, stops `skulk optimize`: the variant with that id, or else every variant of that model. Partial results are removed.',
  ],
  arguments: { model: modelArgument() },
  examples: [
    ['stop a download', 'skulk cancel mlx-community/Qwen3-4B-4bit'],
    ['stop the download of one quantization', 'skulk cancel bartowski/Foo-GGUF:Q8_0'],
    ['stop an optimization', 'skulk cancel me/Foo-Q4_K_M-GGUF'],
  ],
  exits: ['not-found', 'store-unreachable', 'conflict'],
  run: async ({ model: ref }, context) => {
    const deps = await context.deps();
    const { cancelJob } = await import('../core/operations/models/cancel-job.ts');
    return cancelJob(deps, ref);
  },
  json: ({ stopped }) => stopped,
  text: ({ kind, stopped }) =>
    kind === 'download'
      ? [`${nameDownload(stopped)}: download stopped`, `to resume it: ${downloadCommand(stopped.modelId, stopped.request)}`]
      : [`${stopped.targetId}: optimization stopped; partial results were removed`],
});
