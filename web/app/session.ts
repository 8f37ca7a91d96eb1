import { useCallback, useEffect, useMemo, useState } from 'react';
import { ApiError, asApiError } from '../api/api-error.ts';
import { type Client, createClient } from '../api/client.ts';
import type { Identity } from '../api/shapes.ts';

/** What this tab shows to the server: a token that somebody typed, or the key that a link gave. */
const key = 'skulk-token';
const againMs = 2_000;

/** How this tab stands with the server. */
export type Session =
  | { readonly state: 'opening'; readonly problem: ApiError | undefined }
  | { readonly state: 'closed'; readonly wasRefused: boolean; readonly open: (token: string) => void }
  | { readonly state: 'open'; readonly client: Client; readonly identity: Identity };

/**
 * Changes the code of the link that opened this tab for a key of the tab, and takes the code out of the address. It is to be done
 * before anything is shown.
 */
export async function redeemLink(): Promise<void> {
  const code = /^#code=([\w-]+)$/.exec(location.hash)?.[1];
  if (code === undefined) return;
  history.replaceState(null, '', location.pathname + location.search);
  try {
    const { key: given } = await createClient(undefined, () => {}).send<{ readonly key: string }>('POST', '/session', { code });
    sessionStorage.setItem(key, given);
  } catch {
    // The link is used or too old, and the page goes on with what everybody may do.
  }
}

/** Finds out who the server is, with the token of this tab if it wants one. A server that is not there yet is asked again. */
export function useSession(): Session {
  const [token, setToken] = useState(() => sessionStorage.getItem(key) ?? undefined);
  const [isRefused, setRefused] = useState(false);
  const [identity, setIdentity] = useState<Identity>();
  const [problem, setProblem] = useState<ApiError>();
  const client = useMemo(() => createClient(token, () => setRefused(true)), [token]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const ask = async (): Promise<void> => {
      try {
        const answer = await client.get<Identity>('/node/identity');
        if (!isOver) setIdentity(answer);
      } catch (error) {
        if (isOver || (error instanceof ApiError && error.status === 401)) return;
        setProblem(asApiError(error));
        timer = setTimeout(() => void ask(), againMs);
      }
    };
    void ask();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [client]);
  const open = useCallback((given: string) => {
    sessionStorage.setItem(key, given);
    setRefused(false);
    setToken(given);
  }, []);
  // A server that wants a token now, and did not a moment ago, was restarted with one.
  if (isRefused) return { state: 'closed', wasRefused: token !== undefined, open };
  return identity === undefined ? { state: 'opening', problem } : { state: 'open', client, identity };
}
