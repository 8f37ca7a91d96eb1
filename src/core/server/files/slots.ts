import { isIPv4, isIPv6 } from 'node:net';
import { SkulkError } from '../../kernel/errors.ts';

/** A limited number of slots. */
export interface Slots {
  /**
   * Takes a slot. The returned function releases it.
   * @throws SkulkError STORE_BUSY if all slots are in use, or all slots for one address
   */
  take(address: string): () => void;
}

/**
 * Limits something in total and per address, so that one peer cannot use all slots.
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

/** Identifies a peer: by its address; for IPv6 by its network, because one machine can have any number of addresses there. Pure. */
export function peerOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=[\d.]+$)/i, '').replace(/%.*$/, '');
  if (isIPv4(plain) || !isIPv6(plain)) return plain;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const left = head.split(':').filter(Boolean);
  const right = (tail ?? '').split(':').filter(Boolean);
  const groups = tail === undefined ? left : [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  const network = groups.slice(0, 4);
  // Link-local and loopback addresses do not belong to a single machine's network.
  return network.every((group) => /^0*$/.test(group)) || network[0] === 'fe80' ? plain : `${network.join(':')}::/64`;
}
