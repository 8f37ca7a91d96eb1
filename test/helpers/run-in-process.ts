import { hostname } from 'node:os';
import { ownEnvironment } from './own-environment.ts';
import { runCli } from './run-cli.ts';
import type { Ended, SpawnOptions } from './spawn-skulk.ts';
import { within } from './waiting.ts';

/**
 * Does what `runSkulk` does, in this process: for what a test prepares and looks at. What is killed, gets signals, outlives the test or
 * must not share a process with anything is started by `startSkulk`.
 */
export async function runInProcess(args: readonly string[], { env = {}, cwd = '/' }: SpawnOptions = {}): Promise<Ended> {
  const own = ownEnvironment({
    SKULK_NO_MDNS: '1',
    SKULK_NO_DISCOVERY: '1',
    ...(env['HF_ENDPOINT'] === undefined && { HF_HUB_OFFLINE: '1' }),
    ...env,
  });
  const work = runCli(args, { cwd, env: own, hostname: hostname() });
  const { status, stdout, stderr } = await within(`the end of skulk ${args.join(' ')}`, work);
  return { status, signal: null, stdout, stderr };
}
