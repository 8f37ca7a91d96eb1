import { ApiError, asApiError } from '../api/api-error.ts';
import { callOf } from '../api/call.ts';
import { createClient } from '../api/client.ts';

/** What this tab shows to the server: a token that somebody typed, or the key that a link gave. It is kept until the tab is closed. */
export interface Credential {
  readonly kind: 'token' | 'page';
  readonly secret: string;
}

const places: Readonly<Record<Credential['kind'], string>> = { token: 'skulk-token', page: 'skulk-page-key' };

/** What this tab has; a key of a link counts before a token. */
export function keptCredential(): Credential | undefined {
  for (const kind of ['page', 'token'] as const) {
    const secret = sessionStorage.getItem(places[kind]);
    if (secret !== null) return { kind, secret };
  }
  return undefined;
}

/** Keeps one instead of another of its kind. */
export const keepCredential = ({ kind, secret }: Credential): void => sessionStorage.setItem(places[kind], secret);

/** Forgets one that is not known any more. */
export function dropCredential({ kind, secret }: Credential): void {
  if (sessionStorage.getItem(places[kind]) === secret) sessionStorage.removeItem(places[kind]);
}

/** What became of a link. */
export interface Redeemed {
  readonly given?: Credential | undefined;
  /** Why it gave nothing, as a sentence; undefined when it did, or when there was none. */
  readonly trouble: string | undefined;
}

/** Changes the code of a link for a key of this tab, and takes it out of the address at once. */
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
