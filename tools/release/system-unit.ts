import { unitFile } from '../../src/core/operations/service/unit-file.ts';

/** Replaces one line of a unit. @throws Error when the unit does not have it */
function replaceLine(unit: string, line: RegExp, by: string): string {
  if (!line.test(unit)) throw new Error(`the unit has no line ${line}`);
  return unit.replace(line, by);
}

/**
 * The unit of the Debian package: that of `skulk service install`, for a separate account instead of a user. The account's file permissions
 * decide where the server can write, because a store may be on any disk.
 */
export function systemUnit(): string {
  const unit = unitFile('systemd', {
    command: ['/usr/bin/skulk', 'serve'],
    refresh: ['/usr/bin/true'],
    environment: {},
    writable: ['/var/lib/skulk'],
    logFile: '',
  });
  return [
    [/^# Made by .*\n/, '# From the package skulk. Change it with: systemctl edit skulk\n'],
    [
      /^# Outside the sandbox.*\nExecStartPre=.*\n/m,
      'User=skulk\nGroup=skulk\n# skulk.yaml in this directory counts.\nWorkingDirectory=/etc/skulk\n',
    ],
    [/^# Everything else is read-only\..*\nProtectSystem=strict\n/m, 'ProtectSystem=full\n'],
    [/^ReadWritePaths=.*\n/m, ''],
    [/^WantedBy=.*$/m, 'WantedBy=multi-user.target'],
  ].reduce((text, [line, by]) => replaceLine(text, line as RegExp, by as string), unit);
}
