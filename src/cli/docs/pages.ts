import type { CommandLoaders } from '../definition.ts';
import { loadAll } from '../load-all.ts';
import { cliPage } from './cli-page.ts';
import { commandPage, programPage } from './command-page.ts';
import { configPage } from './config-page.ts';
import { configurationPage } from './configuration-page.ts';

/** Every man page by file name. */
export async function makePages(loaders: CommandLoaders): Promise<ReadonlyMap<string, string>> {
  const commands = await loadAll(loaders);
  return new Map([
    ['skulk.1', programPage(commands)],
    ...commands.map((command) => [`skulk-${command.name}.1`, commandPage(command)] as const),
    ['skulk-config.5', configPage()],
  ]);
}

/** The pages of `docs/` that are generated from the definitions, by file name. */
export async function makeReference(loaders: CommandLoaders): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['cli.md', cliPage(await loadAll(loaders))],
    ['configuration.md', configurationPage()],
  ]);
}
