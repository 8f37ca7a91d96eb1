/** A machine, with an empty host name if it is unknown. */
interface Named {
  readonly hostname: string;
  readonly node_id: string;
}

/** Names machines by hostname, and also by id if several have the same hostname. Pure. */
export function nodeNames(nodes: readonly Named[]): (node: Named) => string {
  const namesakes = Map.groupBy(nodes, ({ hostname }) => hostname.toLowerCase());
  return ({ hostname, node_id }) => {
    if (hostname === '') return node_id;
    const count = namesakes.get(hostname.toLowerCase())?.length ?? 0;
    return count > 1 ? `${hostname} (${node_id})` : hostname;
  };
}
