import type { EventEmitter } from 'node:events';
import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { Bonjour, type Service } from 'bonjour-service';
import { lanAddresses } from './routable-address.ts';

/** The service type: `_skulk-store._tcp`. */
const type = 'skulk-store';

/** A store that announces itself on the LAN. Its data is not verified. */
export interface AnnouncedStore {
  readonly url: string;
  readonly hostname: string;
  readonly node_id: string;
  readonly version: string;
}

/** The announcement of a store host. */
export interface Announcement {
  readonly hostname: string;
  readonly nodeId: string;
  readonly version: string;
  /** The address for nodes. */
  readonly address: string;
  readonly port: number;
}

/**
 * Announces a store until it is stopped. A LAN without multicast is not an error; the announcement then reaches nobody.
 * @param onProblem called with each problem
 */
export function announceStore(
  { hostname, nodeId, version, address, port }: Announcement,
  onProblem: (message: string) => void,
): { stop(): Promise<void> } {
  const own = lanAddresses(networkInterfaces());
  // An address that a router or tunnel leads here belongs to none of our interfaces.
  const opened = (own.includes(address) ? [address] : own).flatMap((on) => open(on, onProblem) ?? []);
  for (const bonjour of opened)
    bonjour.publish({
      // Two stores may run on one machine.
      name: `skulk ${nodeId} ${port}`.slice(0, 63),
      type,
      port,
      txt: { address, hostname, node_id: nodeId, version },
      disableIPv6: true,
      // Another machine's answer to the probe could prevent the announcement.
      probe: false,
    });
  return { stop: async () => void (await Promise.all(opened.map(sayGoodbye))) };
}

/** The goodbye is optional, so do not wait long for it. */
const sayGoodbye = (bonjour: Bonjour): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, 500);
    bonjour.unpublishAll(() =>
      bonjour.destroy(() => {
        clearTimeout(timer);
        resolve();
      }),
    );
  });

/**
 * Searches the LAN for stores, on every interface of a LAN.
 * @param timeoutMs how long to listen
 * @param isEnough whether an answer makes further listening pointless
 * @returns each store once, by URL
 */
export async function discoverStores({
  timeoutMs,
  isEnough = () => false,
  signal,
  onProblem,
}: {
  readonly timeoutMs: number;
  readonly isEnough?: ((store: AnnouncedStore) => boolean) | undefined;
  readonly signal: AbortSignal;
  readonly onProblem: (message: string) => void;
}): Promise<readonly AnnouncedStore[]> {
  const found = new Map<string, AnnouncedStore>();
  let end = (): void => {};
  const opened = lanAddresses(networkInterfaces()).flatMap((address) => open(address, onProblem) ?? []);
  const browsers = opened.map((bonjour) =>
    bonjour.find({ type }, (service) => {
      const store = describe(service);
      if (store === undefined) return;
      found.set(store.url, store);
      if (isEnough(store)) end();
    }),
  );
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      clearInterval(again);
      signal.removeEventListener('abort', done);
      resolve();
    };
    end = done;
    const timer = setTimeout(done, opened.length === 0 ? 0 : timeoutMs);
    // A datagram may be lost.
    const again = setInterval(() => {
      for (const browser of browsers) browser.update();
    }, 250);
    signal.addEventListener('abort', done);
  });
  for (const browser of browsers) browser.stop();
  for (const bonjour of opened) bonjour.destroy();
  return [...found.values()].toSorted((a, b) => a.url.localeCompare(b.url));
}

function open(address: string, onProblem: (message: string) => void): Bonjour | undefined {
  const complain = (error: unknown): void => onProblem(`mDNS on ${address} failed: ${(error as Error).message}`);
  try {
    // Options of multicast-dns that are missing in the types. On Linux, a socket bound to one address receives no multicast.
    const options = { interface: address, bind: '0.0.0.0' } as object;
    const bonjour = new Bonjour(options, complain);
    // If another program has the port exclusively, the error event would end the process.
    (bonjour as unknown as { readonly server: { readonly mdns: EventEmitter } }).server.mdns.on('error', complain);
    return bonjour;
  } catch (error) {
    complain(error);
    return undefined;
  }
}

/** Anyone on the LAN may have sent this: only a possible store address is used. */
function describe({ port, txt, referer }: Service): AnnouncedStore | undefined {
  const { address, hostname, node_id, version } = (typeof txt === 'object' && txt !== null ? txt : {}) as Record<string, unknown>;
  const at = typeof address === 'string' && isIPv4(address) ? address : referer?.address;
  if (at === undefined || !isIPv4(at) || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  const text = (value: unknown): string => (typeof value === 'string' ? value.replaceAll(/[^\x20-\x7e]/g, '').slice(0, 253) : '');
  return { url: `http://${at}:${port}`, hostname: text(hostname), node_id: text(node_id), version: text(version) };
}
