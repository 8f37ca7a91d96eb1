import { defineCommand } from '../cli/definition.ts';

/** `skulk key`: a link that opens the page with the right to change settings. */
export const key = defineCommand({
  name: 'key',
  summary: 'print a link that opens the page with the right to change settings',
  description: [
    'Prints a new link to the page of the `skulk serve` that runs on this machine. The link works once, within ten minutes. The tab that it opens may change settings until it is closed, or not used for twelve hours, or `skulk serve` ends.',
    'The key of this machine is the file admin-key in $SKULK_HOME, which only its owner can read. For a service of another user say: sudo -u USER skulk key',
  ],
  examples: [
    ['print a link', 'skulk key'],
    ['for a service of the user skulk', 'sudo -u skulk skulk key'],
  ],
  exits: ['store-unreachable'],
  run: async (_, context) => {
    const deps = await context.deps();
    const { makePageLink } = await import('../core/operations/page-links.ts');
    return makePageLink(deps);
  },
  text: ({ url }) => [url],
});
