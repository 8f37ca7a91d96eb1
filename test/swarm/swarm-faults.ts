import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { digestsBelow, digestsOfFiles, noise } from '../helpers/model-files.ts';
import { until, within } from '../helpers/waiting.ts';
import { type SwarmWorld, swarmWorld } from './swarm-world.ts';

const mebibyte = 1024 * 1024;

/** A model with names that are special to aria2, and borders of files inside pieces. */
export const sharedModel = (factor: number) => ({
  'a é#=1.json': '{}',
  'b/w 1.bin': noise(5 * factor * mebibyte + 5, 3),
  'c.bin': noise(3 * factor * mebibyte, 4),
  empty: '',
});

/** What aria2 must not change in a directory: names, contents and dates. A new ctime would cause the store to hash the file again. */
export async function stateOf(directory: string): Promise<object> {
  const paths = (await readdir(directory, { recursive: true })).toSorted();
  const dates = await Promise.all(
    paths.map(async (path) => {
      const { mtimeNs, ctimeNs } = await stat(join(directory, path), { bigint: true });
      return process.platform === 'linux' ? [mtimeNs, ctimeNs] : [mtimeNs];
    }),
  );
  return { paths, dates, digests: await digestsBelow(directory) };
}

/**
 * Nodes that begin together take a model. Whatever happens, each ends with the right bytes, and the canonical files are as before.
 * @returns how many copies the store sent to peers, and what each node reports
 */
export async function shareModel(
  fault: 'none' | 'two killed' | 'a liar',
  { nodes: count, factor }: { readonly nodes: number; readonly factor: number },
) {
  const model = sharedModel(factor);
  const world = await swarmWorld(model);
  const before = await stateOf(world.canonical);
  await world.prepare();
  if (fault === 'a liar') await world.startLiar();
  const nodes = Array.from({ length: count }, (_, index) => world.startNode(`node-${index}`));
  if (fault === 'two killed') await Promise.all(nodes.slice(0, 2).map((node) => Promise.race([node.done, killAria2(node)])));
  const outcomes = await within('the nodes', Promise.all(nodes.map(({ done }) => done)), () => nodes.map((node) => node.bytesSoFar()));
  for (const { files, verified } of nodes) {
    expect(await digestsBelow(files)).toEqual(digestsOfFiles(model));
    expect(new Set(verified).size).toBe(verified.length);
  }
  expect(await stateOf(world.canonical)).toEqual(before);
  expect(world.warnings).toEqual([]);
  return { outcomes, copies: (await world.sent()) / (8 * factor * mebibyte), nodes };
}

async function killAria2(node: ReturnType<SwarmWorld['startNode']>): Promise<void> {
  const pid = await node.aria2();
  await until('the first bytes', () => node.bytesSoFar() > 0);
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The node has everything already.
  }
}
