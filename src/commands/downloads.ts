import { defineCommand } from '../cli/definition.ts';
import { downloadCells } from './download-lines.ts';

/** `skulk downloads`: what the store fetches and fetched. */
export const downloads = defineCommand({
  name: 'downloads',
  summary: "list the store's downloads from Hugging Face",
  description: ['Lists the downloads that run or wait, and those that ended lately with what became of them.'],
  examples: [
    ['list them', 'skulk downloads'],
    ['those that failed', 'skulk downloads --json | jq \'.downloads[] | select(.status == "failed")\''],
  ],
  exits: ['store-unreachable'],
  run: async (_, context) => {
    const deps = await context.deps();
    const { listDownloads } = await import('../core/operations/downloads.ts');
    return listDownloads(deps, { recent: true });
  },
  text: ({ downloads: all }) =>
    all.length === 0
      ? []
      : [
          {
            header: ['MODEL', 'STATUS', 'DONE', 'BYTES', 'RATE', 'LEFT', 'ERROR'],
            rows: all.map((one) => [one.modelId, ...downloadCells(one)]),
            alignRight: [2],
          },
        ],
  notice: ({ downloads: all }) => (all.length === 0 ? 'no downloads; `skulk download MODEL` begins one' : undefined),
});
