import { homeOfUser, ownVersion, workingDirectory } from '../core/kernel/process/own-process.ts';
import type { CommandLoaders } from './definition.ts';

/** A place to write to; `isTTY` and `columns` as in Node's terminals. */
export type HostOutput = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** The signals that end a command. */
export type StopSignal = 'SIGINT' | 'SIGTERM';

/** What a program that draws on the terminal does when its job is stopped and goes on, as by Ctrl-Z and `fg`. */
export interface Drawing {
  /** Gives the terminal back. */
  readonly release: () => void;
  /** Takes it again. */
  readonly resume: () => void;
}

/** The job of a program that draws. */
export interface Job {
  /** Stops it, as the terminal does at Ctrl-Z when nothing takes that key. */
  readonly stop: () => void;
  /** From now on stopping it is nobody's business. */
  readonly end: () => void;
}

/** The process, or what a test puts in its place. */
export interface Host {
  readonly commands: CommandLoaders;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  readonly hostname: string;
  readonly homeDirectory: string;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: HostOutput;
  readonly stderr: HostOutput;
  /** Where a server logs; stderr, written at once, when absent. */
  readonly log?: { write(line: string): void };
  /** Calls back for each signal until the returned function is called. */
  readonly onSignal: (listener: (signal: StopSignal) => void) => () => void;
  /** The same for every signal that can be passed on to another process. */
  readonly onPassableSignal: (listener: (signal: NodeJS.Signals) => void) => () => void;
  /** Calls back for an error that nothing caught. */
  readonly onCrash: (listener: (error: unknown) => void) => () => void;
  /** Has a drawing leave the terminal before the job is stopped. */
  readonly controlJob: (drawing: Drawing) => Job;
  /** Ends the process at once. */
  readonly exit: (status: number) => void;
}

// An import of it reads every export of it; see own-process.ts.
const { hostname } = process.getBuiltinModule('node:os');

/** The host of a real process. */
export function processHost(commands: CommandLoaders): Host {
  const { env, platform } = process;
  keepOwnAccess();
  return {
    commands,
    version: ownVersion(),
    env,
    cwd: workingDirectory(),
    platform,
    hostname: hostname(),
    homeDirectory: homeOfUser(env['HOME']),
    // Opened when they are first used, as each costs some milliseconds.
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      return process.stdout;
    },
    get stderr() {
      return process.stderr;
    },
    onSignal: (listener) => {
      // A closed terminal or session means the same as being asked to end.
      const hangUp = (): void => listener('SIGTERM');
      process.on('SIGINT', listener).on('SIGTERM', listener).on('SIGHUP', hangUp);
      return () => void process.off('SIGINT', listener).off('SIGTERM', listener).off('SIGHUP', hangUp);
    },
    onPassableSignal: (listener) => {
      for (const signal of passable) process.on(signal, listener);
      return () => {
        for (const signal of passable) process.off(signal, listener);
      };
    },
    onCrash: (listener) => {
      process.on('uncaughtException', listener);
      return () => void process.off('uncaughtException', listener);
    },
    controlJob,
    exit: (status) => process.exit(status),
  };
}

function controlJob({ release, resume }: Drawing): Job {
  const stop = (whom: number): void => {
    release();
    process.off('SIGTSTP', onStop);
    // The process stands still in here, and goes on with the next line. A job that nobody could continue is not stopped at all.
    process.kill(whom, 'SIGTSTP');
    process.on('SIGTSTP', onStop);
    // What the window became meanwhile is known after that.
    setImmediate(resume);
  };
  const onStop = (): void => stop(process.pid);
  process.on('SIGTSTP', onStop);
  // The terminal would tell every process of the job, such as the one that waits for this one.
  return { stop: () => stop(0), end: () => void process.off('SIGTSTP', onStop) };
}

/** Not SIGTSTP and SIGCONT: a job that is stopped is stopped as a whole. Node keeps SIGUSR1 for its debugger until somebody listens. */
const passable = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const;

/** A umask that takes the user's own rights away would make directories that nothing can be put into. */
function keepOwnAccess(): void {
  const ofOwner = 0o700;
  const mask = process.umask(0o077);
  process.umask(mask & ~ofOwner);
}
