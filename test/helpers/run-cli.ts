import { Readable, Writable } from 'node:stream';
import type { CommandLoaders } from '../../src/cli/definition.ts';
import type { Host, StopSignal } from '../../src/cli/host.ts';
import { main } from '../../src/cli/main.ts';
import { commandLoaders } from '../../src/commands/index.ts';

/** What a command line did. */
export interface CliResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The status of an exit at once, after a second signal. */
  readonly exited: number | undefined;
}

/** What stands in for the process. */
export interface CliOptions {
  readonly cwd: string;
  readonly env?: Record<string, string>;
  readonly commands?: CommandLoaders;
  readonly stdin?: string;
  readonly isTerminal?: boolean;
  readonly hostname?: string;
  /** Gets a function that sends a signal. */
  readonly onStart?: (send: (signal: StopSignal) => void) => void;
}

class Sink extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 100;

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** Runs a command line in this process, with `HOME` in its working directory unless the environment says otherwise. */
export async function runCli(
  argv: readonly string[],
  { cwd, env, commands, stdin, isTerminal = false, hostname = 'kite3', onStart }: CliOptions,
): Promise<CliResult> {
  const [stdout, stderr] = [new Sink(isTerminal), new Sink(isTerminal)];
  const listeners = new Set<(signal: StopSignal) => void>();
  let exited: number | undefined;
  const host: Host = {
    commands: commands ?? commandLoaders,
    version: '1.2.3',
    env: { HOME: cwd, ...env },
    cwd,
    platform: process.platform,
    hostname,
    homeDirectory: env?.['HOME'] ?? cwd,
    stdin: Object.assign(Readable.from(stdin === undefined ? [] : [stdin]), { isTTY: isTerminal }),
    stdout,
    stderr,
    onSignal: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onPassableSignal: () => () => undefined,
    onCrash: () => () => undefined,
    controlJob: () => ({ stop: () => undefined, end: () => undefined }),
    exit: (status) => {
      exited ??= status;
    },
  };
  onStart?.((signal) => {
    for (const listener of listeners) listener(signal);
  });
  const status = await main(argv, host);
  return { status, stdout: stdout.text, stderr: stderr.text, exited };
}
