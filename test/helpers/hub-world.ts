import { join } from 'node:path';
import { atEnd } from './at-end.ts';
import { type FakeHub, fakeHub } from './fake-hub.ts';
import { runInProcess, serveInProcess } from './run-in-process.ts';
import { type Ended, type RunningSkulk, runSkulk, type Served, type Serving, startServe, startSkulk } from './spawn-skulk.ts';
import { temporaryDirectory } from './temp-directory.ts';

/** A stand-in for the Hub, a store host and a node. */
export interface HubWorld {
  readonly hub: FakeHub;
  readonly home: string;
  readonly storePath: string;
  readonly serve: (env?: Readonly<Record<string, string>>) => Promise<Served>;
  /** The same in this process: ready in a tenth of the time, and can be stopped, but not killed. */
  readonly serveInProcess: (env?: Readonly<Record<string, string>>) => Promise<Serving>;
  /** Runs a command on the store host, in this process. */
  readonly host: (...args: readonly string[]) => Promise<Ended>;
  readonly startHost: (...args: readonly string[]) => RunningSkulk;
  /** Runs a command on a node of a server, in this process. */
  readonly nodeInProcess: (served: Pick<Serving, 'url'>, name: string, ...args: readonly string[]) => Promise<Ended>;
  /** Starts a separate process. */
  readonly node: (served: Pick<Serving, 'url'>, name: string, ...args: readonly string[]) => RunningSkulk;
  readonly staged: (name: string) => string;
}

/** Only the Hub runs yet. */
export async function hubWorld(more: Readonly<Record<string, string>> = {}): Promise<HubWorld> {
  const hub = await fakeHub();
  const home = await temporaryDirectory();
  const hostHome = join(home, 'host');
  const env = { HF_ENDPOINT: hub.url, HF_HOME: join(home, 'hf'), ...more };
  // A proxy and certificates must be set when a process starts.
  const run = Object.keys(more).some((name) => /proxy|^NODE_/i.test(name)) ? runSkulk : runInProcess;
  const nodeEnv = (url: string, name: string) => ({ SKULK_HOME: join(home, name), SKULK_STORE: url, HF_ENDPOINT: hub.url });
  const hostEnv = { SKULK_HOME: hostHome, ...env };
  return {
    hub,
    home,
    storePath: join(hostHome, 'store'),
    serve: async (own = {}) => {
      const served = await startServe({ home: hostHome, env: { ...env, ...own } });
      atEnd(() => served[Symbol.asyncDispose]());
      return served;
    },
    serveInProcess: (own = {}) => serveInProcess({ home: hostHome, env: { ...env, ...own } }),
    host: (...args) => run(args, { env: hostEnv }),
    startHost: (...args) => startSkulk(args, { env: hostEnv }),
    nodeInProcess: (served, name, ...args) => runInProcess(args, { env: nodeEnv(served.url, name) }),
    node: (served, name, ...args) => startSkulk(args, { env: nodeEnv(served.url, name) }),
    staged: (name) => join(home, name, 'staging'),
  };
}
