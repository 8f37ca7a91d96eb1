import { endProcess } from '../core/kernel/process/end-process.ts';
import { homeOfUser, nameOfUser, ownVersion, workingDirectory } from '../core/kernel/process/own-process.ts';
import { processReplacement, type Replacement } from '../core/kernel/process/replace-process.ts';
import type { CommandLoaders } from './definition.ts';

/** A destination for output; `isTTY` and `columns` as in Node's terminals. */
export type HostOutput = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** The signals that end a command. */
export type StopSignal = 'SIGINT' | 'SIGTERM';

/** How a program that draws on the terminal is suspended and continued, as by Ctrl-Z and `fg`. */
export interface Drawing {
  /** Restores the terminal. */
  readonly release: () => void;
  /** Takes over the terminal again. */
  readonly resume: () => void;
}

/** The job of a drawing program. */
export interface Job {
  /** Suspends it, as the terminal does on Ctrl-Z if no program handles that key. */
  readonly stop: () => void;
  /** Ends the handling of suspension. */
  readonly end: () => void;
}

/** The process, or its replacement in a test. */
export interface Host {
  readonly commands: CommandLoaders;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  readonly hostname: string;
  readonly homeDirectory: string;
  readonly user: () => string;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean; readonly setRawMode?: (isRaw: boolean) => unknown };
  readonly stdout: HostOutput;
  readonly stderr: HostOutput;
  /** The destination of a server's log; if absent, stderr, written at once. */
  readonly log?: { write(line: string): void };
  /** Calls the listener for each signal until the returned function is called. */
  readonly onSignal: (listener: (signal: StopSignal) => void) => () => void;
  /** The same for every signal that can be forwarded to another process. */
  readonly onPassableSignal: (listener: (signal: NodeJS.Signals) => void) => () => void;
  /** Calls the listener for an uncaught error. */
  readonly onCrash: (listener: (error: unknown) => void) => () => void;
  /** Lets a drawing restore the terminal before the job is suspended. */
  readonly controlJob: (drawing: Drawing) => Job;
  /** Replaces the process by a new one of the same program; absent where that is not possible. */
  readonly replacement?: Replacement;
  /** Ends the process at once. */
  readonly exit: (status: number) => void;
}

// An import of this module reads all of its exports; see own-process.ts.
const { hostname } = process.getBuiltinModule('node:os');

/** The host of a real process. */
export function processHost(commands: CommandLoaders): Host {
  const { env, platform } = process;
  keepOwnAccess();
  const replacement = processReplacement();
  return {
    commands,
    version: ownVersion(),
    env,
    cwd: workingDirectory(),
    platform,
    hostname: hostname(),
    homeDirectory: homeOfUser(env['HOME']),
    user: nameOfUser,
    // Opened at their first use, because each costs some milliseconds.
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
      // A closed terminal or session means the same as a request to end.
      const hangUp = (): void => listener('SIGTERM');
      const early = process.listeners('SIGINT');
      process.on('SIGINT', listener).on('SIGTERM', listener).on('SIGHUP', hangUp);
      // That of bin/skulk.js, for the time until now.
      for (const one of early) process.off('SIGINT', one);
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
    ...(replacement !== undefined && { replacement }),
    exit: endProcess,
  };
}

function controlJob({ release, resume }: Drawing): Job {
  const stop = (whom: number): void => {
    release();
    process.off('SIGTSTP', onStop);
    // The process is suspended in this call, and continues with the next line. An orphaned job is not suspended at all.
    process.kill(whom, 'SIGTSTP');
    process.on('SIGTSTP', onStop);
    // A new window size is known after that.
    setImmediate(resume);
  };
  const onStop = (): void => stop(process.pid);
  process.on('SIGTSTP', onStop);
  // The terminal would suspend every process of the job, including the one that waits for this one.
  return { stop: () => stop(0), end: () => void process.off('SIGTSTP', onStop) };
}

/** Not SIGTSTP and SIGCONT, because a job is suspended as a whole. Node reserves SIGUSR1 for its debugger until there is a listener. */
const passable = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const;

/** With a umask that removes the user's own rights, new directories would be unusable. */
function keepOwnAccess(): void {
  const ofOwner = 0o700;
  const mask = process.umask(0o077);
  process.umask(mask & ~ofOwner);
}
