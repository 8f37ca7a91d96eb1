import { createContext, useContext } from 'react';
import type { NodeId } from '../../../core/kernel/machine/node-id.ts';
import type { ModelId, ModelRef } from '../../../core/kernel/model-id.ts';
import type { DashboardActs } from '../../../core/operations/live/acts.ts';
import type { DashboardView } from '../../../core/operations/live/open-dashboard.ts';
import type { ListedUpload } from '../../../core/protocol/uploads.ts';
import type { ListState } from '../parts/list-state.ts';

/** The lists of the dashboard, in the order of their tabs. */
export const tabs = ['store', 'downloads', 'nodes', 'staging', 'optimizations', 'uploads', 'log'] as const;

/** A list of the dashboard. */
export type TabName = (typeof tabs)[number];

/** The page of one item, instead of a list. */
export type Details =
  | { readonly kind: 'model'; readonly modelId: ModelId }
  | { readonly kind: 'download'; readonly modelId: ModelId; readonly key: string }
  | { readonly kind: 'node'; readonly nodeId: NodeId }
  | { readonly kind: 'copy'; readonly modelId: ModelId }
  | { readonly kind: 'optimization'; readonly targetId: ModelId };

/** The item to delete: a model, or one of its quantizations. */
export interface Deletion extends ModelRef {
  /** The number of its bytes in the store; undefined for the whole model. */
  readonly bytes?: number;
  /** The remaining quantizations. */
  readonly others?: readonly string[];
}

/** The possible targets of a purge, depending on where it was requested. */
export interface PurgePlace {
  /** The model under the cursor; undefined on a node. */
  readonly modelId: ModelId | undefined;
  /** The quantization under the cursor. */
  readonly selector?: string;
  /** The node under the cursor; undefined for this machine, or without one. */
  readonly nodeId: NodeId | undefined;
}

/** The dialog over the screen. */
export type OpenDialog =
  | { readonly kind: 'help' }
  | { readonly kind: 'leave' }
  | { readonly kind: 'add' /** Looked up at once. */; readonly initial?: ModelId }
  | { readonly kind: 'optimize'; readonly source: ModelRef }
  | { readonly kind: 'stage-on'; readonly named: ModelRef }
  | { readonly kind: 'forget'; readonly nodeId: NodeId }
  | { readonly kind: 'cancel-upload'; readonly upload: ListedUpload; readonly onDone: () => void }
  | ({ readonly kind: 'delete' } & Deletion)
  | ({ readonly kind: 'purge' } & PurgePlace);

/** A sentence at the bottom, until the next key. */
export interface Message {
  readonly text: string;
  readonly hint?: string | undefined;
  readonly tone: 'good' | 'warn' | 'bad';
}

/** The shared context of all parts of the dashboard. */
export interface DashboardContext {
  readonly view: DashboardView;
  readonly acts: DashboardActs;
  readonly now: Date;
  /** The space of a list or a page, in characters. */
  readonly width: number;
  readonly height: number;
  readonly listOf: (tab: TabName) => { readonly state: ListState; readonly onState: (change: (state: ListState) => ListState) => void };
  readonly show: (details: Details | undefined) => void;
  readonly open: (dialog: OpenDialog | undefined) => void;
  readonly say: (message: Message) => void;
  /** Runs an action and shows its result, in the same words each time or in words that depend on it. */
  readonly run: <T>(work: () => Promise<T>, done: string | ((result: T) => Message)) => void;
}

const Context = createContext<DashboardContext | undefined>(undefined);

/** Provides the context. */
export const DashboardProvider = Context.Provider;

/** The context of the dashboard. */
export function useDashboard(): DashboardContext {
  const dashboard = useContext(Context);
  if (dashboard === undefined) throw new Error('this part was rendered outside the dashboard');
  return dashboard;
}
