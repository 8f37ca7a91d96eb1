const nodePath = /^\/nodes\/([^/]+)$/;

/** The id of the node whose page is at a path. Pure. */
export function nodeOfPath(path: string): string | undefined {
  const [, id] = nodePath.exec(path) ?? [];
  try {
    return id === undefined ? undefined : decodeURIComponent(id);
  } catch {
    return undefined;
  }
}

/** The path of a node's page. */
export const pathOfNode = (nodeId: string): string => `/nodes/${encodeURIComponent(nodeId)}`;
