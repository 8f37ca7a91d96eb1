import { Readable, Writable } from 'node:stream';
import type { CommandLoaders } from '../../src/cli/definition.ts';
import type { Host, StopSignal } from '../../src/cli/host.ts';

/** The replacement of the process. */
export interface HostOptions {
  readonly cwd: string;
  readonly env?: Record<string, string> | undefined;
  readonly stdin?: string | undefined;
  readonly isTerminal?: boolean | undefined;
  /** The width of that terminal. */
  readonly columns?: number | undefined;
  readonly hostname?: string | undefined;
}

/** A host for the shell that keeps the output. */
export interface TestHost {
  readonly host: Host;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly send: (signal: StopSignal) => void;
  /** The status of an exit at once, after a second signal. */
  readonly exited: () => number | undefined;
}

/** A stream that keeps written text. */
export class Sink extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number;

  constructor(isTTY: boolean, columns = 100) {
    super();
    this.isTTY = isTTY;
    this.columns = columns;
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    this.emit('text');
    done();
  }
}

/** Replaces a process, with `HOME` in its working directory unless the environment sets it. */
export function makeTestHost(
  commands: CommandLoaders,
  { cwd, env, stdin, isTerminal = false, columns, hostname = 'kite3' }: HostOptions,
): TestHost {
  const [stdout, stderr] = [new Sink(isTerminal, columns), new Sink(isTerminal, columns)];
  const listeners = new Set<(signal: StopSignal) => void>();
  let exited: number | undefined;
  const host: Host = {
    commands,
    version: '1.2.3',
    env: { HOME: cwd, ...env },
    cwd,
    platform: process.platform,
    hostname,
    homeDirectory: env?.['HOME'] ?? cwd,
    user: () => 'anna',
    stdin: Object.assign(Readable.from(stdin === undefined ? [] : [stdin]), { isTTY: isTerminal }),
    stdout,
    stderr,
    log: { write: (line) => void stderr.write(line) },
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
  const send = (signal: StopSignal): void => {
    for (const listener of listeners) listener(signal);
  };
  return { host, stdout, stderr, send, exited: () => exited };
}
