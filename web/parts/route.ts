import { useSyncExternalStore } from 'react';

const changed = 'skulk:navigate';

/** Where the page is. */
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

/** Where the page is, as it changes. */
export function useRoute(): Route {
  const address = useSyncExternalStore(subscribe, () => location.pathname + location.search);
  const url = new URL(address, location.origin);
  return { path: url.pathname.replace(/(?!^)\/+$/, ''), query: url.searchParams };
}

/** Goes somewhere else in the page. */
export function navigate(to: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  dispatchEvent(new Event(changed));
}

const modelName = '[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?';
const modelPath = new RegExp(`^/(${modelName}(?:/${modelName})?)$`);
/** What the Hub shows at these addresses is a part of the model's page here. */
const below = /^(\/[^/]+\/[^/]+)\/(?:tree|blob)(?:\/.*)?$/;

/** The model whose page is at a path, which is the model's id behind a slash, as on the Hub. Pure. */
export function modelOfPath(path: string): string | undefined {
  try {
    const decoded = decodeURIComponent(path);
    return modelPath.exec(below.exec(decoded)?.[1] ?? decoded)?.[1];
  } catch {
    return undefined;
  }
}

/** Where the page of a model is. */
export const pathOfModel = (modelId: string): string => `/${modelId}`;
