import { useCallback, useEffect, useMemo, useState } from 'react';
import { ApiError, asApiError } from '../api/api-error.ts';
import { type Client, createClient } from '../api/client.ts';
import type { Session as Access, Identity } from '../api/shapes.ts';
import { type Credential, dropCredential, keepCredential, keptCredential, redeemLink } from './credential.ts';

const againMs = 2_000;

/** How this tab stands with the server. */
export type Session =
  | { readonly state: 'opening'; readonly problem: ApiError | undefined }
  | {
      readonly state: 'closed';
      /** Why what this tab had does not count, as a sentence. */
      readonly trouble: string | undefined;
      readonly open: (token: string) => void;
    }
  | {
      readonly state: 'open';
      readonly client: Client;
      readonly identity: Identity;
      readonly access: Access;
      readonly trouble: string | undefined;
    };

/**
 * Finds out who the server is and what this tab may do there. A server that is not there yet is asked again; a key that has ended
 * leaves the tab with what everybody may do.
 * @param first what became of the link that opened this tab
 */
export function useSession(first: { readonly trouble: string | undefined }): Session {
  const [credential, setCredential] = useState<Credential | undefined>(keptCredential);
  const [trouble, setTrouble] = useState(first.trouble);
  const [isRefused, setRefused] = useState(false);
  const [known, setKnown] = useState<{ readonly identity: Identity; readonly access: Access; readonly client: Client }>();
  const [problem, setProblem] = useState<ApiError>();
  const take = useCallback((given: Credential) => {
    keepCredential(given);
    setRefused(false);
    setCredential(given);
  }, []);
  const client = useMemo(
    () =>
      createClient(credential?.secret, () => {
        if (credential === undefined) return setRefused(true);
        // The key of a page ends with the server that gave it, and a server that was restarted may want no token any more. The page
        // goes on with what is left, and asks when that is nothing.
        setTrouble(
          credential.kind === 'page' ? 'The key of this tab has ended.' : 'The server does not take the token of this tab any more.',
        );
        dropCredential(credential);
        setCredential(keptCredential());
      }),
    [credential],
  );
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const ask = async (): Promise<void> => {
      try {
        const [identity, access] = await Promise.all([client.get<Identity>('/node/identity'), client.get<Access>('/session')]);
        if (!isOver) setKnown({ identity, access, client });
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
  useEffect(() => {
    // A link that is opened in this tab while the page is shown loads nothing anew.
    const look = async (): Promise<void> => {
      const link = await redeemLink();
      if (link.given === undefined && link.trouble === undefined) return;
      setTrouble(link.trouble);
      if (link.given !== undefined) take(link.given);
    };
    const onChange = (): void => void look();
    addEventListener('hashchange', onChange);
    return () => removeEventListener('hashchange', onChange);
  }, [take]);
  const open = useCallback(
    (secret: string) => {
      setTrouble(undefined);
      take({ kind: 'token', secret });
    },
    [take],
  );
  // A server that wants a token now, and did not a moment ago, was restarted with one.
  if (isRefused) return { state: 'closed', trouble, open };
  return known === undefined || known.client !== client ? { state: 'opening', problem } : { state: 'open', ...known, trouble };
}
