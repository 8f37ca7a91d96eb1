import type { LookupFunction } from 'node:net';
import { SkulkError } from '../../kernel/errors.ts';

/** Prevents a token from being sent to an unconfirmed store. If absent, it is sent to the store's URL. */
export interface TokenGuard {
  /** Why the token must not be sent there at all. Then only the health request is allowed. */
  readonly withheld?: SkulkError | undefined;
  /** Why it must not be sent to an address that is only known by mDNS. */
  readonly whenOnlyMdns?: ((name: string, address: string) => SkulkError) | undefined;
}

/**
 * A lookup whose errors can be read: a fetch only passes the text of a socket's error to its caller.
 * @returns the lookup, and its last SkulkError
 */
export function rememberRefusals(lookup: LookupFunction): {
  readonly lookup: LookupFunction;
  readonly refusal: () => SkulkError | undefined;
} {
  let refused: SkulkError | undefined;
  return {
    refusal: () => refused,
    lookup: (hostname, options, callback) =>
      lookup(hostname, options, (error, ...found) => {
        if (error instanceof SkulkError) refused = error;
        callback(error, ...found);
      }),
  };
}
