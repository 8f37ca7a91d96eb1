import { SkulkError } from '../../kernel/errors.ts';

/** What keeps a program running: systemd for the user (Linux), or launchd (macOS). */
export type ServiceManager = 'systemd' | 'launchd';

/** What a unit starts. */
export interface UnitContent {
  /** The program and its arguments, absolute paths first. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where launchd writes what the server says; systemd has its journal. */
  readonly logFile: string;
}

/** The name by which launchd knows the service. */
export const launchdLabel = 'org.skulk.serve';

/**
 * The unit's text. Pure.
 * @throws SkulkError CONFIG for a path with a line break or NUL, which no unit can name
 */
export function unitFile(manager: ServiceManager, content: UnitContent): string {
  for (const text of [...content.command, content.logFile, ...Object.values(content.environment)])
    if (/\p{Cc}/u.test(text))
      throw new SkulkError('CONFIG', `${JSON.stringify(text)} cannot stand in a unit`, { hint: 'use a path without control characters' });
  return manager === 'systemd' ? systemdUnit(content) : launchdPlist(content);
}

/** systemd.service(5), systemd.syntax(7): `%` and `$` mean something, quotes and backslashes are escaped as in C. */
function systemdUnit({ command, environment }: UnitContent): string {
  const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;
  const words = command.map((word) => quoted(word).replaceAll('$', () => '$$'));
  return `# Made by \`skulk service install\`; \`skulk service uninstall\` removes it.
[Unit]
Description=skulk: one shared store of models for this LAN
Documentation=man:skulk-serve(1)
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
ExecStart=${words.join(' ')}
${Object.entries(environment)
  .map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}\n`)
  .join('')}Restart=on-failure
RestartSec=2
# It finishes what runs within ten seconds.
TimeoutStopSec=20
KillMode=mixed
NoNewPrivileges=true
LimitNOFILE=65536

[Install]
WantedBy=default.target
`;
}

/** launchd.plist(5). */
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
