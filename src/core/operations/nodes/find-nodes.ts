import type { Fleet } from '../../fleet/contract.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { sameHostname } from '../../kernel/machine/hostname.ts';
import type { NodeId } from '../../kernel/machine/node-id.ts';
import { hasIdPart } from '../../kernel/machine/node-names.ts';

/**
 * Finds nodes by id, by unique hostname, or by a unique beginning or end of the id.
 * @throws SkulkError NODE_NOT_FOUND, BAD_REQUEST for a name of several nodes
 */
export async function findNodes(fleet: Fleet, names: readonly NodeId[]): Promise<readonly NodeId[]> {
  const known = await fleet.nodes();
  return names.map((name) => {
    if (known.some(({ node_id }) => node_id === name)) return name;
    const namesakes = known.filter(({ hostname }) => sameHostname(hostname, name));
    const meant = namesakes.length > 0 ? namesakes : known.filter(({ node_id }) => hasIdPart(node_id, name));
    const [only, another] = meant;
    if (only === undefined)
      throw new SkulkError('NODE_NOT_FOUND', `no node has the name or id ${name}`, { hint: '`skulk nodes` lists the nodes' });
    if (another !== undefined)
      throw new SkulkError('BAD_REQUEST', `${meant.length} nodes have ${namesakes.length > 0 ? 'the name' : 'an id with'} ${name}`, {
        hint: `use the id of one: ${meant.map(({ node_id, address }) => `${node_id}${address === null ? '' : ` at ${address}`}`).join(', ')}`,
      });
    return only.node_id;
  });
}
