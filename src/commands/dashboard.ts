import { defineCommand } from '../cli/definition.ts';

/** `skulk dashboard`: the store, its downloads, its nodes and this machine's copies on the whole terminal. */
export const dashboard = defineCommand({
  name: 'dashboard',
  summary: 'manage the store in a full-screen terminal view',
  description: [
    'Shows seven live lists: the models of the store, its downloads from Hugging Face, the nodes, the copies on this machine, optimizations, unfinished uploads, and the log of changes. Keys add, stage, optimize, cancel, purge and delete models; ? lists them. Every removal asks first.',
    'The terminal must have at least 60 columns and 12 rows. q and Ctrl-C quit with status 0. A store that cannot report changes (an older version, or no running server) is polled every two seconds; the last line then says so.',
  ],
  examples: [
    ['open the dashboard', 'skulk dashboard'],
    ['open it for another store', 'skulk dashboard --store http://mac-studio-1:58080'],
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
