import { randomBytes } from 'node:crypto';
import { SkulkError } from '../kernel/errors.ts';
import { digestOf, makeSecret } from '../kernel/secret.ts';

/** The key of a browser tab. */
export interface PageKey {
  readonly key: string;
  /** When it expires without use. */
  readonly expiresAt: Date;
}

/** A key without the key itself, for a server that replaces this one. */
export interface PageKeyDigest {
  readonly digest: string;
  /** How long it is still valid without use, in milliseconds. */
  readonly forMs: number;
}

/** The keys of this server's pages. They are only in memory, so they end with the server, except when it restarts itself. */
export interface PageKeys {
  /** Makes a code for one link; it opens one tab within ten minutes. */
  makeCode(): { readonly code: string; readonly expiresAt: Date };
  /**
   * Exchanges a code for a key.
   * @param from the address of the client, to limit guessing
   * @throws SkulkError UNAUTHORIZED for a code that is wrong, used or expired; TOO_MANY_REQUESTS
   */
  redeem(code: string, from: string): PageKey;
  /** Whether a key belongs to a page; extends its time. */
  holds(key: string): boolean;
  end(key: string): void;
  /** The valid keys, oldest use first. */
  digests(): readonly PageKeyDigest[];
}

const codeMs = 10 * 60_000;
const idleMs = 12 * 60 * 60_000;
const minuteMs = 60_000;
const maxWrongCodes = 5;
const maxCodes = 64;
const maxKeys = 1_000;
const maxAddresses = 1_000;

/**
 * @param now milliseconds of a monotonic clock
 * @param kept the keys of the server that this one replaces
 */
export function createPageKeys({
  now = () => performance.now(),
  kept = [],
}: {
  readonly now?: () => number;
  readonly kept?: readonly PageKeyDigest[];
} = {}): PageKeys {
  // By digest, with the time of expiry.
  const codes = new Map<string, number>();
  const keys = new Map(kept.map(({ digest, forMs }) => [digest, now() + Math.min(forMs, idleMs)]));
  const wrong = new Map<string, { count: number; until: number }>();
  const inDate = (ms: number): Date => new Date(Date.now() + ms);

  const countWrong = (from: string): void => {
    const known = wrong.get(from);
    if (known !== undefined && known.until > now()) known.count += 1;
    else keepNewest(wrong, maxAddresses).set(from, { count: 1, until: now() + minuteMs });
  };
  return {
    makeCode: () => {
      const code = randomBytes(16).toString('base64url');
      keepNewest(codes, maxCodes).set(digestOf(code), now() + codeMs);
      return { code, expiresAt: inDate(codeMs) };
    },
    redeem: (code, from) => {
      const tried = wrong.get(from);
      if (tried !== undefined && tried.until > now() && tried.count >= maxWrongCodes)
        throw new SkulkError('TOO_MANY_REQUESTS', 'too many wrong codes', {
          hint: 'wait a minute, then use a new link of `skulk key`',
          retryAfterMs: tried.until - now(),
        });
      const digest = digestOf(code);
      const until = codes.get(digest);
      codes.delete(digest);
      if (until === undefined || until <= now()) {
        countWrong(from);
        throw new SkulkError('UNAUTHORIZED', 'this link was already used, or is older than ten minutes', {
          hint: 'run `skulk key` on this machine and open the link that it prints',
        });
      }
      const key = makeSecret();
      keepNewest(keys, maxKeys).set(digestOf(key), now() + idleMs);
      return { key, expiresAt: inDate(idleMs) };
    },
    holds: (key) => {
      const digest = digestOf(key);
      const until = keys.get(digest);
      if (until === undefined) return false;
      keys.delete(digest);
      if (until <= now()) return false;
      keys.set(digest, now() + idleMs);
      return true;
    },
    end: (key) => void keys.delete(digestOf(key)),
    digests: () => [...keys].map(([digest, until]) => ({ digest, forMs: Math.floor(until - now()) })).filter(({ forMs }) => forMs > 0),
  };
}

/** Removes the oldest entries, so that there is space for one more. */
function keepNewest<Value>(map: Map<string, Value>, max: number): Map<string, Value> {
  for (const [key] of map) {
    if (map.size < max) break;
    map.delete(key);
  }
  return map;
}
