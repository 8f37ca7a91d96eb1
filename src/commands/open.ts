import { defineCommand } from '../cli/definition.ts';

/** `skulk open`: the page in the browser. */
export const open = defineCommand({
  name: 'open',
  summary: 'open the page in the browser',
  description: [
    'Opens the page of the `skulk serve` that runs on this machine, with admin rights (see skulk-key(1)). If none runs, it opens the page of the configured store, without admin rights. Without a browser it prints the address.',
  ],
  examples: [['open the page', 'skulk open']],
  exits: ['store-unreachable'],
  run: async (_, context) => {
    const deps = await context.deps();
    const { openPage } = await import('../core/operations/store/page-links.ts');
    return openPage(deps);
  },
  text: ({ url, opened }) => (opened ? [] : [url]),
  notice: ({ opened }) => (opened ? 'opened in the browser' : 'no browser found; open this address in one'),
});
