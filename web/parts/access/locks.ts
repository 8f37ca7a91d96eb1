import { useApp, useStore } from '../app-context.ts';
import { type Locks, locksFor } from './locks-for.ts';

/** What this tab may not do, and why. */
export function useLocks(): Locks {
  const { access, identity } = useApp();
  const { topics } = useStore();
  const host = topics.health?.hostname || (identity.role === 'store' ? identity.hostname : 'the store host');
  return locksFor(access, { host, here: identity.hostname });
}
