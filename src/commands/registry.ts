import { choice, defineCommand, list, variadic } from '../cli/definition.ts';
import { formatBytes } from '../core/kernel/units.ts';
import { unloadableModels } from './problem-lines.ts';

/** `skulk registry`: the models in the store. */
export const registry = defineCommand({
  name: 'registry',
  summary: 'list the models in the store',
  description: [
    'Lists every model in the store with its size, number of files, quantizations (-v names all of them) and tags: vision, thinking, embedding, tensor, optiq. Tags come from the model card if there is one, else from config.json, the chat template and the file names.',
  ],
  arguments: {
    word: variadic('only models with this text in their id, or in the name of a quantization; with several words, all of them', {
      parse: (text) => text,
      optional: true,
      completes: 'models',
    }),
  },
  options: {
    sort: choice(
      'the order: by name, or with the largest, the newest, or those with the most files first',
      'KEY',
      ['name', 'size', 'added', 'files'],
      {
        fallback: 'name',
      },
    ),
    tag: list('only models with this tag; with several tags, only models that have all of them', 'TAG', { completes: 'tags' }),
  },
  examples: [
    ['list everything', 'skulk registry'],
    ['find models by a part of their name, the largest first', 'skulk registry qwen --sort size'],
    ['find models with a quantization', 'skulk registry Q8_0'],
    ['ids of the vision models', "skulk registry --tag vision --json | jq -r '.entries[].model_id'"],
  ],
  exits: ['store-unreachable'],
  run: async ({ word: words, sort, tag }, context) => {
    const deps = await context.deps();
    const { listRegistry } = await import('../core/operations/models/list-registry.ts');
    const list = await listRegistry(deps, { tags: tag, words, ...(sort !== undefined && { sort }) });
    return { ...list, wanted: tag, words, isVerbose: context.logLevel === 'debug' };
  },
  json: ({ entries }) => ({ entries }),
  text: ({ entries, isVerbose }) => {
    if (entries.length === 0) return [];
    const rows = entries.map((entry) => [
      entry.model_id,
      formatBytes(entry.total_bytes),
      String(entry.files.length),
      shortly(entry.quantizations ?? [], isVerbose),
      { time: entry.downloaded_at },
      entry.tags.join(', '),
    ]);
    return [{ header: ['MODEL', 'SIZE', 'FILES', 'QUANTIZATION', 'ADDED', 'TAGS'], rows, alignRight: [1, 2], optional: [2, 4, 3] }];
  },
  notice: ({ entries, wanted, words }) => {
    if (entries.length > 0) return unloadableModels(entries).join('\n') || undefined;
    if (wanted.length + words.length === 0) return 'no models; `skulk add PATH --as MODEL` adds one';
    return `no model matches ${[...words.map((word) => JSON.stringify(word)), ...wanted.map((tag) => `the tag ${tag}`)].join(' and ')}`;
  },
});

/** The name of a single quantization, or the number of several. */
function shortly(names: readonly string[], isVerbose: boolean): string {
  const [first = ''] = names;
  return names.length <= 1 ? first : isVerbose ? names.join(', ') : `${names.length} quantizations`;
}
