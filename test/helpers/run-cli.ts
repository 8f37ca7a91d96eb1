import type { CommandLoaders } from '../../src/cli/definition.ts';
import type { StopSignal } from '../../src/cli/host.ts';
import { main } from '../../src/cli/main.ts';
import { commandLoaders } from '../../src/commands/index.ts';
import { type HostOptions, makeTestHost } from './test-host.ts';

/** The result of a command line. */
export interface CliResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The status of an exit at once, after a second signal. */
  readonly exited: number | undefined;
}

/** The replacement of the process. */
export interface CliOptions extends HostOptions {
  readonly commands?: CommandLoaders;
  /** Gets a function that sends a signal, and one that returns stderr so far. */
  readonly onStart?: (send: (signal: StopSignal) => void, stderrText: () => string) => void;
}

/** Runs a command line of the sources in this process, with `HOME` in its working directory unless the environment sets it. */
export async function runCli(argv: readonly string[], { commands = commandLoaders, onStart, ...options }: CliOptions): Promise<CliResult> {
  const { host, stdout, stderr, send, exited } = makeTestHost(commands, options);
  onStart?.(send, () => stderr.text);
  const status = await main(argv, host);
  return { status, stdout: stdout.text, stderr: stderr.text, exited: exited() };
}
