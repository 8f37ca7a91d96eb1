import { flag, type OptionSpec, value } from './specs.ts';

/** The options of every command, allowed before or after its name. */
export const globalOptions = {
  config: value('read this configuration file', 'FILE', { env: 'SKULK_CONFIG' }),
  store: value('use the store at this URL', 'URL', { env: 'SKULK_STORE' }),
  token: value('token for the store; SKULK_TOKEN is safer, because other users can see arguments', 'TOKEN', {
    env: 'SKULK_TOKEN',
  }),
  json: flag('print one JSON document'),
  quiet: flag('print results, warnings and errors only', { short: 'q' }),
  verbose: flag('print more details', { short: 'v' }),
  noProgress: flag('do not show progress'),
  noColor: flag('do not use colour', { env: 'NO_COLOR' }),
  version: flag('print the version'),
  help: flag('print help', { short: 'h' }),
} as const satisfies Record<string, OptionSpec<unknown>>;

/** The values of the global options. */
export type GlobalValues = { readonly [Name in keyof typeof globalOptions]: ReturnType<(typeof globalOptions)[Name]['read']> };

/** The global options that take a value, as on the command line. */
export const globalFlagsWithValue: ReadonlySet<string> = new Set(['--config', '--store', '--token']);
