import { type ReactElement, type RefObject, useEffect, useMemo, useRef } from 'react';
import { AppProvider } from '../parts/app-context.ts';
import { Problem } from '../parts/problem.tsx';
import { useRoute } from '../parts/route.ts';
import type { Redeemed } from './credential.ts';
import { Header } from './header.tsx';
import { Keys } from './keys.tsx';
import { Lost } from './lost.tsx';
import { Notices, useNotices } from './notices.tsx';
import { findPage } from './pages.ts';
import { type Session, useSession } from './session.ts';
import { TokenGate } from './token-gate.tsx';
import { useIdentity } from './use-identity.ts';
import { useRestart } from './use-restart.ts';
import { type Streams, useStreams } from './use-streams.ts';
import { Watcher } from './watcher.tsx';

/** The whole view: the token gate if the server needs a token, then the pages. */
export function App({ link }: { readonly link: Redeemed }): ReactElement {
  const session = useSession(link);
  const streams = useStreams(session.state === 'open' ? session.client : undefined);
  if (session.state === 'closed') return <TokenGate trouble={session.trouble} onToken={session.open} />;
  if (session.state === 'open' && streams !== undefined) return <Pages {...session} streams={streams} />;
  return (
    <main className="gate">
      <h1 className="visually-hidden">skulk</h1>
      {session.state === 'opening' && session.problem !== undefined ? (
        <Problem error={session.problem} />
      ) : (
        <p className="muted">Loading…</p>
      )}
    </main>
  );
}

function Pages({
  client,
  identity: first,
  access,
  trouble,
  open: signIn,
  giveBack,
  streams,
}: Extract<Session, { state: 'open' }> & { readonly streams: Streams }): ReactElement {
  const { notices, tell, dismiss } = useNotices();
  const { store, node } = streams;
  const identity = useIdentity({ client, node, first, tell });
  const restart = useRestart({ client, node, hostname: identity.hostname, tell });
  const app = useMemo(
    () => ({ client, identity, access, signIn, giveBack, store, node, restart, tell }),
    [client, identity, access, signIn, giveBack, store, node, restart, tell],
  );
  useEffect(() => {
    if (trouble !== undefined)
      tell(`${trouble} To change settings, run “skulk key” on ${first.hostname} and open the link it prints.`, 'bad');
  }, [trouble, tell, first.hostname]);
  const { path } = useRoute();
  const page = findPage(path);
  const main = useMainFocus(page?.name ?? 'Nothing here');
  return (
    <AppProvider value={app}>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <Header />
      <main id="main" ref={main} tabIndex={-1}>
        <Lost />
        {page === undefined ? <h1>Page not found</h1> : page.show()}
      </main>
      <Watcher />
      <Keys />
      <Notices notices={notices} dismiss={dismiss} />
    </AppProvider>
  );
}

/** Sets the title of the tab, and after a change of pages moves the focus to the start of the new page. */
function useMainFocus(name: string): RefObject<HTMLElement | null> {
  const main = useRef<HTMLElement>(null);
  const before = useRef(name);
  useEffect(() => {
    document.title = `${name} · skulk`;
    if (before.current !== name) {
      // A page may have given it to one of its fields.
      if (main.current?.contains(document.activeElement) !== true) main.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    before.current = name;
  }, [name]);
  return main;
}
