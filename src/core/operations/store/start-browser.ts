import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import type { World } from '../../kernel/world.ts';

/** Starts the desktop's browser with a URL, without waiting for it. @returns false if there is none */
export async function startBrowser(url: string, { env, platform }: World): Promise<boolean> {
  const program = platform === 'darwin' ? 'open' : 'xdg-open';
  const hasScreen = platform === 'darwin' || Boolean(env['DISPLAY']) || Boolean(env['WAYLAND_DISPLAY']);
  if (!hasScreen) return false;
  const path = await findProgram(program, env['PATH']);
  if (path === undefined) return false;
  return new Promise((resolve) => {
    const child = spawn(path, [url], { detached: true, stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}

async function findProgram(name: string, path: string | undefined): Promise<string | undefined> {
  for (const directory of (path ?? '').split(delimiter)) {
    if (!isAbsolute(directory)) continue;
    const candidate = join(directory, name);
    const isThere = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return candidate;
  }
  return undefined;
}
