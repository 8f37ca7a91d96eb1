import type { Fleet } from '../../fleet/contract.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { sameHostname } from '../../kernel/machine/hostname.ts';
import type { NodeId } from '../../kernel/machine/node-id.ts';

/**
 * Finds nodes by id, or by unique hostname.
 * @throws SkulkError NODE_NOT_FOUND, BAD_REQUEST for a hostname of several nodes
 */
export async function findNodes(fleet: Fleet, names: readonly NodeId[]): Promise<readonly NodeId[]> {
  const known = await fleet.nodes();
  return names.map((name) => {
    if (known.some(({ node_id }) => node_id === name)) return name;
    const namesakes = known.filter(({ hostname }) => sameHostname(hostname, name)).map(({ node_id }) => node_id);
    const [only, another] = namesakes;
    if (only === undefined) throw new SkulkError('NODE_NOT_FOUND', `no node has the name ${name}`, { hint: '`skulk nodes` lists them' });
    if (another !== undefined)
      throw new SkulkError('BAD_REQUEST', `${namesakes.length} nodes have the name ${name}`, {
        hint: `use the id of one: ${namesakes.join(', ')}`,
      });
    return only;
  });
}
