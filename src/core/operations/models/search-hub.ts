import type { Deps } from '../../connect/deps.ts';
import { openHub, requireOnline } from '../../connect/open-hub.ts';
import { openStore } from '../../connect/open-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { FoundModels } from '../../protocol/models/found-models.ts';

/** As many models are listed at most. */
export const maxFound = 100;

/**
 * Models on Hugging Face whose names contain a text, most downloads first; those in the store are marked.
 * @param limit from 1 to `maxFound`
 * @throws SkulkError HUB_OFFLINE, HUB_REFUSED, HUB_BUSY, HUB_UNREACHABLE
 */
export async function searchHub(
  deps: Deps,
  { query, limit, signal }: { readonly query: string; readonly limit: number; readonly signal: AbortSignal },
): Promise<FoundModels> {
  requireOnline(deps);
  await using store = await openStore(deps);
  using opened = await openHub(deps, { connections: 1 });
  const { search } = opened.hub;
  if (search === undefined) throw new SkulkError('HUB_REFUSED', `${opened.hub.name} cannot be searched`, { hint: 'use the full name' });
  const found = await search({ query, limit }, AbortSignal.any([signal, deps.world.signal]));
  const held = new Set<string>((await store.store.listModels()).map(({ model_id }) => model_id));
  return { models: found.map((one) => ({ ...one, in_store: held.has(one.model_id) })) };
}
