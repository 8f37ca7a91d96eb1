import { argument, choice, defineCommand, flag } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';

/** `skulk service`: keep `skulk serve` running. */
export const service = defineCommand({
  name: 'service',
  summary: 'keep `skulk serve` running with systemd or launchd',
  description: [
    '`install` writes a unit for this user, which uses the current configuration file, and starts it now and at each login. `uninstall` stops the service and removes the unit. `status` shows whether it runs, `restart` restarts it, and `logs` prints its last 100 lines. `print` prints the unit, e.g. to turn it into a system-wide one.',
    'Under systemd the server runs in a sandbox: it can write only to store_path, node_cache_path, SKULK_HOME and the directory of skulk.yaml. `refresh` updates these paths after a configuration change; the unit runs it before each start. launchd has no such sandbox: the server can write wherever the user can.',
    'A configuration error (exit status 2) stops the service. After any other failure, such as an unmounted disk, it is restarted every five seconds.',
    'On Linux a user’s services end when the user logs out; run `loginctl enable-linger` once to keep them running. To follow the logs: `journalctl --user -fu skulk`, on macOS `tail -f` of `serve.log` in SKULK_HOME. The unit contains no tokens: put them into skulk.yaml.',
  ],
  arguments: {
    action: argument('what to do', {
      choices: ['status', 'install', 'uninstall', 'restart', 'logs', 'print', 'refresh'],
      fallback: 'status',
    }),
  },
  options: {
    role: choice('the role of this machine', 'ROLE', ['auto', 'store', 'node'], { fallback: 'auto' }),
    for: choice('the service manager', 'MANAGER', ['systemd', 'launchd'], { fallback: 'that of this system' }),
    force: flag('install: replace a unit that skulk did not create'),
  },
  examples: [
    ['install and start the service', 'skulk service install'],
    ['see the unit without installing it', 'skulk service print'],
    ['see whether it runs', 'skulk service status'],
    ['restart it, e.g. after an update', 'skulk service restart'],
    ['stop and remove it', 'skulk service uninstall'],
  ],
  exits: ['not-found', 'conflict'],
  instead: {
    '--dry-run': '`skulk service print` shows the unit',
    stop: 'to stop it without uninstalling it: `systemctl --user stop skulk`; on macOS: `launchctl bootout gui/$(id -u)/org.skulk.serve`',
    start: '`skulk service restart` also starts a stopped service; `skulk service install` installs and starts it',
  },
  run: async ({ action, role = 'auto', for: manager, force }, context) => {
    if (force && action !== 'install')
      throw new SkulkError('USAGE', '--force belongs to "skulk service install"', { hint: 'see: skulk service --help' });
    const deps = await context.deps();
    const { installService, printService, refreshService, uninstallService } = await import('../core/operations/service/service.ts');
    if (action === 'status' || action === 'restart' || action === 'logs') {
      const control = await import('../core/operations/service/control-service.ts');
      const act = { status: control.serviceStatus, restart: control.restartService, logs: control.serviceLogs }[action];
      return act(deps, { manager, role });
    }
    if (action === 'print') return printService(deps, { manager, role });
    if (action === 'refresh') return refreshService(deps, { manager, role });
    return action === 'install' ? installService(deps, { manager, role, force }) : uninstallService(deps, { manager, role });
  },
  text: (result) => {
    if (result.action === 'status') return [`${result.state}${result.pid === null ? '' : `, pid ${result.pid}`}`, `unit ${result.path}`];
    if (result.action === 'restart') return ['restarted'];
    if (result.action === 'logs') return result.lines;
    const { action, content, path, changed } = result;
    if (action === 'print') return content.trimEnd().split('\n');
    if (action === 'install') return [changed ? `wrote ${path}` : `${path} already there`, 'skulk serve runs now and at each login'];
    if (action === 'refresh')
      return [changed ? `updated the paths in ${path}` : 'nothing to do: the unit has the configured paths, or skulk did not create it'];
    if (!changed) return [`nothing to do: ${path} does not exist`];
    return [
      result.stopped === false
        ? `removed ${path}; the service manager could not be asked to stop the service`
        : `stopped, and removed ${path}`,
    ];
  },
});
