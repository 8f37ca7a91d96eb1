import { defineCommand } from '../cli/definition.ts';
import { downloadCommand } from './download-lines.ts';
import { modelArgument } from './model-arguments.ts';

/** `skulk cancel`: stop a download. */
export const cancel = defineCommand({
  name: 'cancel',
  summary: 'stop a download from Hugging Face',
  description: [
    'Stops a download of the store host. Downloaded data is kept, and the next download resumes from there. With a selector, stops only the download of that quantization.',
  ],
  arguments: { model: modelArgument() },
  examples: [['stop a download', 'skulk cancel mlx-community/Qwen3-4B-4bit']],
  exits: ['not-found', 'store-unreachable', 'conflict'],
  run: async ({ model: ref }, context) => {
    const deps = await context.deps();
    const { cancelDownload } = await import('../core/operations/models/downloads.ts');
    return cancelDownload(deps, ref);
  },
  text: ({ modelId, request }) => [`${modelId}: download stopped`, `to resume it: ${downloadCommand(modelId, request)}`],
});
