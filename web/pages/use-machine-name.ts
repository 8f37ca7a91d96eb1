import { nodeNames } from '../api/node-names.ts';
import { useStore } from '../parts/app-context.ts';

/** The name of a machine or the state of an order on it. */
export function useMachineName(): (
  machine: { readonly hostname: string } & ({ readonly node_id: string } | { readonly node: string }),
) => string {
  const nameOf = nodeNames(useStore().topics.nodes?.nodes ?? []);
  return (machine) => nameOf({ hostname: machine.hostname, node_id: 'node' in machine ? machine.node : machine.node_id });
}
