import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runInProcess } from '../helpers/run-in-process.ts';
import { type Ended, type RunningSkulk, runSkulk, startSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

/**
 * A node. A command that takes a lease for its own process is started as one, by `start`; other commands run in this process. `run` is an
 * exception: its program prints to the output of skulk.
 */
export interface LeaseNode {
  readonly home: string;
  readonly root: string;
  run(...args: string[]): Promise<Ended>;
  start(...args: string[]): RunningSkulk;
  /** Runs a command that must not fail, and parses what it prints. */
  json<T = Record<string, unknown>>(...args: string[]): Promise<T>;
  /** The models that are staged, and whether they are in use. */
  staged(): Promise<Record<string, boolean>>;
  /** The lease files by name. */
  leases(): Promise<Record<string, Record<string, unknown>>>;
  /** Writes a lease file again. */
  forge(name: string, lease: object): Promise<void>;
}

/** A node of a store at a URL, with its own configuration file. */
export async function leaseNode(
  url: string,
  { budgetGb = 0, cleanup = true, more = '' }: { budgetGb?: number; cleanup?: boolean; more?: string } = {},
): Promise<LeaseNode> {
  const home = await temporaryDirectory();
  const config = join(home, 'skulk.yaml');
  await writeFile(
    config,
    `model_store:\n  staging:\n    cleanup_on_deactivate: ${cleanup}\n    staging_keep_recent_gb: ${budgetGb}\n${more}`,
  );
  const env = { SKULK_HOME: home, SKULK_STORE: url, SKULK_CONFIG: config };
  const root = join(home, 'staging');
  const directory = join(root, '.skulk', 'v1', 'leases');
  const node: LeaseNode = {
    home,
    root,
    run: (...args) => (args[0] === 'run' ? runSkulk : runInProcess)(args, { env, cwd: home }),
    start: (...args) => startSkulk(args, { env, cwd: home }),
    json: async (...args) => {
      const { status, stdout, stderr } = await runInProcess([...args, '--json'], { env, cwd: home });
      if (status !== 0) throw new Error(`skulk ${args.join(' ')}: ${status}: ${stderr}`);
      return JSON.parse(stdout);
    },
    staged: async () => {
      const { models } = await node.json<{ models: { model_id: string; in_use: boolean }[] }>('staging');
      return Object.fromEntries(models.map(({ model_id, in_use }) => [model_id, in_use]));
    },
    leases: async () => {
      // A draft is a lease that is being written.
      const names = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith('.json'));
      return Object.fromEntries(
        await Promise.all(names.map(async (name) => [name, JSON.parse(await readFile(join(directory, name), 'utf8'))] as const)),
      );
    },
    forge: (name, lease) => writeFile(join(directory, name), JSON.stringify(lease)),
  };
  return node;
}
