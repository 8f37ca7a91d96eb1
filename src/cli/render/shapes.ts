import type { Connection } from '../../core/kernel/flow/follow.ts';
import type { NodeId } from '../../core/kernel/machine/node-id.ts';
import type { ModelId, ModelRef } from '../../core/kernel/model-id.ts';
import type { DownloadStatus } from '../../core/protocol/downloads.ts';
import type { GivenOrder, KnownNode, NodeOutcome } from '../../core/protocol/fleet.ts';
import type { StoreHealth } from '../../core/protocol/health.ts';
import type { CountedEntry, HubOffer, ReportedCopy, ShownModel } from '../../core/protocol/models.ts';
import type { StagingJob, StagingView } from '../../core/protocol/staging.ts';

/*
 * What the screens show and ask for, so that this room needs to know nothing of the operations. What comes from a store or a node has the
 * types of its documents.
 */

/** What is known of a copy, or of a quantization in it. */
export type CopyFacts = Pick<ReportedCopy, 'size_bytes' | 'last_used' | 'in_use' | 'over_budget'>;

/** A copy of this machine. */
export type OwnCopy = StagingView['models'][number];

/** The store. What is null is not known yet. */
export interface StoreView {
  readonly location: string;
  readonly connection: Connection;
  readonly health: StoreHealth | null;
  readonly models: readonly CountedEntry[] | null;
  readonly downloads: readonly DownloadStatus[] | null;
  readonly nodes: readonly KnownNode[] | null;
  readonly orders: readonly GivenOrder[] | null;
}

/** Everything that the dashboard shows. */
export interface DashboardView {
  readonly store: StoreView | null;
  readonly staging: StagingView | null;
  readonly jobs: readonly StagingJob[];
  readonly node: { readonly hostname: string; readonly node_id: NodeId | null };
  readonly notice: { readonly number: number; readonly message: string } | null;
}

/** What became of a removal. */
export interface Removal {
  readonly freed_bytes: number;
  readonly nodes: readonly (Omit<NodeOutcome, 'node' | 'status'> & {
    /** Null: this machine. */
    readonly node: NodeId | null;
    readonly status: NodeOutcome['status'] | 'kept';
  })[];
}

/** Which staged copies are to go. */
export interface PurgeRequest {
  /** Every model when null. */
  readonly modelId: ModelId | null;
  /** Only this quantization of it. */
  readonly selector?: string;
  readonly on: 'here' | 'everywhere' | { readonly nodeId: NodeId };
  readonly force: boolean;
}

/** What the keys of the dashboard do. */
export interface DashboardActs {
  show(modelId: ModelId): Promise<ShownModel>;
  delete(ref: ModelRef, options: { readonly force: boolean }): Promise<Removal>;
  purge(request: PurgeRequest): Promise<Removal>;
  offer(ref: ModelRef): Promise<HubOffer | undefined>;
  download(ref: ModelRef, ggufFile: string | undefined): Promise<void>;
  cancelDownload(modelId: ModelId): Promise<void>;
  stage(ref: ModelRef): Promise<void>;
  /** Whether something is being staged from here, which ends with the dashboard. */
  isStaging(): boolean;
  cancelStage(modelId: ModelId): Promise<void>;
}

/** The lists that can be watched by themselves. */
export interface WatchedLists {
  readonly downloads: { readonly connection: Connection; readonly downloads: readonly DownloadStatus[] | null };
  readonly nodes: { readonly connection: Connection; readonly nodes: readonly KnownNode[] | null };
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
