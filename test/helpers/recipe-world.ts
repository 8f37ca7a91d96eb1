import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { atEnd } from './at-end.ts';
import type { HubContent } from './fake-hub.ts';
import { hubWorld } from './hub-world.ts';
import { temporaryDirectory } from './temp-directory.ts';
import { within } from './waiting.ts';
import { clientPath } from './wants.ts';

const run = promisify(execFile);
const program = fileURLToPath(new URL('../../bin/skulk.js', import.meta.url));

/** The blocks of a page in one language, exactly as they are written. */
export async function blocksOf(page: string, language: 'sh' | 'js' | 'python'): Promise<readonly string[]> {
  const text = await readFile(new URL(`../../docs/recipes/${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)].filter(([, of]) => of === language).map(([, , block = '']) => block);
}

/** A store, the strict stand-in for the Hub behind it, and a shell for the commands of a page. */
export async function recipeWorld(models: Readonly<Record<string, Readonly<Record<string, HubContent>>>>) {
  const world = await hubWorld();
  for (const [id, files] of Object.entries(models)) world.hub.push(id, { files });
  const bin = await temporaryDirectory();
  await writeFile(join(bin, 'skulk'), `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`);
  await chmod(join(bin, 'skulk'), 0o755);
  const host = await world.serve();
  const home = await temporaryDirectory();
  let runs = 0;
  const own = { PATH: [bin, clientPath].join(delimiter), HOME: home, SKULK_HOME: join(home, 'node'), SKULK_STORE: host.url };
  const forHere = (block: string): string => block.replaceAll('http://192.168.1.10:58080', host.url);
  return {
    world,
    host,
    home,
    /** Runs a block in an empty directory. Only the address is changed. */
    shell: async (block: string, { token, into, modules }: { token?: string; into?: string; modules?: URL } = {}) => {
      const cwd = into ?? join(home, String(runs));
      runs += 1;
      await mkdir(cwd, { recursive: true });
      if (modules !== undefined) await symlink(fileURLToPath(modules), join(cwd, 'node_modules'));
      const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', forHere(block)], {
        cwd,
        env: { ...own, ...(token !== undefined && { SKULK_TOKEN: token }) },
      });
      return { cwd, stdout };
    },
    /** Starts a block that runs until it is ended. */
    start: (
      block: string,
      env: Readonly<Record<string, string>> = {},
    ): { readonly output: () => string; readonly end: () => Promise<void> } => {
      const child = spawn('bash', ['-euo', 'pipefail', '-c', forHere(block)], {
        cwd: home,
        env: { ...own, ...env },
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text;
        });
      child.once('exit', (status, signal) => {
        output += `\nended with ${status ?? signal}\n`;
      });
      const end = () => endGroup(child);
      atEnd(end);
      return { output: () => output, end };
    },
  };
}

/** What a page is tried in. */
export type RecipeWorld = Awaited<ReturnType<typeof recipeWorld>>;

/** Makes the store require a token. @returns one that may read */
export async function close({ world, host }: RecipeWorld): Promise<string> {
  expect((await world.host('policy', 'set', 'lan', 'none')).status).toBe(0);
  const made = await world.host('token', 'create', 'laptop', '--role', 'read', '--json');
  await expect.poll(async () => (await fetch(`${host.url}/api/models`)).status).toBe(401);
  return (JSON.parse(made.stdout) as { token: string }).token;
}

/** Ends a shell and what it has started. */
async function endGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  process.kill(-child.pid, 'SIGTERM');
  await within('the end of a program of a recipe', exited);
}
