import { SkulkError } from '../errors.ts';

// See own-process.ts.
const { accessSync, constants } = process.getBuiltinModule('node:fs');

/** How a server replaces its process with a new one of the same program. */
export interface Replacement {
  /** What the replaced process left; undefined if this one was started by a user or a service manager. */
  readonly handover: string | undefined;
  /** Throws a SkulkError CONFLICT if the program could not start again, e.g. because it was removed. */
  check(): void;
  /** Replaces this process. It keeps its id, so that its parent does not notice; open files and connections close. */
  replace(handover: string): never;
}

const variable = 'SKULK_HANDOVER';

/** The replacement of this process; undefined on systems that cannot replace a process, such as Windows. */
export function processReplacement(): Replacement | undefined {
  const { [variable]: handover } = process.env;
  // Not for the programs that this one starts.
  delete process.env[variable];
  const { execve, execPath, execArgv, argv } = process;
  if (typeof execve !== 'function' || process.platform === 'win32') return undefined;
  const check = (): void => {
    const script = argv[1] ?? '';
    for (const [path, mode] of [
      [execPath, constants.X_OK],
      [script, constants.R_OK],
    ] as const) {
      try {
        accessSync(path, mode);
      } catch (cause) {
        throw new SkulkError('CONFLICT', `${path} cannot be started again`, {
          hint: 'skulk may have been removed or moved; install it, then start the server again',
          cause,
        });
      }
    }
  };
  return {
    handover,
    check,
    // A failed execve ends the process with a trace, so its usual causes are checked before.
    replace: (left) => {
      check();
      const env = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== undefined));
      return execve.call(process, execPath, [execPath, ...execArgv, ...argv.slice(1)], { ...env, [variable]: left } as NodeJS.ProcessEnv);
    },
  };
}
