import type { Deps } from './deps.ts';
import { remoteUrl } from './remote-url.ts';

/** A store that answers at a usual port. */
export interface AnsweringStore {
  readonly url: string;
  /** The version of skulk; null for the Python program, which does not report one. */
  readonly version: string | null;
}

/** The ports of both programs; later releases of the Python program use the second. */
const usualPorts = [58_080, 12_415] as const;
const connectMs = 250;

/** The stores that answer on a host at the usual ports. Never fails; omits servers that do not answer at once. */
export async function askUsualPorts(deps: Deps, host: string, ports: readonly number[] = usualPorts): Promise<readonly AnsweringStore[]> {
  const { createStoreClient } = await import('../client/store-client.ts');
  const found = await Promise.all(
    ports.map(async (port) => {
      const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
      const { signal, version } = deps.world;
      const client = createStoreClient({ url, signal, userAgent: `skulk/${version}`, connectTimeoutMs: 1_000, stallTimeoutMs: 2_000 });
      try {
        if ((await client.probe(connectMs)) !== 'connected') return undefined;
        return { url, version: (await client.health()).version || null };
      } catch {
        return undefined;
      } finally {
        client.close();
      }
    }),
  );
  return found.filter((one) => one !== undefined);
}

/** The stores that answer on this machine, and on the host of the configured store, at the usual ports and at its own one. */
export async function askKnownHosts(deps: Deps): Promise<readonly AnsweringStore[]> {
  const { storeHost } = deps.config.settings;
  const url = remoteUrl(deps.config);
  const named = url === undefined ? undefined : new URL(url);
  const hostOfUrl = named?.hostname.replace(/^\[|\]$/g, '');
  const hosts = new Set(['127.0.0.1', storeHost.value, hostOfUrl].filter((host) => host !== undefined));
  const portsOf = (host: string): readonly number[] =>
    host === hostOfUrl ? [...new Set([Number(named?.port || 80), ...usualPorts])] : usualPorts;
  return (await Promise.all([...hosts].map((host) => askUsualPorts(deps, host, portsOf(host))))).flat();
}
