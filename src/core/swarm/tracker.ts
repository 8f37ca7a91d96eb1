import { randomInt } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { bencode } from './bencode.ts';

/** A request of a peer. */
export interface AnnounceRequest {
  /** The query of its URL, undecoded: `info_hash` is 20 bytes and not a text. */
  readonly query: string;
  /** The address of the peer, and the one at which it reached this machine. */
  readonly from: string;
  readonly at: string;
}

/** The peers of one swarm. Only those with the secret key of a member take part. */
export interface Tracker {
  /** Adds a member. */
  admit(key: string): void;
  /** Ends the membership of a key. */
  dismiss(key: string): void;
  has(key: string): boolean;
  /** Answers a peer, in BitTorrent's format. */
  announce(key: string, request: AnnounceRequest): Buffer;
  /** The TCP port of a member; undefined before it has announced itself. */
  portOf(key: string): number | undefined;
  /** The number of peers with all of the content. */
  seeders(): number;
}

interface Peer {
  readonly address: string;
  readonly port: number;
  readonly isSeeder: boolean;
}

/** The maximum number of peers in an answer. */
const maxPeers = 50;
/** How often a peer announces itself, in seconds. */
const interval = 5;

/** A tracker for one swarm (BEP 3, with the compact lists of BEP 23). */
export function createTracker(infoHash: Uint8Array): Tracker {
  const members = new Map<string, Peer | undefined>();
  const peersFor = (key: string, { from, at }: { readonly from: string; readonly at: string }): Buffer => {
    const others = shuffle([...members].flatMap(([other, peer]) => (peer === undefined || other === key ? [] : [peer])));
    return Buffer.concat(
      others.slice(0, maxPeers).map(({ address, port }) =>
        // A peer on the tracker's own machine is there, where this peer reached the tracker.
        compact(isLoopback(address) && !isLoopback(from) ? at : address, port),
      ),
    );
  };
  return {
    admit: (key) => {
      if (!members.has(key)) members.set(key, undefined);
    },
    dismiss: (key) => void members.delete(key),
    has: (key) => members.has(key),
    announce: (key, request) => {
      if (!members.has(key)) return refusal('this tracker does not know you');
      const fields = parseQuery(request.query);
      if (fields.get('info_hash')?.equals(infoHash) !== true) return refusal('this tracker does not know that torrent');
      const port = Number(fields.get('port')?.toString() ?? '');
      const [address, at] = [plainAddress(request.from), plainAddress(request.at)];
      if (!Number.isInteger(port) || port < 1 || port > 65_535) return refusal('the port is not valid');
      if (!isIPv4(address) || !isIPv4(at)) return refusal('only IPv4 is supported');
      const isGone = fields.get('event')?.toString() === 'stopped';
      members.set(key, isGone ? undefined : { address, port, isSeeder: fields.get('left')?.toString() === '0' });
      return bencode({ interval, 'min interval': interval, peers: isGone ? Buffer.alloc(0) : peersFor(key, { from: address, at }) });
    },
    portOf: (key) => members.get(key)?.port,
    seeders: () => [...members.values()].filter((peer) => peer?.isSeeder).length,
  };
}

/** A refusal as in BEP 3. */
export const refusal = (reason: string): Buffer => bencode({ 'failure reason': reason });

/** The fields of a query, as bytes; the last of several with one name. */
function parseQuery(query: string): ReadonlyMap<string, Buffer> {
  const fields = new Map<string, Buffer>();
  for (const field of query.slice(0, 4096).split('&')) {
    const [name = '', value = ''] = field.split('=', 2);
    const bytes = value.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
    fields.set(name, Buffer.from(bytes, 'latin1'));
  }
  return fields;
}

/** An IPv4 address that arrived at an IPv6 socket has a prefix. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:/i, '');

const isLoopback = (address: string): boolean => address.startsWith('127.');

const compact = (address: string, port: number): Buffer => Buffer.from([...address.split('.').map(Number), port >> 8, port & 255]);

function shuffle<T>(items: T[]): T[] {
  for (let at = items.length - 1; at > 0; at -= 1) {
    const other = randomInt(at + 1);
    [items[at], items[other]] = [items[other] as T, items[at] as T];
  }
  return items;
}
