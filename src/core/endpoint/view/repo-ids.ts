import { isModelId, type ModelId } from '../../kernel/model-id.ts';
import { HubRefusal } from '../contract.ts';

/**
 * First parts of paths that are not organizations: the store's own routes, and other sections of a Hub. A model with such an id can still
 * be reached in every other way.
 */
const reserved: ReadonlySet<string> = new Set([
  ...['api', 'v1', 'v2', 'assets', 'config', 'downloads', 'filesystem', 'health', 'models', 'node', 'nodes', 'openapi.json', 'orders'],
  ...['policy', 'registry', 'session', 'settings', 'store', 'tokens', 'uploads', 'verify', 'work'],
  ...['datasets', 'spaces', 'kernels', 'buckets', 'collections', 'docs', 'login', 'join', 'organizations', 'papers', 'pricing'],
  ...['resolve', 'raw', 'blob', 'tree'],
]);

/** Whether a path with this first part is not the path of a model. Pure. */
export const isReserved = (part: string): boolean => reserved.has(part.toLowerCase());

/**
 * Validates ids from Hub clients.
 * @throws HubRefusal repoNotFound for an impossible id, badRequest for the names of other routes
 */
export function parseRepoId(id: string): ModelId {
  const [first = ''] = id.split('/');
  if (isReserved(first))
    throw new HubRefusal('badRequest', `"${first}" is reserved by this server and cannot be the first part of a model id`);
  if (isModelId(id)) return id;
  throw new HubRefusal('repoNotFound', `${JSON.stringify(id.slice(0, 200))} is not a valid model id`);
}

/**
 * Finds the model with this exact id, else the only one whose id differs only in case.
 * @param held ids by their lower case, in no order
 */
export function findHeld(id: ModelId, held: { has(id: ModelId): boolean; folded(lower: string): readonly ModelId[] }): ModelId | undefined {
  if (held.has(id)) return id;
  const [only, ...others] = held.folded(id.toLowerCase());
  return others.length === 0 ? only : undefined;
}
