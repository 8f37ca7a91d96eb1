import type { Deps } from '../../connect/deps.ts';
import { openStore } from '../../connect/open-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { StoreHealth } from '../../protocol/health.ts';

/** The health of the store, as seen from this machine; sizes in bytes. */
export interface Health extends StoreHealth {
  readonly configured: true;
  readonly reachable: true;
  /** The path or the URL at which it was asked. */
  readonly location: string;
  /** The store requires a token, and this machine has none. */
  readonly requires_token: boolean;
}

/** @throws SkulkError STORE_NOT_CONFIGURED, STORE_UNREACHABLE */
export async function checkHealth(deps: Deps): Promise<Health> {
  await using opened = await openStore(deps);
  const hasToken = deps.config.settings.token.value !== undefined;
  // The health request needs no token. A rejected token must show up here and not at the next command.
  const listed = await opened.store.listModels().catch((error: unknown) => {
    if (hasToken || !isRefusal(error)) throw error;
    return undefined;
  });
  const { location } = opened.store;
  const health = await opened.store.health();
  // The Python program does not count its models.
  const models = health.version === '' ? (listed?.length ?? health.models) : health.models;
  return { configured: true, reachable: true, location, requires_token: listed === undefined, ...health, models };
}

const isRefusal = (error: unknown): boolean =>
  error instanceof SkulkError && error.cause instanceof SkulkError && error.cause.code === 'UNAUTHORIZED';
