import { isIPv4, isIPv6 } from 'node:net';
import { SkulkError } from '../../kernel/errors.ts';

/** Places for something that only so many may do at one time. */
export interface Slots {
  /**
   * Takes a place; to be given back by the returned function.
   * @throws SkulkError STORE_BUSY when all are taken, or all that one address may have
   */
  take(address: string): () => void;
}

/**
 * Bounds something together and for each address, so that one peer cannot take all of it.
 * @param what for the message, as a clause: "pages and programs listen"
 */
export function createSlots(what: string, total: number, perAddress: number, retryAfterMs = 2_000): Slots {
  const counts = new Map<string, number>();
  let taken = 0;
  return {
    take: (address) => {
      const peer = peerOf(address);
      const own = counts.get(peer) ?? 0;
      if (own >= perAddress) throw tooMany(`${own} ${what} from ${peer}`, retryAfterMs);
      if (taken >= total) throw tooMany(`${taken} ${what}`, retryAfterMs);
      taken += 1;
      counts.set(peer, own + 1);
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        taken -= 1;
        const left = (counts.get(peer) ?? 1) - 1;
        if (left === 0) counts.delete(peer);
        else counts.set(peer, left);
      };
    },
  };
}

const tooMany = (many: string, retryAfterMs: number): SkulkError =>
  new SkulkError('STORE_BUSY', `${many}, which is the limit`, { hint: 'try again in a moment', retryAfterMs });

/** What counts as one peer: an address; of IPv6 its network, as one machine has as many addresses there as it likes. Pure. */
export function peerOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=[\d.]+$)/i, '').replace(/%.*$/, '');
  if (isIPv4(plain) || !isIPv6(plain)) return plain;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const left = head.split(':').filter(Boolean);
  const right = (tail ?? '').split(':').filter(Boolean);
  const groups = tail === undefined ? left : [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  const network = groups.slice(0, 4);
  // Link-local and loopback addresses have no network of their own.
  return network.every((group) => /^0*$/.test(group)) || network[0] === 'fe80' ? plain : `${network.join(':')}::/64`;
}
