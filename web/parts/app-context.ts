import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Session } from '../../src/core/protocol/access.ts';
import type { NodeTopics, StoreTopics } from '../../src/core/protocol/events.ts';
import type { NodeIdentity } from '../../src/core/protocol/health.ts';
import type { Client } from '../api/client.ts';
import type { Live, LiveState } from '../api/live.ts';

/** What every page works with. */
export interface AppContext {
  readonly client: Client;
  readonly identity: NodeIdentity;
  /** What this tab may do. */
  readonly access: Session;
  /** Shows the server a token from now on. */
  readonly signIn: (token: string) => void;
  /** Gives back the key of this tab, or forgets its token. Throws an ApiError. */
  readonly giveBack: () => Promise<void>;
  readonly store: Live<StoreTopics>;
  readonly node: Live<NodeTopics>;
  /** Says something to whoever looks or listens; what is bad stays until it is dismissed. */
  readonly tell: (text: string, tone?: 'good' | 'bad') => void;
}

const Context = createContext<AppContext | undefined>(undefined);

/** Gives the pages what they work with. */
export const AppProvider = Context.Provider;

/** What the pages work with. */
export function useApp(): AppContext {
  const app = useContext(Context);
  if (app === undefined) throw new Error('this part was rendered outside the app');
  return app;
}

/** What is known of the store, as it changes. */
export function useStore(): LiveState<StoreTopics> {
  const { store } = useApp();
  return useSyncExternalStore(store.subscribe, store.state);
}

/** What is known of this node, as it changes. */
export function useNode(): LiveState<NodeTopics> {
  const { node } = useApp();
  return useSyncExternalStore(node.subscribe, node.state);
}
