import { defineCommand, flag, type TextBlock } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { plural } from '../core/kernel/units.ts';
import { nameDownload } from '../core/protocol/downloads.ts';
import { downloadCells, type ShownJob } from './download-lines.ts';
import { modelsArgument } from './model-arguments.ts';

/** `skulk downloads`: the store's running and finished downloads. */
export const downloads = defineCommand({
  name: 'downloads',
  summary: "list the store's downloads from Hugging Face",
  description: [
    'Lists running and waiting downloads, and recently finished ones with their result. Downloads of the same model run one after the other. The list keeps the last hundred finished downloads, including failed ones; a new request for the same model replaces its row.',
    'With --watch it continues until q or Ctrl-C. On a terminal the list is updated in place. In a pipe it is printed again after a change, at most every three seconds. With --json, each change is one JSON document on one line, with the last twenty finished downloads. If the store stops answering, the command waits for it.',
  ],
  arguments: { model: modelsArgument('only downloads of these models', { optional: true }) },
  options: {
    watch: flag('update the list as it changes'),
    clear: flag('remove downloads that have ended from the list; data of unfinished ones is kept'),
  },
  examples: [
    ['list them', 'skulk downloads'],
    ['watch them', 'skulk downloads --watch'],
    ['remove those that have ended from the list', 'skulk downloads --clear'],
    ['list the failed ones', 'skulk downloads --json | jq \'.downloads[] | select(.status == "failed")\''],
  ],
  exits: ['store-unreachable'],
  run: async ({ model: refs, watch, clear }, context) => {
    if (clear && watch) throw new SkulkError('USAGE', '--watch and --clear cannot be combined');
    const deps = await context.deps();
    const { clearDownloads, isOneOf, listDownloads } = await import('../core/operations/models/downloads.ts');
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
    return clear ? clearDownloads(deps, { refs }) : listDownloads(deps, { recent: true, refs });
  },
  text: (result) => ('watched' in result ? [] : 'cleared' in result ? [clearedText(result.cleared)] : tableOf(result.downloads)),
  json: (result) => ('watched' in result ? undefined : result),
  notice: (result) =>
    'downloads' in result && result.downloads.length === 0 ? 'no such downloads; `skulk download MODEL` starts one' : undefined,
});

const clearedText = (count: number): string =>
  count === 0 ? 'no download has ended, so nothing was removed' : `removed ${plural(count, 'download')} from the list`;

const tableOf = (all: readonly (ShownJob & Parameters<typeof nameDownload>[0])[]): readonly TextBlock[] =>
  all.length === 0
    ? []
    : [
        {
          header: ['MODEL', 'STATUS', 'DONE', 'BYTES', 'RATE', 'LEFT', 'ERROR'],
          rows: all.map((one) => [nameDownload(one), ...downloadCells(one)]),
          alignRight: [2],
          isWhole: [1, 3, 4, 5],
          optional: [3],
          apart: 6,
        },
      ];
