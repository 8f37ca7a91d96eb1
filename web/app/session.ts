import { useCallback, useEffect, useMemo, useState } from 'react';
import { ApiError, asApiError } from '../api/api-error.ts';
import { type Client, createClient } from '../api/client.ts';
import type { Identity } from '../api/shapes.ts';

/** A token that somebody typed, and the key that a link gave; both are kept for this tab alone. */
const key = 'skulk-token';
const pageKey = 'skulk-page-key';
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
    sessionStorage.setItem(pageKey, given);
  } catch {
    // The link is used or too old, and the page goes on with what everybody may do.
  }
}

/** Finds out who the server is, with the token of this tab if it wants one. A server that is not there yet is asked again. */
export function useSession(): Session {
  const [token, setToken] = useState(() => sessionStorage.getItem(pageKey) ?? sessionStorage.getItem(key) ?? undefined);
  const [isRefused, setRefused] = useState(false);
  const [wasRefused, setWasRefused] = useState(false);
  const [identity, setIdentity] = useState<Identity>();
  const [problem, setProblem] = useState<ApiError>();
  const client = useMemo(() => {
    const onRefused = (): void => {
      if (token === undefined) {
        setRefused(true);
        return;
      }
      // The key of a page ends with the server that gave it, and a server that was restarted may want no token any more. The page goes
      // on with what everybody may do, and asks when that is nothing.
      const isTyped = token !== sessionStorage.getItem(pageKey);
      sessionStorage.removeItem(isTyped ? key : pageKey);
      setWasRefused(isTyped);
      setToken((isTyped ? null : sessionStorage.getItem(key)) ?? undefined);
    };
    return createClient(token, onRefused);
  }, [token]);
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
    setWasRefused(false);
    setToken(given);
  }, []);
  // A server that wants a token now, and did not a moment ago, was restarted with one.
  if (isRefused) return { state: 'closed', wasRefused, open };
  return identity === undefined ? { state: 'opening', problem } : { state: 'open', client, identity };
}
