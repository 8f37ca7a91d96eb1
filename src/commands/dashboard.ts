import { defineCommand } from '../cli/definition.ts';

/** `skulk dashboard`: the store, its downloads, its nodes and this machine's copies on the whole terminal. */
export const dashboard = defineCommand({
  name: 'dashboard',
  summary: 'show and manage the store on the whole terminal',
  description: [
    'Four lists that change as the store does: its models, its downloads from Hugging Face, the machines that stage from it, and the copies of this machine. ? shows the keys; they add, stage, cancel, purge and delete, and whatever removes something asks first.',
    'It needs a terminal of at least 60 columns and 12 rows. q and Ctrl-C leave it with status 0, a signal as it does everywhere. A store that cannot tell its changes, as an older one or one whose server does not run, is asked every two seconds; the last line says so.',
  ],
  examples: [
    ['look at the store', 'skulk dashboard'],
    ['at another one', 'skulk dashboard --store http://mac-studio-1:58080'],
  ],
  exits: ['store-unreachable'],
  run: async (_, context) => {
    await context.screens.dashboard(async () => {
      const deps = await context.deps();
      const { openDashboard } = await import('../core/operations/live/open-dashboard.ts');
      return openDashboard(deps);
    });
  },
  text: () => [],
  json: () => undefined,
});
