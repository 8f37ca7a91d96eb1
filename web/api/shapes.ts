/*
 * What the page reads of the API's answers. It is less than they hold; `test/web/shapes.ts` checks that the server's own types have
 * it. Sizes are bytes, times ISO 8601.
 */

/** A model of the store. */
export interface Entry {
  readonly model_id: string;
  readonly total_bytes: number;
  readonly file_count: number;
  readonly downloaded_at: string;
  readonly tags: readonly string[];
  readonly quantization: string | null;
  readonly family: string | null;
}

/** A download into the store. */
export interface Download {
  readonly modelId: string;
  readonly status: 'pending' | 'downloading' | 'complete' | 'failed';
  readonly progress: number;
  readonly bytes_done: number;
  readonly bytes_total: number;
  readonly bytes_per_second: number | null;
  readonly seconds_left: number | null;
  readonly error: string | null;
  readonly error_code: string | null;
  readonly hint: string | null;
  readonly revision: string | null;
  readonly gguf_file: string | null;
  readonly selector: string | null;
  /** What to ask for to have it again. */
  readonly request: object;
  readonly warnings: readonly string[];
  readonly updated_at: string;
}

/** A model that another machine has not finished sending. */
export interface Upload {
  readonly id: string;
  readonly model_id: string;
  readonly from: string;
  readonly who: string | null;
  readonly bytes_done: number;
  readonly bytes_total: number;
  readonly began_at: string;
  readonly last_byte_at: string;
}

/** A node's copy. */
export interface Copy {
  readonly model_id: string;
  readonly size_bytes: number;
  readonly last_used: string;
  readonly in_use: boolean;
  readonly over_budget: boolean;
}

/** A machine that stages from the store. */
export interface StoreNode {
  readonly node_id: string;
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
  readonly copies: readonly Copy[] | null;
  readonly budget_bytes: number | null;
}

/** How an order stands on one node. */
export interface NodeOutcome {
  readonly node: string;
  readonly hostname: string;
  readonly status: 'pending' | 'done' | 'deferred' | 'failed';
  readonly freed_bytes: number;
  readonly reason: string | null;
}

/** Something that the store asked of nodes. */
export interface Order {
  readonly order_id: string;
  readonly kind: 'evict' | 'purge';
  readonly model_id: string | null;
  readonly given_at: string;
  readonly nodes: readonly NodeOutcome[];
}

/** How the store is. */
export interface Health {
  readonly storePath: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly usedBytes: number;
  readonly hostname: string;
  readonly nodeId: string | null;
  readonly advertised: { readonly url: string } | null;
}

/** What `/store/events` tells, by the name of the event. */
export interface StoreTopics {
  readonly registry: { readonly entries: readonly Entry[] };
  readonly downloads: { readonly downloads: readonly Download[] };
  readonly uploads: { readonly uploads: readonly Upload[] };
  readonly nodes: { readonly nodes: readonly StoreNode[] };
  readonly orders: { readonly orders: readonly Order[] };
  readonly health: Health;
}

/** What this node has staged. */
export interface Storage {
  readonly staging_root: string;
  readonly models: readonly Copy[];
  readonly total_bytes: number;
  readonly free_bytes: number;
  readonly budget_bytes: number | null;
  readonly in_place: boolean;
  /** Why the copies cannot be looked at. */
  readonly problem: string | null;
}

/** A model that this node is staging, or has staged. */
export interface StagingJob {
  readonly model_id: string;
  readonly status: 'pending' | 'staging' | 'complete' | 'failed';
  readonly doing: string | null;
  readonly bytes_done: number;
  readonly bytes_total: number;
  readonly bytes_per_second: number | null;
  readonly seconds_left: number | null;
  readonly waits_for: string | null;
  readonly warnings: readonly string[];
  readonly path: string | null;
  readonly error: string | null;
  readonly error_code: string | null;
  readonly hint: string | null;
  readonly updated_at: string;
}

/** The configuration of this node. */
export interface ConfigView {
  readonly path: string | null;
  readonly save_path: string;
  readonly config: object;
  /** Which secrets are set, by key. */
  readonly secrets: Readonly<Record<string, boolean>>;
  readonly overridden: Readonly<Record<string, string>>;
  readonly restart_required: boolean;
  readonly restart_because: readonly string[];
  readonly service: { readonly unit: string; readonly not_writable: readonly string[] } | null;
  readonly problem: string | null;
}

/** What `/node/events` tells, by the name of the event. */
export interface NodeTopics {
  readonly storage: Storage;
  readonly staging: { readonly jobs: readonly StagingJob[] };
  readonly config: ConfigView;
}

/** Who this node is. */
export interface Identity {
  readonly hostname: string;
  readonly node_id: string | null;
  readonly preferred_address: string | null;
  readonly version: string;
  readonly role: string;
}

/** What this tab may do on the server. */
export interface Session {
  readonly role: Role;
  /** What it may do with the store, which on a node may be less. */
  readonly store_role: Role | 'none';
  readonly credential: 'lan' | 'token' | 'key' | 'page' | 'named';
  /** Of a named token. */
  readonly name?: string | undefined;
  /** What the LAN may do without a token. */
  readonly lan: Lan;
}

/** What somebody may do; each may do what the ones before may. */
export type Role = 'read' | 'node' | 'admin';

/** What the LAN may do without a token. */
export type Lan = 'none' | 'read' | 'node';

/** The policy of the store. */
export interface PolicyView {
  readonly path: string;
  readonly policy: Readonly<Record<string, unknown>>;
}

/** A token with a name; the token itself is known only when it is made. */
export interface NamedToken {
  readonly name: string;
  readonly role: Role;
  readonly created_at: string;
}

/** One way to take a repo of GGUF files. */
export interface Quantization {
  readonly label: string;
  readonly gguf_file: string;
  readonly size_bytes: number;
  readonly is_preferred: boolean;
  readonly in_store: boolean;
}

/** What a download would bring. */
export interface HubOffer {
  readonly modelId: string;
  readonly revision: string;
  readonly commit: string;
  readonly files: readonly { readonly path: string; readonly size: number }[];
  readonly file_count: number;
  readonly total_bytes: number;
  readonly quantizations: readonly Quantization[];
}

/** One model, closely. */
export interface ShownModel {
  readonly model_id: string;
  readonly total_bytes: number;
  readonly downloaded_at: string;
  readonly digest: string | null;
  readonly revision: string | null;
  readonly commit: string | null;
  readonly source: string | null;
  readonly hashed: boolean;
  readonly tags: readonly string[];
  readonly base_model: string | null;
  readonly quantization: string | null;
  readonly family: string | null;
  readonly context_length: number | null;
  readonly companions: readonly { readonly model_id: string; readonly role: string }[];
  readonly files: readonly { readonly path: string; readonly size: number | null; readonly sha256: string | null }[];
}

/** What came of hashing again. */
export interface VerifyReport {
  readonly ok: boolean;
  readonly models: readonly {
    readonly model_id: string;
    readonly status: string;
    readonly bad_files: readonly { readonly path: string; readonly problem: string; readonly reason?: string }[];
    readonly note?: string;
  }[];
}

/** What came of a deletion. */
export interface Deleted {
  readonly freed_bytes: number;
  readonly nodes: readonly NodeOutcome[];
}

/** What came of a purge. */
export interface Purged {
  readonly freed_bytes: number;
  readonly nodes: readonly NodeOutcome[];
}

/** A directory to choose from. */
export interface Browsed {
  readonly path: string | null;
  readonly parent: string | null;
  readonly directories: readonly { readonly name: string; readonly path: string }[];
  readonly is_cut: boolean;
  readonly is_writable: boolean;
  readonly free_bytes: number | null;
  readonly total_bytes: number | null;
}
