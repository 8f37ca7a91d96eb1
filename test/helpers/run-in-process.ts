import { hostname } from 'node:os';
import { atEnd } from './at-end.ts';
import { ownEnvironment } from './own-environment.ts';
import { refuseWhenOver } from './own-test.ts';
import { type Ended, onFreePorts, readReady, type Serving, type SpawnOptions } from './spawn-skulk.ts';
import { makeTestHost, type TestHost } from './test-host.ts';
import { within } from './waiting.ts';

type Shell = Pick<typeof import('../../src/cli/main.ts'), 'main'> & Pick<typeof import('../../src/commands/index.ts'), 'commandLoaders'>;

/** The built program: it loads in milliseconds, while the sources would be transformed again for each test file. */
async function builtShell(): Promise<Shell> {
  const [main, commands] = ['../../dist/main.js', '../../dist/commands-index.js'];
  return { ...(await import(main)), ...(await import(commands)) };
}

interface Started extends TestHost {
  readonly ended: Promise<Ended>;
}

async function start(args: readonly string[], { env = {}, cwd = '/' }: SpawnOptions): Promise<Started> {
  const { main, commandLoaders } = await builtShell();
  const own = ownEnvironment({
    SKULK_NO_MDNS: '1',
    SKULK_NO_DISCOVERY: '1',
    ...(env['HF_ENDPOINT'] === undefined && { HF_HUB_OFFLINE: '1' }),
    ...env,
  });
  const at = makeTestHost(commandLoaders, { cwd, env: own, hostname: hostname() });
  const work = main(args, at.host);
  return { ...at, ended: work.then((status) => ({ status, signal: null, stdout: at.stdout.text, stderr: at.stderr.text })) };
}

/**
 * Does the same as `runSkulk`, in this process: for preparations and checks of a test. Use `startSkulk` for a program that is killed, gets
 * signals, outlives the test or must not share a process.
 */
export async function runInProcess(args: readonly string[], options: SpawnOptions = {}): Promise<Ended> {
  const { ended, stderr } = await start(args, options);
  return within(`the end of skulk ${args.join(' ')}`, ended, () => stderr.text);
}

/** Does the same as `startServe`, in this process and in a tenth of the time: for a server that is not the subject of the test. */
export async function serveInProcess({
  home,
  args = [],
  env = {},
}: {
  home: string;
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
}): Promise<Serving> {
  refuseWhenOver('a server');
  const { ended, stdout, stderr, send } = await start(['serve', ...onFreePorts, '--json', ...args], {
    env: { SKULK_HOME: home, ...env },
  });
  let isOver = false;
  void ended.finally(() => {
    isOver = true;
  });
  const stop = (): Promise<Ended> => {
    if (!isOver) send('SIGTERM');
    return within('the end of serve', ended);
  };
  atEnd(stop);
  const ready = await readReady({ stdout: () => stdout.text, onText: (look) => stdout.on('text', look), stderr: () => stderr.text, ended });
  return { ...ready, home, stderr: () => stderr.text, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}
