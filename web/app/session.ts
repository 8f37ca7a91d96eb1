import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { Session as Access } from '../../src/core/protocol/access.ts';
import type { NodeIdentity } from '../../src/core/protocol/health.ts';
import { ApiError, asApiError } from '../api/api-error.ts';
import { callOf } from '../api/call.ts';
import { type Client, createClient } from '../api/client.ts';
import { type Credential, dropCredential, keepCredential, keptCredential, redeemLink } from './credential.ts';

const againMs = 2_000;
/** The interval for checking the rights of the tab, because they may change at the store. */
const pollEveryMs = 15_000;

/** The state of this tab with the server. */
export type Session =
  | { readonly state: 'opening'; readonly problem: ApiError | undefined }
  | {
      readonly state: 'closed';
      /** The reason why its credential is not valid, as a sentence. */
      readonly trouble: string | undefined;
      readonly open: (token: string) => void;
    }
  | {
      readonly state: 'open';
      readonly client: Client;
      readonly identity: NodeIdentity;
      readonly access: Access;
      readonly trouble: string | undefined;
      readonly open: (token: string) => void;
      /** Gives up the key of this tab, or removes its token. Throws an ApiError. */
      readonly giveBack: () => Promise<void>;
    };

/**
 * Finds out the identity of the server and the rights of this tab. A server that is not running yet is asked again; after its key has
 * ended, the tab has the rights of the LAN. When the rights change, the tab follows.
 * @param first the result of the link that opened this tab
 */
export function useSession(first: { readonly trouble: string | undefined }): Session {
  const [credential, setCredential] = useState<Credential | undefined>(keptCredential);
  const [trouble, setTrouble] = useState(first.trouble);
  const [isRefused, setRefused] = useState(false);
  const [known, setKnown] = useState<{ readonly identity: NodeIdentity; readonly access: Access; readonly client: Client }>();
  const [problem, setProblem] = useState<ApiError>();
  const take = useCallback((given: Credential) => {
    keepCredential(given);
    setRefused(false);
    setCredential(given);
  }, []);
  const lookAgain = useRef(() => {});
  const client = useMemo(
    () =>
      createClient(credential?.secret, {
        onUnknown: () => {
          if (credential === undefined) return setRefused(true);
          // The key of a page ends with its server, and a restarted server may not need a token any more. The page
          // continues with the remaining credential, and asks for one if it has none.
          setTrouble(credential.kind === 'page' ? 'The key of this tab has ended.' : 'The server no longer accepts the token of this tab.');
          dropCredential(credential);
          setCredential(keptCredential());
        },
        onRefused: () => lookAgain.current(),
      }),
    [credential],
  );
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    let isAsking = false;
    let identity: NodeIdentity | undefined;
    const ask = async (): Promise<void> => {
      if (isAsking || isOver) return;
      clearTimeout(timer);
      isAsking = true;
      let nextMs = pollEveryMs;
      try {
        const access = await client.get<Access>(callOf('GET /session', {}));
        identity ??= await client.get<NodeIdentity>(callOf('GET /node/identity', {}));
        if (isOver) return;
        const now = { identity, access, client };
        setRefused(false);
        setProblem(undefined);
        setKnown((before) => (before?.client === client && isSame(before.access, access) ? before : now));
      } catch (error) {
        if (isOver) return;
        if (!(error instanceof ApiError && error.status === 401)) {
          setProblem(asApiError(error));
          nextMs = againMs;
        }
      } finally {
        isAsking = false;
        if (!isOver) timer = setTimeout(() => document.visibilityState === 'visible' && void ask(), nextMs);
      }
    };
    const onVisibility = (): void => {
      if (document.visibilityState === 'visible') void ask();
    };
    lookAgain.current = () => void ask();
    document.addEventListener('visibilitychange', onVisibility);
    void ask();
    return () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisibility);
    };
  }, [client]);
  useEffect(() => {
    // A link that is opened in this tab while the page is shown does not reload the page.
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
  const giveBack = useCallback(async () => {
    if (credential === undefined) return;
    if (credential.kind === 'page') await client.send(callOf('DELETE /session', {}));
    dropCredential(credential);
    setTrouble(undefined);
    setCredential(keptCredential());
  }, [client, credential]);
  // A server that needs a token now, and did not a moment ago, was restarted with one.
  if (isRefused) return { state: 'closed', trouble, open };
  return known === undefined || known.client !== client
    ? { state: 'opening', problem }
    : { state: 'open', ...known, trouble, open, giveBack };
}

const isSame = (a: Access, b: Access): boolean => JSON.stringify(a) === JSON.stringify(b);
