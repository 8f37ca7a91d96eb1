import type { CommandLoaders } from '../definition.ts';
import { loadAll } from '../load-all.ts';
import { commandPage, programPage } from './command-page.ts';
import { configPage } from './config-page.ts';

/** Every man page by file name. */
export async function makePages(loaders: CommandLoaders): Promise<ReadonlyMap<string, string>> {
  const commands = await loadAll(loaders);
  return new Map([
    ['skulk.1', programPage(commands)],
    ...commands.map((command) => [`skulk-${command.name}.1`, commandPage(command)] as const),
    ['skulk-config.5', configPage()],
  ]);
}
