import { defineCommand, list } from '../cli/definition.ts';
import { formatBytes } from '../core/kernel/units.ts';

/** `skulk registry`: what the store holds. */
export const registry = defineCommand({
  name: 'registry',
  summary: 'list the models in the store',
  description: [
    'Lists every model in the store with its size, number of files, quantizations (-v names all of them) and tags: vision, thinking, embedding, tensor, optiq. Tags come from the model card if there is one, else from config.json, the chat template and the file names.',
  ],
  options: { tag: list('only models with this tag; if given several times, with all of them', 'TAG', { completes: 'tags' }) },
  examples: [
    ['list everything', 'skulk registry'],
    ['ids of the vision models', "skulk registry --tag vision --json | jq -r '.entries[].model_id'"],
  ],
  exits: ['store-unreachable'],
  run: async ({ tag }, context) => {
    const deps = await context.deps();
    const { listRegistry } = await import('../core/operations/models/list-registry.ts');
    return { ...(await listRegistry(deps, { tags: tag })), wanted: tag, isVerbose: context.logLevel === 'debug' };
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
  notice: ({ entries, wanted }) => {
    if (entries.length > 0) return undefined;
    return wanted.length > 0
      ? `no model has ${wanted.map((tag) => `the tag ${tag}`).join(' and ')}`
      : 'no models; `skulk add PATH --as MODEL` adds one';
  },
});

/** The only quantization by its name, of several how many there are. */
function shortly(names: readonly string[], isVerbose: boolean): string {
  const [first = ''] = names;
  return names.length <= 1 ? first : isVerbose ? names.join(', ') : `${names.length} quantizations`;
}
