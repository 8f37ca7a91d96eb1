import type { RetryPolicy } from '../../kernel/flow/backoff.ts';

/** An internet connection may be away for a while; the Hub may ask for more patience than a machine on the LAN. */
export const readPolicy: RetryPolicy = { attempts: 10, firstDelayMs: 250, maxDelayMs: 30_000, maxRetryAfterMs: 15 * 60_000 };
