import { defineCommand } from '../cli/definition.ts';

/** `skulk key`: a link that opens the page with the right to change settings. */
export const key = defineCommand({
  name: 'key',
  summary: 'print a link that opens the page with admin rights',
  description: [
    'Prints a new link to the page of the `skulk serve` that runs on this machine. The link works once, within ten minutes. The browser tab may then change settings, until you close it, leave it idle for twelve hours, or stop `skulk serve`.',
    'The key of this machine is the file admin-key in $SKULK_HOME, which only its owner can read. If `skulk serve` runs as another user: sudo -u USER -H skulk key',
  ],
  examples: [
    ['print a link', 'skulk key'],
    ['print a link when the user skulk runs the server', 'sudo -u skulk -H skulk key'],
  ],
  exits: ['store-unreachable'],
  run: async (_, context) => {
    const deps = await context.deps();
    const { makePageLink } = await import('../core/operations/store/page-links.ts');
    return makePageLink(deps);
  },
  text: ({ url }) => [url],
});
