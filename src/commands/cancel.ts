import { argument, defineCommand } from '../cli/definition.ts';
import { parseModelId } from '../core/kernel/model-id.ts';

/** `skulk cancel`: stop a download. */
export const cancel = defineCommand({
  name: 'cancel',
  summary: 'stop a download from Hugging Face',
  description: ['Stops a download of the store. What came is kept, so that the next try goes on from there.'],
  arguments: { model: argument('the id of the model', { parse: parseModelId }) },
  examples: [['stop a download', 'skulk cancel mlx-community/Qwen3-4B-4bit']],
  exits: ['not-found', 'store-unreachable', 'conflict'],
  run: async ({ model: modelId }, context) => {
    const deps = await context.deps();
    const { cancelDownload } = await import('../core/operations/models/downloads.ts');
    return cancelDownload(deps, { modelId });
  },
  text: ({ modelId }) => [`${modelId}: the download was stopped`, `it goes on with: skulk download ${modelId}`],
});
