import type { Deps } from '../../connect/deps.ts';
import { checkHealth } from './check-health.ts';

/** The role of a store. */
export interface StoreRole {
  /** The path or the URL at which it was asked. */
  readonly location: string;
  /** Null for a store that does not say. */
  readonly store_path: string | null;
  /** `behind`: it takes missing models from another store. `promoted`: it is canonical now, instead of another store. */
  readonly role: 'canonical' | 'behind' | 'promoted';
  /** The URL of the store that it takes missing models from. */
  readonly upstream: string | null;
  /** The URL of the store that it was promoted instead of. */
  readonly replaces: string | null;
}

/** @throws SkulkError STORE_NOT_CONFIGURED, STORE_UNREACHABLE */
export async function showRole(deps: Deps): Promise<StoreRole> {
  const { location, store_path, upstream, replaces } = await checkHealth(deps);
  // A promoted store ignores its upstream.
  const role = replaces !== null ? 'promoted' : upstream !== null ? 'behind' : 'canonical';
  return { location, store_path: store_path || null, role, upstream, replaces };
}
