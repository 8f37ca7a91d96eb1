import { dirname } from 'node:path';
import { SkulkError } from '../../kernel/errors.ts';

/** The service managers: systemd for the user (Linux), or launchd (macOS). */
export type ServiceManager = 'systemd' | 'launchd';

/** The content of a unit. */
export interface UnitContent {
  /** The program and its arguments; the program's path is absolute. */
  readonly command: readonly string[];
  /** The command that updates the unit's paths before each start, outside its sandbox. */
  readonly refresh: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** The directories that the server may write to, absolute. Everything else is read-only under systemd. */
  readonly writable: readonly string[];
  /** The file to which launchd writes the server's output; systemd has its journal. */
  readonly logFile: string;
}

/** The service's label in launchd. */
export const launchdLabel = 'org.skulk.serve';

/**
 * The unit's text. Pure.
 * @throws SkulkError CONFIG for a path with a line break or NUL, which a unit cannot contain
 */
export function unitFile(manager: ServiceManager, content: UnitContent): string {
  const { command, refresh, writable, environment, logFile } = content;
  requirePlain([...command, ...refresh, ...writable, logFile, ...Object.values(environment)]);
  return manager === 'systemd' ? systemdUnit(content) : launchdPlist(content);
}

function requirePlain(texts: readonly string[]): void {
  for (const text of texts)
    if (/\p{Cc}/u.test(text))
      throw new SkulkError('CONFIG', `${JSON.stringify(text)} cannot be written into a unit`, {
        hint: 'use a path without control characters',
      });
}

/** systemd.syntax(7): quotes and backslashes are escaped as in C, and `%` begins a specifier. */
const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;

/** systemd.service(5): in commands, `$` also begins a variable. */
const commandLine = (words: readonly string[]): string => words.map((word) => quoted(word).replaceAll('$', () => '$$')).join(' ');

/** Directories that a private /tmp hides (systemd.exec(5)). */
const isTemporary = (path: string): boolean => /^\/(?:var\/)?tmp(?:\/|$)/.test(path);

/** systemd.exec(5). A `-` allows a missing directory: then skulk itself reports it, instead of a unit that cannot be started. */
const pathLines = (writable: readonly string[], others: readonly string[]): string => `PrivateTmp=${
  [...writable, ...others].some(isTemporary) ? 'no' : 'yes'
}
${writable.map((path) => `ReadWritePaths=${quoted(`-${path}`)}\n`).join('')}`;

/** The lines that `pathLines` writes. */
const pathLine = /^(?:PrivateTmp|ReadWritePaths)=.*\n?/gm;

/** Whether a unit lists writable directories. */
export const namesPaths = (unit: string): boolean => /^ReadWritePaths=/m.test(unit);

/** The directories that a systemd unit does not make writable. Pure. */
export const missingIn = (unit: string, writable: readonly string[]): readonly string[] =>
  writable.filter((path) => !namesPath(unit, path));

/** Whether a systemd unit makes a directory writable: it lists the directory itself or one above it. Pure. */
export const isWritableIn = (unit: string, path: string): boolean =>
  namesPath(unit, path) || (dirname(path) !== path && isWritableIn(unit, dirname(path)));

const namesPath = (unit: string, path: string): boolean => unit.includes(`\nReadWritePaths=${quoted(`-${path}`)}\n`);

/** Whether a systemd unit starts the server with this configuration file and these variables. Pure. */
export function isUnitOf(
  unit: string,
  { file, environment }: { file: string | undefined; environment: UnitContent['environment'] },
): boolean {
  const start = /^ExecStart=.*$/m.exec(unit)?.[0] ?? '';
  const hasFile = file === undefined ? !start.includes(' "--config" ') : start.includes(` ${commandLine(['--config', file])}`);
  return hasFile && Object.entries(environment).every(([name, value]) => unit.includes(`\nEnvironment=${quoted(`${name}=${value}`)}\n`));
}

/**
 * The same systemd unit with other writable directories. Other changes by the user stay. Pure.
 * @throws SkulkError CONFIG as `unitFile`
 */
export function withPaths(unit: string, { writable, command }: Pick<UnitContent, 'writable' | 'command'>): string {
  requirePlain(writable);
  let isWritten = false;
  return unit.replaceAll(pathLine, () => {
    if (isWritten) return '';
    isWritten = true;
    return pathLines(writable, command);
  });
}

/** systemd.service(5), systemd.exec(5). */
function systemdUnit({ command, refresh, environment, writable }: UnitContent): string {
  return `# Made by \`skulk service install\`; \`skulk service uninstall\` removes it.
[Unit]
Description=skulk: one shared store of models for this LAN
Documentation=man:skulk-serve(1)
Wants=network-online.target
After=network-online.target
# A disk may be mounted at any time, so never stop trying.
StartLimitIntervalSec=0

[Service]
Type=exec
# Outside the sandbox: updates the paths below from skulk.yaml.
ExecStartPre=-+${commandLine(refresh)}
ExecStart=${commandLine(command)}
${Object.entries(environment)
  .map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}\n`)
  .join('')}Restart=on-failure
RestartSec=5
# A configuration error needs a person.
RestartPreventExitStatus=2
# Running requests get ten seconds to finish.
TimeoutStopSec=20
KillMode=mixed
LimitNOFILE=65536

# Everything else is read-only. The store, the staged copies, skulk's own files and the directory of skulk.yaml:
ProtectSystem=strict
${pathLines(writable, command)}NoNewPrivileges=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictNamespaces=yes
LockPersonality=yes
SystemCallArchitectures=native
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

[Install]
WantedBy=default.target
`;
}

/** launchd.plist(5). launchd has no sandbox for a user's program; files that others cannot change are the only protection. */
function launchdPlist({ command, environment, logFile }: UnitContent): string {
  const text = (value: string): string => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const strings = command.map((word) => `    <string>${text(word)}</string>\n`).join('');
  const variables = Object.entries(environment)
    .map(([name, value]) => `    <key>${text(name)}</key>\n    <string>${text(value)}</string>\n`)
    .join('');
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Made by \`skulk service install\`; \`skulk service uninstall\` removes it. -->
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${launchdLabel}</string>
  <key>ProgramArguments</key>
  <array>
${strings}  </array>
  <key>EnvironmentVariables</key>
  <dict>
${variables}  </dict>
  <key>Umask</key>
  <integer>18</integer>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ExitTimeOut</key>
  <integer>20</integer>
  <key>StandardErrorPath</key>
  <string>${text(logFile)}</string>
  <key>StandardOutPath</key>
  <string>${text(logFile)}</string>
</dict>
</plist>
`;
}
