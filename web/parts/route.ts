import { useSyncExternalStore } from 'react';

const changed = 'skulk:navigate';

/** The current location of the page. */
export interface Route {
  readonly path: string;
  readonly query: URLSearchParams;
}

function subscribe(listener: () => void): () => void {
  addEventListener('popstate', listener);
  addEventListener(changed, listener);
  return () => {
    removeEventListener('popstate', listener);
    removeEventListener(changed, listener);
  };
}

/** The current location of the page, as it changes. */
export function useRoute(): Route {
  const address = useSyncExternalStore(subscribe, () => location.pathname + location.search);
  const url = new URL(address, location.origin);
  return { path: url.pathname.replace(/(?!^)\/+$/, ''), query: url.searchParams };
}

/** Navigates inside the page. */
export function navigate(to: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  dispatchEvent(new Event(changed));
}
