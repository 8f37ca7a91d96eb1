import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFiles } from './model-files.ts';
import { runInProcess, serveInProcess } from './run-in-process.ts';
import { type Ended, type RunningSkulk, type Served, type Serving, startServe, startSkulk } from './spawn-skulk.ts';
import { temporaryDirectory } from './temp-directory.ts';

/** The status of an order on a node, as in `delete --json`. */
export interface NodeStands {
  readonly node: string;
  readonly status: 'pending' | 'done' | 'deferred' | 'failed';
  readonly freed_bytes: number;
  readonly reason: string | null;
}

/** A store host and nodes; each node is named by its id. Commands that run to their end run in this process. */
export interface FleetWorld {
  readonly home: string;
  /** Adds a model with some bytes to the store. */
  readonly add: (modelId: string, content?: string | Uint8Array) => Promise<void>;
  /** On a port of its own when one is given. */
  readonly serveHost: (options?: { readonly port?: number }) => Promise<Served>;
  /** Starts a node's agent; the node uses the store at a URL. */
  readonly serveNode: (name: string, storeUrl: string) => Promise<Served>;
  /** The same two in this process, which start in a tenth of the time and can be stopped, but not killed. */
  readonly hostInProcess: (options?: { readonly port?: number }) => Promise<Serving>;
  readonly nodeInProcess: (name: string, storeUrl: string) => Promise<Serving>;
  readonly host: (...args: readonly string[]) => Promise<Ended>;
  readonly node: (name: string, storeUrl: string, ...args: readonly string[]) => Promise<Ended>;
  readonly startNode: (name: string, storeUrl: string, ...args: readonly string[]) => RunningSkulk;
  /** The directories of a node's copies. */
  readonly copies: (name: string) => Promise<readonly string[]>;
  readonly canonical: () => Promise<readonly string[]>;
}

/** No server runs yet. */
export async function fleetWorld(): Promise<FleetWorld> {
  const home = await temporaryDirectory();
  const hostHome = join(home, 'host');
  await mkdir(join(hostHome, 'store'), { recursive: true });
  const hostEnv = { SKULK_HOME: hostHome, SKULK_NODE_ID: 'host' };
  const nodeEnv = (name: string, url: string): Record<string, string> => ({
    SKULK_HOME: join(home, name),
    SKULK_NODE_ID: name,
    SKULK_STORE: url,
  });
  const hostServer = ({ port = 0 } = {}) => ({ home: hostHome, args: ['--port', String(port)], env: { SKULK_NODE_ID: 'host' } });
  const nodeServer = (name: string, url: string) => ({ home: join(home, name), args: ['--role', 'node'], env: nodeEnv(name, url) });
  let sources = 0;
  const directories = async (path: string): Promise<readonly string[]> =>
    (await readdir(path).catch(() => [])).filter((name) => name.includes('--')).toSorted();
  return {
    home,
    add: async (modelId, content = 'some bytes') => {
      sources += 1;
      const source = join(home, `source-${sources}`);
      await writeFiles(source, { 'a.gguf': content });
      const ended = await runInProcess(['add', source, '--as', modelId], { env: hostEnv });
      if (ended.status !== 0) throw new Error(ended.stderr);
    },
    serveHost: (options) => startServe(hostServer(options)),
    serveNode: (name, url) => startServe(nodeServer(name, url)),
    hostInProcess: (options) => serveInProcess(hostServer(options)),
    nodeInProcess: (name, url) => serveInProcess(nodeServer(name, url)),
    host: (...args) => runInProcess(args, { env: hostEnv }),
    node: (name, url, ...args) => runInProcess(args, { env: nodeEnv(name, url) }),
    startNode: (name, url, ...args) => startSkulk(args, { env: nodeEnv(name, url) }),
    copies: (name) => directories(join(home, name, 'staging')),
    canonical: () => directories(join(hostHome, 'store')),
  };
}
