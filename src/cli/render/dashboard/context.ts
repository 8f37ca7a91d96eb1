import { createContext, useContext } from 'react';
import type { NodeId } from '../../../core/kernel/machine/node-id.ts';
import type { ModelId, ModelRef } from '../../../core/kernel/model-id.ts';
import type { DashboardActs } from '../../../core/operations/live/acts.ts';
import type { DashboardView } from '../../../core/operations/live/open-dashboard.ts';
import type { ListState } from '../parts/list-state.ts';

/** The lists of the dashboard, in the order of their tabs. */
export const tabs = ['store', 'downloads', 'nodes', 'staging', 'optimizations'] as const;

/** A list of the dashboard. */
export type TabName = (typeof tabs)[number];

/** What is looked at closely, in place of a list. */
export type Details =
  | { readonly kind: 'model'; readonly modelId: ModelId }
  | { readonly kind: 'download'; readonly modelId: ModelId; readonly key: string }
  | { readonly kind: 'node'; readonly nodeId: NodeId }
  | { readonly kind: 'copy'; readonly modelId: ModelId }
  | { readonly kind: 'optimization'; readonly targetId: ModelId };

/** What is to be deleted: a model, or one of its quantizations. */
export interface Deletion extends ModelRef {
  /** What the store has of it; undefined: all that it has of the model. */
  readonly bytes?: number;
  /** The quantizations that stay. */
  readonly others?: readonly string[];
}

/** What a purge may mean, as it was asked from one place. */
export interface PurgePlace {
  /** The model under the cursor; undefined on a node. */
  readonly modelId: ModelId | undefined;
  /** The quantization under the cursor. */
  readonly selector?: string;
  /** The node under the cursor; undefined where it is this machine or none. */
  readonly nodeId: NodeId | undefined;
}

/** What lies over the screen until it is answered. */
export type OpenDialog =
  | { readonly kind: 'help' }
  | { readonly kind: 'leave' }
  | { readonly kind: 'add' /** Looked up at once. */; readonly initial?: ModelId }
  | { readonly kind: 'optimize'; readonly source: ModelRef }
  | ({ readonly kind: 'delete' } & Deletion)
  | ({ readonly kind: 'purge' } & PurgePlace);

/** A sentence at the bottom, until the next key. */
export interface Message {
  readonly text: string;
  readonly hint?: string | undefined;
  readonly tone: 'good' | 'warn' | 'bad';
}

/** What every part of the dashboard works with. */
export interface DashboardContext {
  readonly view: DashboardView;
  readonly acts: DashboardActs;
  readonly now: Date;
  /** The room of a list or of what is looked at, in characters. */
  readonly width: number;
  readonly height: number;
  readonly listOf: (tab: TabName) => { readonly state: ListState; readonly onState: (change: (state: ListState) => ListState) => void };
  readonly look: (details: Details | undefined) => void;
  readonly open: (dialog: OpenDialog | undefined) => void;
  readonly say: (message: Message) => void;
  /** Does something short and says how it ended. */
  readonly run: (work: () => Promise<unknown>, done: string) => void;
}

const Context = createContext<DashboardContext | undefined>(undefined);

/** Gives the parts what they work with. */
export const DashboardProvider = Context.Provider;

/** What the parts work with. */
export function useDashboard(): DashboardContext {
  const dashboard = useContext(Context);
  if (dashboard === undefined) throw new Error('this part was rendered outside the dashboard');
  return dashboard;
}
