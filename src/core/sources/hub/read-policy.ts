import type { RetryPolicy } from '../../kernel/flow/backoff.ts';

/** An internet connection may be down for a while; the Hub may ask for longer waits than a machine on the LAN. */
export const readPolicy: RetryPolicy = { attempts: 10, firstDelayMs: 250, maxDelayMs: 30_000, maxRetryAfterMs: 15 * 60_000 };
