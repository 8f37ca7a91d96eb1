/** A machine, with an empty host name if it is unknown. */
interface Named {
  readonly hostname: string;
  readonly node_id: string;
}

/** How many characters of an id tell machines apart, at least. */
const minIdPart = 4;

/** The part of a generated id that differs. Ids that people chose stay whole. */
const generated = /^node-([0-9a-f]{16})$/;

/**
 * Names machines by hostname, and also by the beginning of the id if several have the same hostname: `vm (a3f1)`. Pure.
 * @param nodes all machines that may have the same name
 */
export function nodeNames(nodes: readonly Named[]): (node: Named) => string {
  const namesakes = Map.groupBy(nodes, ({ hostname }) => hostname.toLowerCase());
  return ({ hostname, node_id }) => {
    if (hostname === '') return node_id;
    const isAlone = (namesakes.get(hostname.toLowerCase()) ?? []).every((one) => one.node_id === node_id);
    return isAlone ? hostname : `${hostname} (${shortId(node_id, nodes)})`;
  };
}

/** The shortest beginning of an id that no other id has, without `node-`. */
function shortId(nodeId: string, nodes: readonly Named[]): string {
  const own = generated.exec(nodeId)?.[1];
  if (own === undefined) return nodeId;
  const others = nodes.filter(({ node_id }) => node_id !== nodeId);
  for (let length = minIdPart; length < own.length; length += 1) {
    const part = own.slice(0, length);
    if (!others.some(({ node_id }) => hasIdPart(node_id, part))) return part;
  }
  return nodeId;
}

/** Whether an id begins or ends with a text, with or without `node-`. */
export const hasIdPart = (nodeId: string, part: string): boolean =>
  part.length >= minIdPart && (nodeId.startsWith(part) || nodeId.endsWith(part) || nodeId.replace(/^node-/, '').startsWith(part));
