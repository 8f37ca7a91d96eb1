import { readFile } from 'node:fs/promises';
import { parseReportedCopies } from '../catalog/reported-copies.ts';
import { isSystemError } from '../kernel/errors.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import { isNodeId, type NodeId } from '../kernel/machine/node-id.ts';
import type { KnownNode } from './contract.ts';

/** What is kept of a node. */
export type NodeRecord = Omit<KnownNode, 'connected' | 'pending_orders'>;

/** Reads the list of nodes. A list that does not parse is undefined: it must not be replaced by an empty one. */
export async function readNodeList(path: string): Promise<Map<NodeId, NodeRecord> | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) return '{"nodes":[]}';
    throw error;
  });
  try {
    const { nodes } = JSON.parse(text) as { nodes?: unknown };
    if (!Array.isArray(nodes)) return undefined;
    return new Map(nodes.flatMap((node: unknown) => toRecord(node)).map((record) => [record.node_id, record]));
  } catch {
    return undefined;
  }
}

/** Writes the list whole. */
export const writeNodeList = (path: string, nodes: ReadonlyMap<NodeId, NodeRecord>): Promise<void> =>
  writeFileDurably(path, `${JSON.stringify({ version: 1, nodes: [...nodes.values()] }, undefined, 2)}\n`);

function toRecord(value: unknown): readonly NodeRecord[] {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const { node_id, hostname, version, agent, address, last_seen } = fields;
  if (!isNodeId(node_id)) return [];
  const bytes = (key: string): number | null => (Number.isSafeInteger(fields[key]) ? (fields[key] as number) : null);
  return [
    {
      node_id,
      hostname: typeof hostname === 'string' ? hostname : '',
      version: typeof version === 'string' ? version : '',
      agent: agent === true,
      address: typeof address === 'string' ? address : null,
      last_seen: typeof last_seen === 'string' ? last_seen : '',
      staged_models: bytes('staged_models'),
      staged_bytes: bytes('staged_bytes'),
      free_bytes: bytes('free_bytes'),
      copies: parseReportedCopies(fields['copies']),
      budget_bytes: bytes('budget_bytes'),
    },
  ];
}
