import { argument, choice, defineCommand, flag } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';

/** `skulk service`: keep `skulk serve` running. */
export const service = defineCommand({
  name: 'service',
  summary: 'keep `skulk serve` running, by systemd or launchd',
  description: [
    'install writes a unit for this user and starts it, now and whenever the user logs in; it uses the configuration file that is in force now. uninstall stops it and removes the unit. print prints the unit, e.g. to change it into one of the whole system.',
    'Under systemd the server runs in a sandbox: it can write only to store_path, node_cache_path, SKULK_HOME and the directory of skulk.yaml. refresh brings these paths up to date after a change of the configuration; the unit does that before each start. launchd has no such sandbox: there the server may write wherever the user may.',
    'A mistake in the configuration (exit status 2) ends the service; after any other failure, such as a disk that is not mounted, it is started again every five seconds.',
    'On Linux a user’s services end when the user logs out, unless `loginctl enable-linger` was said once. Logs: `journalctl --user -u skulk`, on macOS `serve.log` in SKULK_HOME. Tokens are not written into the unit: put them into skulk.yaml.',
  ],
  arguments: { action: argument('what to do', { choices: ['install', 'uninstall', 'print', 'refresh'] }) },
  options: {
    role: choice('which part to play', 'ROLE', ['auto', 'store', 'node'], { fallback: 'auto' }),
    for: choice('for which service manager', 'MANAGER', ['systemd', 'launchd'], { fallback: 'the one of this system' }),
    force: flag('install: replace a unit that skulk did not make'),
  },
  examples: [
    ['serve from now on', 'skulk service install'],
    ['see what that would write', 'skulk service print'],
    ['stop and remove it', 'skulk service uninstall'],
  ],
  exits: ['not-found', 'conflict'],
  run: async ({ action, role = 'auto', for: manager, force }, context) => {
    if (force && action !== 'install')
      throw new SkulkError('USAGE', '--force belongs to "skulk service install"', { hint: 'see: skulk service --help' });
    const deps = await context.deps();
    const { installService, printService, refreshService, uninstallService } = await import('../core/operations/service/service.ts');
    if (action === 'print') return printService(deps, { manager, role });
    if (action === 'refresh') return refreshService(deps, { manager, role });
    return action === 'install' ? installService(deps, { manager, role, force }) : uninstallService(deps, { manager, role });
  },
  text: ({ action, content, path, changed }) => {
    if (action === 'print') return content.trimEnd().split('\n');
    if (action === 'install')
      return [changed ? `wrote ${path}` : `${path} was there already`, 'skulk serve runs, now and whenever you log in'];
    if (action === 'refresh')
      return [
        changed ? `rewrote the paths of ${path}` : 'nothing to do: the unit has the paths of the configuration, or is not one of skulk',
      ];
    return [changed ? `stopped, and removed ${path}` : `nothing to do: ${path} is not there`];
  },
});
