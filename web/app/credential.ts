import { ApiError, asApiError } from '../api/api-error.ts';
import { callOf } from '../api/call.ts';
import { createClient } from '../api/client.ts';

/** The credential of this tab: a typed token, or the key from a link. It is kept until the tab is closed. */
export interface Credential {
  readonly kind: 'token' | 'page';
  readonly secret: string;
}

const places: Readonly<Record<Credential['kind'], string>> = { token: 'skulk-token', page: 'skulk-page-key' };

/** The credential of this tab; a key overrides a token. */
export function keptCredential(): Credential | undefined {
  for (const kind of ['page', 'token'] as const) {
    const secret = sessionStorage.getItem(places[kind]);
    if (secret !== null) return { kind, secret };
  }
  return undefined;
}

/** Replaces a credential of the same kind. */
export const keepCredential = ({ kind, secret }: Credential): void => sessionStorage.setItem(places[kind], secret);

/** Removes a credential that is not valid any more. */
export function dropCredential({ kind, secret }: Credential): void {
  if (sessionStorage.getItem(places[kind]) === secret) sessionStorage.removeItem(places[kind]);
}

/** The result of a link. */
export interface Redeemed {
  readonly given?: Credential | undefined;
  /** The reason why it gave no key, as a sentence; undefined if it did, or if there was no link. */
  readonly trouble: string | undefined;
}

/** Exchanges the code of a link for a key of this tab, and removes it from the address at once. */
export async function redeemLink(): Promise<Redeemed> {
  const code = /^#code=(.*)$/.exec(location.hash)?.[1];
  if (code === undefined) return { trouble: undefined };
  history.replaceState(history.state, '', location.pathname + location.search);
  try {
    const { key } = await createClient(undefined).send<{ readonly key: string }>(callOf('POST /session', {}), { code });
    const given: Credential = { kind: 'page', secret: key };
    keepCredential(given);
    return { given, trouble: undefined };
  } catch (error) {
    const isOver = error instanceof ApiError && (error.status === 401 || error.status === 400);
    const { message } = asApiError(error);
    return { trouble: isOver ? 'This link was already used, or is older than ten minutes.' : `The link does not work: ${message}.` };
  }
}
