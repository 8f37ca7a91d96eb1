import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { isSystemError, SkulkError } from '../errors.ts';
import { identifyProcess, type ProcessIdentity } from './process-identity.ts';

/** A started program that waits for `proceed` before it does anything. */
export interface ChildProgram {
  /** Undefined if it ended at once. */
  readonly identity: ProcessIdentity | undefined;
  /** Lets it begin. If this process dies first, the program ends without having begun. */
  proceed(): void;
  /** Sends a signal to the program, or to all processes of its group. */
  kill(signal: NodeJS.Signals): void;
  /** Its exit status; 128 + n after a signal, as in shells. */
  readonly status: Promise<number>;
}

/** Waits on descriptor 3 for a line, closes it and becomes the program, with the same pid and start time. */
const gate = 'IFS= read -r go <&3 || exit 125; exec 3<&-; exec "$@"';

/** The destination of a program's output: this process's own streams, nowhere, or a listener. */
export type ProgramOutput = 'inherit' | 'ignore' | ((chunk: Uint8Array, from: 'stdout' | 'stderr') => void);

/**
 * Starts a program with this process's standard streams, or without input if its output goes elsewhere. The program waits for `proceed`, so
 * that its pid can be saved first. This also holds if this process is killed in between.
 */
export async function startProgram(
  command: string,
  args: readonly string[],
  {
    env,
    cwd,
    output = 'inherit',
    isGroup = false,
  }: {
    readonly env: NodeJS.ProcessEnv;
    readonly cwd: string;
    readonly output?: ProgramOutput | undefined;
    /** Whether it leads its own process group, separate from the terminal of this process. */
    readonly isGroup?: boolean;
  },
): Promise<ChildProgram> {
  const streams = streamsFor(output);
  const isGated = process.platform !== 'win32';
  const child = isGated
    ? spawn('/bin/sh', ['-c', gate, 'skulk-run', command, ...args], { env, cwd, stdio: [...streams, 'pipe'], detached: isGroup })
    : spawn(command, args, { env, cwd, stdio: streams });
  if (typeof output === 'function')
    for (const from of ['stdout', 'stderr'] as const) child[from]?.on('data', (chunk: Buffer) => output(chunk, from));
  // Its child processes keep its output open, and are useless without it.
  if (isGroup && isGated) child.once('exit', () => void (child.pid !== undefined && killGroup(child.pid, 'SIGKILL')));
  const status = new Promise<number>((settle, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => settle(code ?? 128 + (osConstants.signals[signal ?? 'SIGKILL'] ?? 0)));
  });
  // It is awaited later. Until then, a failure to start must not count as unhandled.
  status.catch(() => undefined);
  const go = child.stdio[3] as NodeJS.WritableStream | null | undefined;
  go?.on('error', () => undefined);
  return {
    identity: child.pid === undefined ? undefined : await identifyProcess(child.pid),
    proceed: () => void go?.end('\n'),
    kill: (signal) => {
      if (isGroup && isGated && child.pid !== undefined) killGroup(child.pid, signal);
      else child.kill(signal);
    },
    status,
  };
}

/** Sends a signal to all processes of a group. @returns false if the group has no process left */
export function killGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-leader, signal);
  } catch (error) {
    if (isSystemError(error, 'ESRCH', 'EPERM')) return false;
    throw error;
  }
}

function streamsFor(output: ProgramOutput): ('inherit' | 'ignore' | 'pipe')[] {
  if (output === 'inherit') return ['inherit', 'inherit', 'inherit'];
  const to = output === 'ignore' ? 'ignore' : 'pipe';
  return ['ignore', to, to];
}

/** The search path of execvp(3) without PATH. */
const defaultPath = '/bin:/usr/bin';

/** Why a location does not have the program: the file does not exist, or cannot be executed. */
type Unusable = { readonly is: 'missing' } | { readonly is: 'blocked'; readonly reason: string };

/**
 * Finds a program as execvp(3) does. A PATH entry that cannot be searched, or a file that cannot be executed, does not end the search. A
 * script without a first line `#!` is accepted: the shell that starts it can run it.
 * @throws SkulkError COMMAND_NOT_FOUND (127), COMMAND_NOT_EXECUTABLE (126) with the first reason of the search
 */
export function findProgram(
  command: string,
  { env, cwd }: { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string },
): string {
  const isPath = command.includes('/');
  const directories = command === '' || isPath ? [] : (env['PATH'] ?? defaultPath).split(delimiter);
  const places = isPath ? [resolve(cwd, command)] : directories.map((directory) => resolve(cwd, directory, command));
  let reason: string | undefined;
  for (const place of places) {
    const found = inspect(place);
    // A path that begins with a dash must not become an option of the shell.
    if (found === 'program') return !isPath ? place : command.startsWith('-') ? `./${command}` : command;
    if (found.is === 'blocked') reason ??= found.reason;
  }
  if (reason !== undefined)
    throw new SkulkError('COMMAND_NOT_EXECUTABLE', isPath ? reason : `${JSON.stringify(command)} cannot be executed: ${reason}`, {
      hint: isPath ? 'check its permissions, or name another program' : 'check the permissions along PATH, or give the path of the program',
    });
  throw new SkulkError('COMMAND_NOT_FOUND', `${JSON.stringify(command)} is not a program on this machine`, {
    hint: isPath ? 'check the path' : 'check PATH, or give the path of the program',
  });
}

function inspect(place: string): 'program' | Unusable {
  try {
    const found = statSync(place, { throwIfNoEntry: false });
    if (found === undefined) return { is: 'missing' };
    if (found.isDirectory()) return { is: 'blocked', reason: `${place} is a directory` };
    if (!found.isFile()) return { is: 'blocked', reason: `${place} is not a regular file` };
    accessSync(place, constants.X_OK);
    return 'program';
  } catch (error) {
    if (!isSystemError(error, 'EACCES', 'EPERM')) return { is: 'missing' };
    const isThere = (error as NodeJS.ErrnoException).syscall === 'access';
    return { is: 'blocked', reason: isThere ? `${place} is not executable` : `no permission to search a directory of ${place}` };
  }
}

/** The terminal sends these signals to the whole foreground group, including a program started there. */
export const sentByTerminal: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT', 'SIGTSTP', 'SIGWINCH']);

/**
 * Whether this process is in the foreground of a terminal. Then the terminal also sends Ctrl-C to its children, and forwarding it would
 * send it twice.
 */
export function isInForeground(): boolean {
  if (process.platform !== 'linux') return [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
  try {
    const stat = readFileSync(join('/proc', String(process.pid), 'stat'), 'latin1');
    // After the name in parentheses: state, ppid, pgrp, session, tty_nr, tpgid (proc(5)).
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return group === foreground;
  } catch {
    return false;
  }
}
