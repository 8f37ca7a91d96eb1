import type { Connection } from '../../core/kernel/flow/follow.ts';
import type { NodeId } from '../../core/kernel/machine/node-id.ts';
import type { ModelId, ModelRef } from '../../core/kernel/model-id.ts';
import type { Holder } from '../../core/protocol/holder.ts';

/*
 * What the screens show and ask for. It is less than the operations give, which is how this room needs to know nothing of them.
 * Sizes are bytes, times ISO 8601.
 */

/** A model of the store. */
export interface ShownModel {
  readonly model_id: ModelId;
  readonly total_bytes: number;
  readonly file_count: number;
  readonly downloaded_at: string;
  readonly tags: readonly string[];
  readonly quantization: string | null;
  readonly family: string | null;
  readonly context_length: number | null;
}

/** Work that moves bytes. */
export interface Moving {
  readonly bytes_done: number;
  readonly bytes_total: number;
  readonly bytes_per_second: number | null;
  readonly seconds_left: number | null;
}

/** A download into the store. */
export interface ShownDownload extends Moving {
  readonly modelId: ModelId;
  readonly status: 'pending' | 'downloading' | 'complete' | 'failed';
  readonly error: string | null;
  readonly hint: string | null;
  readonly revision: string | null;
  readonly commit: string | null;
  readonly gguf_file: string | null;
  readonly selector: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

/** A staged copy. */
export interface ShownCopy {
  readonly model_id: ModelId;
  readonly size_bytes: number;
  readonly last_used: string;
  readonly in_use: boolean;
  readonly over_budget: boolean;
}

/** A machine that stages from the store. */
export interface ShownNode {
  readonly node_id: NodeId;
  readonly hostname: string;
  readonly version: string;
  readonly agent: boolean;
  readonly address: string | null;
  readonly last_seen: string;
  readonly connected: boolean;
  readonly pending_orders: number;
  readonly staged_models: number | null;
  readonly staged_bytes: number | null;
  readonly free_bytes: number | null;
  readonly copies: readonly ShownCopy[] | null;
  readonly budget_bytes: number | null;
}

/** Something that the store asked of nodes. */
export interface ShownOrder {
  readonly order_id: string;
  readonly kind: 'evict' | 'purge';
  readonly model_id: string | null;
  readonly given_at: string;
  readonly nodes: readonly {
    readonly node: NodeId;
    readonly status: 'pending' | 'done' | 'deferred' | 'failed';
    readonly reason: string | null;
  }[];
}

/** The store. What is null was not heard yet. */
export interface StoreView {
  readonly location: string;
  readonly connection: Connection;
  readonly health: {
    readonly store_path: string;
    readonly hostname: string;
    readonly node_id: string | null;
    readonly free_bytes: number;
    readonly total_bytes: number;
    readonly used_bytes: number;
  } | null;
  readonly models: readonly ShownModel[] | null;
  readonly downloads: readonly ShownDownload[] | null;
  readonly nodes: readonly ShownNode[] | null;
  readonly orders: readonly ShownOrder[] | null;
}

/** A copy of this machine. */
export interface OwnCopy extends ShownCopy {
  readonly directory: string;
  readonly holders: readonly Holder[];
  readonly digest: string | null;
}

/** A part of a copy. */
export interface Unfinished {
  readonly model_id: ModelId;
  readonly size_bytes: number;
}

/** What this machine has staged. */
export interface StagingView {
  readonly staging_root: string;
  readonly models: readonly OwnCopy[];
  /** What is there of copies that are not whole. */
  readonly unfinished: readonly Unfinished[];
  readonly total_bytes: number;
  readonly free_bytes: number;
  readonly budget_bytes: number | null;
  readonly in_place: boolean;
  readonly problem: string | null;
}

/** A model that is being staged on this machine, or was. */
export interface StagingJob extends Moving {
  readonly model_id: ModelId;
  readonly status: 'pending' | 'staging' | 'complete' | 'failed';
  readonly doing: string | null;
  readonly waits_for: string | null;
  readonly path: string | null;
  readonly error: string | null;
  readonly hint: string | null;
  readonly updated_at: string;
}

/** Everything that the dashboard shows. */
export interface DashboardView {
  readonly store: StoreView | null;
  readonly staging: StagingView | null;
  readonly jobs: readonly StagingJob[];
  readonly node: { readonly hostname: string; readonly node_id: NodeId | null };
  readonly notice: { readonly number: number; readonly message: string } | null;
}

/** One model closely. */
export interface ModelDetails extends Omit<ShownModel, 'file_count'> {
  readonly digest: string | null;
  readonly revision: string | null;
  readonly commit: string | null;
  readonly source: string | null;
  readonly companions: readonly { readonly model_id: string; readonly role: string }[];
  readonly files: readonly { readonly path: string; readonly size: number | null; readonly sha256: string | null }[];
}

/** What became of a removal. */
export interface Removal {
  readonly freed_bytes: number;
  readonly nodes: readonly {
    /** Null: this machine. */
    readonly node: NodeId | null;
    readonly hostname: string;
    readonly status: 'done' | 'deferred' | 'pending' | 'failed' | 'kept';
    readonly freed_bytes: number;
    readonly reason: string | null;
  }[];
}

/** Which staged copies are to go. */
export interface PurgeWish {
  /** Every model when null. */
  readonly modelId: ModelId | null;
  readonly on: 'here' | 'everywhere' | { readonly nodeId: NodeId };
  readonly force: boolean;
}

/** What a download would bring. */
export interface Offer {
  readonly commit: string;
  readonly file_count: number;
  readonly total_bytes: number;
  readonly quantizations: readonly {
    readonly label: string;
    readonly gguf_file: string;
    readonly size_bytes: number;
    readonly is_preferred: boolean;
    readonly in_store: boolean;
  }[];
}

/** What the keys of the dashboard do. */
export interface DashboardActs {
  show(modelId: ModelId): Promise<ModelDetails>;
  delete(modelId: ModelId, options: { readonly force: boolean }): Promise<Removal>;
  purge(wish: PurgeWish): Promise<Removal>;
  offer(ref: ModelRef): Promise<Offer | undefined>;
  download(ref: ModelRef, ggufFile: string | undefined): Promise<void>;
  cancelDownload(modelId: ModelId): Promise<void>;
  stage(modelId: ModelId): Promise<void>;
  /** Whether something is being staged from here, which ends with the dashboard. */
  isStaging(): boolean;
  cancelStage(modelId: ModelId): Promise<void>;
}

/** The lists that can be watched by themselves. */
export interface WatchedLists {
  readonly downloads: { readonly connection: Connection; readonly downloads: readonly ShownDownload[] | null };
  readonly nodes: { readonly connection: Connection; readonly nodes: readonly ShownNode[] | null };
}

/** Where a store is, as the configuration names it. */
export interface StorePlace {
  readonly storeHost: string | undefined;
  readonly storeHttpHost: string | undefined;
  readonly storePort: number | undefined;
}

/** What somebody answered who begins a configuration. What is undefined stays at its default. */
export interface ConfigAnswers extends StorePlace {
  readonly storePath: string | undefined;
  readonly nodeCachePath: string | undefined;
  readonly keepRecentGb: number | undefined;
}

/** A store that announces itself. */
export interface OfferedStore {
  readonly url: string;
  readonly hostname: string;
  readonly version: string;
}

/** A directory that somebody wants to use. */
export interface PathView {
  readonly path: string;
  readonly isThere: boolean;
  readonly free_bytes: number;
}

/** What is asked, and how the answers are checked; each check rejects with a SkulkError. */
export interface ConfigQuestions {
  readonly path: string;
  readonly hostname: string;
  readonly storePath: string;
  readonly nodeCachePath: string;
  readonly keepRecentGb: number;
  findStores(signal: AbortSignal): Promise<readonly OfferedStore[]>;
  placeOf(store: OfferedStore, signal: AbortSignal): Promise<StorePlace>;
  look(text: string, signal: AbortSignal): Promise<StorePlace>;
  read(text: string): StorePlace;
  lookAtPath(text: string): Promise<PathView>;
  preview(answers: ConfigAnswers): string;
}
