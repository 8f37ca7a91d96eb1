import { defineCommand, flag, type TextBlock } from '../cli/definition.ts';
import { downloadCells, type ShownDownload } from './download-lines.ts';
import { modelsArgument } from './model-arguments.ts';

/** `skulk downloads`: what the store fetches and fetched. */
export const downloads = defineCommand({
  name: 'downloads',
  summary: "list the store's downloads from Hugging Face",
  description: [
    'Lists the downloads that run or wait, and those that ended lately with what became of them.',
    'With --watch it goes on until q or Ctrl-C: on a terminal the list is drawn anew as it changes. Elsewhere it is printed again when it has changed, every three seconds at most and with an empty line between; with --json at each change one JSON document on one line, as without --watch, but with the twenty last ones that ended. A store that goes away is waited for.',
  ],
  arguments: { model: modelsArgument('only downloads of these models', { optional: true }) },
  options: { watch: flag('show them as they change') },
  examples: [
    ['list them', 'skulk downloads'],
    ['watch them', 'skulk downloads --watch'],
    ['those that failed', 'skulk downloads --json | jq \'.downloads[] | select(.status == "failed")\''],
  ],
  exits: ['store-unreachable'],
  run: async ({ model: refs, watch }, context) => {
    const deps = await context.deps();
    const { isOneOf, listDownloads } = await import('../core/operations/models/downloads.ts');
    if (watch) {
      const { watchDownloads } = await import('../core/operations/live/watch-lists.ts');
      await context.watch('downloads', {
        follow: watchDownloads(deps),
        result: ({ downloads: all }) => {
          const wanted = all?.filter((one) => isOneOf(refs, one));
          return wanted === undefined ? undefined : { json: { downloads: wanted }, text: tableOf(wanted) };
        },
      });
      return { watched: true } as const;
    }
    return listDownloads(deps, { recent: true, refs });
  },
  text: (result) => ('watched' in result ? [] : tableOf(result.downloads)),
  json: (result) => ('watched' in result ? undefined : result),
  notice: (result) =>
    'downloads' in result && result.downloads.length === 0 ? 'no such downloads; `skulk download MODEL` begins one' : undefined,
});

const tableOf = (all: readonly (ShownDownload & { readonly modelId: string })[]): readonly TextBlock[] =>
  all.length === 0
    ? []
    : [
        {
          header: ['MODEL', 'STATUS', 'DONE', 'BYTES', 'RATE', 'LEFT', 'ERROR'],
          rows: all.map((one) => [one.modelId, ...downloadCells(one)]),
          alignRight: [2],
        },
      ];
