import type { Deps } from '../../connect/deps.ts';
import { openStore } from '../../connect/open-store.ts';
import { remoteUrl } from '../../connect/remote-url.ts';
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
  /** The address at which mDNS found the store; null if it was found otherwise. */
  readonly mdns_address: string | null;
}

/** Where a store is that no configuration names: another machine announced it by mDNS, or it has the usual port of this machine. */
export type FoundBy = 'mDNS' | 'this machine';

/** @throws SkulkError STORE_NOT_CONFIGURED, STORE_UNREACHABLE */
export const checkHealth = async (deps: Deps): Promise<Health> => (await examineStore(deps)).health;

/** The health of a store, and what only a person needs. */
export interface ExaminedStore {
  readonly health: Health;
  /** How the store was found; undefined for a configured one, and for that of this machine. */
  readonly foundBy: FoundBy | undefined;
  /** How to get access to a store that requires a token. */
  readonly accessHint: string | undefined;
}

/** The same with how the store was found, and how to get access to it. */
export async function examineStore(deps: Deps): Promise<ExaminedStore> {
  await using opened = await openStore(deps);
  const hasToken = deps.config.settings.token.value !== undefined;
  // The health request needs no token. A rejected token must show up here and not at the next command.
  let accessHint: string | undefined;
  const listed = await opened.store.listModels().catch((error: unknown) => {
    if (hasToken || !isRefusal(error)) throw error;
    accessHint = error.hint;
    return undefined;
  });
  const { location } = opened.store;
  const health = await opened.store.health();
  // The Python program does not count its models.
  const models = health.version === '' ? (listed?.length ?? health.models) : health.models;
  // A server has its own store without a URL.
  const isOwn = opened.url === undefined || opened.localRoot !== undefined;
  const found = isOwn || remoteUrl(deps.config) !== undefined ? undefined : foundBy(opened.url ?? '');
  const mdns_address = isOwn ? null : found === 'mDNS' ? new URL(opened.url ?? '').hostname : await announcedFor(deps);
  return {
    health: { configured: true, reachable: true, location, requires_token: listed === undefined, ...health, models, mdns_address },
    foundBy: found,
    accessHint,
  };
}

const foundBy = (url: string): FoundBy => (new URL(url).hostname === '127.0.0.1' ? 'this machine' : 'mDNS');

async function announcedFor(deps: Deps): Promise<string | null> {
  const { announcedAddress } = await import('../../connect/store/store-over-http.ts');
  return announcedAddress(deps) ?? null;
}

const isRefusal = (error: unknown): error is SkulkError =>
  error instanceof SkulkError && error.cause instanceof SkulkError && error.cause.code === 'UNAUTHORIZED';
