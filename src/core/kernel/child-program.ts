import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { SkulkError } from './errors.ts';
import { identifyProcess, type ProcessIdentity } from './process-identity.ts';

/** A program that was started, but does nothing before it is let go. */
export interface ChildProgram {
  /** Undefined when it ended at once. */
  readonly identity: ProcessIdentity | undefined;
  /** Lets it begin. When this process dies before, it ends without having begun. */
  letGo(): void;
  kill(signal: NodeJS.Signals): void;
  /** Its exit status, 128 + n for a signal, as shells say it. */
  readonly status: Promise<number>;
}

/** Waits on descriptor 3 for a line, closes it and becomes the program: same pid, same start time. */
const gate = 'IFS= read -r go <&3 || exit 125; exec 3<&-; exec "$@"';

/**
 * Starts a program with this process's own standard streams. It waits for `letGo`, so that what must be written down before
 * it lives (its pid) is, even if this process is killed in between.
 */
export async function startProgram(
  command: string,
  args: readonly string[],
  { env, cwd }: { readonly env: NodeJS.ProcessEnv; readonly cwd: string },
): Promise<ChildProgram> {
  const isGated = process.platform !== 'win32';
  const child = isGated
    ? spawn('/bin/sh', ['-c', gate, 'skulk-run', command, ...args], { env, cwd, stdio: ['inherit', 'inherit', 'inherit', 'pipe'] })
    : spawn(command, args, { env, cwd, stdio: 'inherit' });
  const status = new Promise<number>((settle, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => settle(code ?? 128 + (osConstants.signals[signal ?? 'SIGKILL'] ?? 0)));
  });
  // It is awaited later; a failure to start must not count as unhandled until then.
  status.catch(() => undefined);
  const go = child.stdio[3] as NodeJS.WritableStream | null | undefined;
  go?.on('error', () => undefined);
  return {
    identity: child.pid === undefined ? undefined : await identifyProcess(child.pid),
    letGo: () => void go?.end('\n'),
    kill: (signal) => void child.kill(signal),
    status,
  };
}

/**
 * Finds a program as a shell would.
 * @throws SkulkError COMMAND_NOT_FOUND (127), COMMAND_NOT_EXECUTABLE (126)
 */
export function findProgram(
  command: string,
  { env, cwd }: { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string },
): string {
  const isPath = command.includes('/');
  const places = isPath
    ? [resolve(cwd, command)]
    : (env['PATH'] ?? '').split(delimiter).map((directory) => resolve(cwd, directory || '.', command));
  let found: string | undefined;
  for (const place of places) {
    if (!statSync(place, { throwIfNoEntry: false })?.isFile()) {
      if (isPath && statSync(place, { throwIfNoEntry: false }) !== undefined) found = place;
      continue;
    }
    if (isExecutable(place)) return isPath ? command : place;
    found ??= place;
  }
  if (found !== undefined)
    throw new SkulkError('COMMAND_NOT_EXECUTABLE', `${found} cannot be executed`, { hint: 'check its mode, or name another program' });
  throw new SkulkError('COMMAND_NOT_FOUND', `${JSON.stringify(command)} is not a program on this machine`, {
    hint: isPath ? 'check the path' : 'check PATH, or give the path of the program',
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether this process is in the foreground of a terminal. Then Ctrl-C reaches its children without it, and passing it on
 * would send it twice.
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
