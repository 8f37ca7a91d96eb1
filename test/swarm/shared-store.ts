import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { StagedModel } from '../../src/core/operations/stage/stage-report.ts';
import type { SwarmAnswer } from '../../src/core/protocol/staging.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import type { Serving } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

/** A server whose nodes take a model together. */
export interface SharedStore {
  readonly home: string;
  readonly server: Serving;
  readonly digest: string;
  /** The directory of the canonical files. */
  readonly canonical: string;
  ask(more?: object): Promise<SwarmAnswer>;
  /** Makes the store ready to share, so that the next nodes begin together. @returns the keys of two members */
  prepare(): Promise<readonly string[]>;
}

/** How a test starts the server, in this process by default. */
type Serve = (options: { readonly home: string }) => Promise<Serving>;

/** A range of its own for every aria2 of these tests. */
const port = 43_000;

/** The settings of a machine of these tests. */
export const machineYaml = `swarm:\n  port: ${port}\n`;

export async function sharedStore(files: Files, serve: Serve = serveInProcess): Promise<SharedStore> {
  const home = await temporaryDirectory();
  await writeFiles(home, { 'machine.yaml': machineYaml });
  await writeFiles(join(home, 'model'), files);
  const env = { SKULK_HOME: home };
  expect(await runInProcess(['add', join(home, 'model'), '--as', 'org/a'], { env })).toMatchObject({ status: 0 });
  for (const setting of ['swarm.enabled=auto', 'swarm.min_bytes=1'])
    expect(await runInProcess(['policy', 'set', ...setting.split('=')], { env })).toMatchObject({ status: 0 });
  const server = await serve({ home });
  const { digest } = (await (await fetch(`${server.url}/models/org%2Fa/manifest`)).json()) as { digest: string };
  const ask = async (more: object = {}): Promise<SwarmAnswer> => {
    const body = JSON.stringify({ digest, ...more });
    const answer = await fetch(`${server.url}/models/org%2Fa/swarm`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    return (await answer.json()) as SwarmAnswer;
  };
  const prepare = async (): Promise<readonly string[]> => {
    const { member } = await ask();
    const other = await ask();
    await until('the swarm', async () => (await ask({ member })).state === 'swarm');
    // They stay for a while, so that also the first node is not alone.
    return [member, other.member];
  };
  return { home, server, digest, canonical: join(server.storePath, 'org--a'), ask, prepare };
}

/** A machine that stages from such a store. */
export interface SharingNode {
  readonly env: Readonly<Record<string, string>>;
  readonly staging: string;
  /** Stages the model in this process. */
  stage(...options: readonly string[]): Promise<StagedModel>;
}

export async function sharingNode({ server }: SharedStore, env: Readonly<Record<string, string>> = {}): Promise<SharingNode> {
  const home = await temporaryDirectory();
  await writeFiles(home, { 'machine.yaml': machineYaml });
  // On a slow machine, peers may be silent for long.
  const own = { SKULK_HOME: home, SKULK_STORE: server.url, SKULK_STALL_TIMEOUT: '600', ...env };
  return {
    env: own,
    staging: join(home, 'staging'),
    stage: async (...options) => {
      const ended = await runInProcess(['stage', '--json', ...options, 'org/a'], { env: own });
      expect(ended).toMatchObject({ status: 0 });
      return (JSON.parse(ended.stdout) as { staged: [StagedModel] }).staged[0];
    },
  };
}

/** What is left of unfinished copies on a node. */
export const unfinished = ({ staging }: SharingNode): Promise<readonly string[]> =>
  readdir(join(staging, '.skulk', 'v1', 'incoming')).catch(() => []);
