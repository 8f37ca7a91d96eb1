import { isModelId, type ModelId } from '../../kernel/model-id.ts';
import { HubRefusal } from '../contract.ts';

/**
 * First parts of paths that are no organisations: the store's own routes, and what a Hub has beside models. A model that has such an id
 * all the same is reached by every other way.
 */
const reserved: ReadonlySet<string> = new Set([
  ...['api', 'v1', 'v2', 'assets', 'config', 'downloads', 'filesystem', 'health', 'models', 'node', 'nodes', 'openapi.json', 'orders'],
  ...['policy', 'registry', 'session', 'settings', 'store', 'tokens', 'uploads', 'verify', 'work'],
  ...['datasets', 'spaces', 'kernels', 'buckets', 'collections', 'docs', 'login', 'join', 'organizations', 'papers', 'pricing'],
  ...['resolve', 'raw', 'blob', 'tree'],
]);

/** Whether a path that begins with this part is not one of a model. Pure. */
export const isReserved = (part: string): boolean => reserved.has(part.toLowerCase());

/**
 * The gate for ids that Hub clients send.
 * @throws HubRefusal repoNotFound for what can be no id, badRequest for the words of other routes
 */
export function parseRepoId(id: string): ModelId {
  const [first = ''] = id.split('/');
  if (isReserved(first))
    throw new HubRefusal('badRequest', `"${first}" is reserved by this server and cannot be the first part of a model id`);
  if (isModelId(id)) return id;
  throw new HubRefusal('repoNotFound', `${JSON.stringify(id.slice(0, 200))} is not a valid model id`);
}

/**
 * The model that is meant: the one of this spelling, else the only one whose id differs in case alone.
 * @param held ids by their lower case, in no order
 */
export function findHeld(id: ModelId, held: { has(id: ModelId): boolean; folded(lower: string): readonly ModelId[] }): ModelId | undefined {
  if (held.has(id)) return id;
  const [only, ...others] = held.folded(id.toLowerCase());
  return others.length === 0 ? only : undefined;
}
