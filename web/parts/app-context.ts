import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Session } from '../../src/core/protocol/access.ts';
import type { NodeTopics, StoreTopics } from '../../src/core/protocol/events.ts';
import type { NodeIdentity } from '../../src/core/protocol/health.ts';
import type { Client } from '../api/client.ts';
import type { Live, LiveState } from '../api/live.ts';

/** The restart of the server of this page. */
export interface Restart {
  /** From its answer until it is back. */
  readonly isRunning: boolean;
  /** Throws an ApiError if the server refuses. */
  readonly begin: () => Promise<void>;
}

/** The context of every page. */
export interface AppContext {
  readonly client: Client;
  readonly identity: NodeIdentity;
  /** The rights of this tab. */
  readonly access: Session;
  /** Sends a token to the server from now on. */
  readonly signIn: (token: string) => void;
  /** Gives up the key of this tab, or removes its token. Throws an ApiError. */
  readonly giveBack: () => Promise<void>;
  readonly store: Live<StoreTopics>;
  readonly node: Live<NodeTopics>;
  readonly restart: Restart;
  /** Shows and reads out a message; an error stays until it is dismissed. */
  readonly tell: (text: string, tone?: 'good' | 'bad') => void;
}

const Context = createContext<AppContext | undefined>(undefined);

/** Provides the context of the pages. */
export const AppProvider = Context.Provider;

/** The context of the pages. */
export function useApp(): AppContext {
  const app = useContext(Context);
  if (app === undefined) throw new Error('this part was rendered outside the app');
  return app;
}

/** The current data of the store. */
export function useStore(): LiveState<StoreTopics> {
  const { store } = useApp();
  return useSyncExternalStore(store.subscribe, store.state);
}

/** Whether the store host is the Python Skulk, which reports no version. It has no nodes, no orders, no digests and no variants. */
export function useIsPythonHost(): boolean {
  return useStore().topics.health?.version === '';
}

/** The current data of this node. */
export function useNode(): LiveState<NodeTopics> {
  const { node } = useApp();
  return useSyncExternalStore(node.subscribe, node.state);
}
