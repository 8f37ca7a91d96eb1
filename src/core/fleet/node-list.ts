import { readFile } from 'node:fs/promises';
import { isSystemError } from '../kernel/errors.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import type { NodeId } from '../kernel/machine/node-id.ts';
import { decode } from '../protocol/decode.ts';
import { type NodeRecord, nodeListFile } from '../protocol/fleet.ts';

/** Reads the list of nodes. Undefined for an invalid list, which must not be replaced by an empty one. */
export async function readNodeList(path: string): Promise<Map<NodeId, NodeRecord> | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) return '{"nodes":[]}';
    throw error;
  });
  try {
    const found = decode(nodeListFile, JSON.parse(text));
    return found === undefined ? undefined : new Map(found.nodes.map((record) => [record.node_id, record]));
  } catch {
    return undefined;
  }
}

/** Writes the whole list. */
export const writeNodeList = (path: string, nodes: ReadonlyMap<NodeId, NodeRecord>): Promise<void> =>
  writeFileDurably(path, `${JSON.stringify({ version: 1, nodes: [...nodes.values()] }, undefined, 2)}\n`);
