import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** The directory of this clone. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a program and returns its output. @throws Error with its last lines when it fails */
export async function run(program: string, args: readonly string[], { cwd = root }: { readonly cwd?: string } = {}): Promise<string> {
  const { stdout } = await execute(program, args, { cwd, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}
