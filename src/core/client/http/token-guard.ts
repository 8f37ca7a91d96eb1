import type { LookupFunction } from 'node:net';
import { SkulkError } from '../../kernel/errors.ts';

/** What keeps a token from a store that may be anybody. Without one it goes wherever the store's URL leads. */
export interface TokenGuard {
  /** Why the token must not go there at all. Then no request needs one, but for the question how the store is. */
  readonly withheld?: SkulkError | undefined;
  /** Why it must not go to an address that only our own question by mDNS gave. */
  readonly whenOnlyMdns?: ((name: string, address: string) => SkulkError) | undefined;
}

/**
 * A look-up whose refusals can be told: what a socket fails with reaches the caller of a fetch as a text only.
 * @returns the look-up, and the last SkulkError that it ended with
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
