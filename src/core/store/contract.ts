import type { Companion } from '../catalog/companions.ts';
import type { Upstream } from '../catalog/upstream.ts';
import type { RelativePath } from '../kernel/files/relative-path.ts';
import type { ModelId, ModelRef } from '../kernel/model-id.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import type { StoreHealth } from '../protocol/health.ts';
import type { Manifest, ManifestFile, Provenance } from '../protocol/manifest.ts';
import type { Adopted, FoundPlace } from '../protocol/models/adoption.ts';
import type { DescribedEntry, ModelProblem, RegistryEntry } from '../protocol/models/entries.ts';
import type { VerifyReport } from '../protocol/models/verify-report.ts';
import type { SwarmAnswer, SwarmBody } from '../protocol/staging.ts';
import type { FetchPlan } from '../transfer/fetch-pieces.ts';
import type { ListedFiles, ListedModel } from './listed-contract.ts';

/** Beside the manifest: data from the model's card, and whether the store has an order for this node or does not know it. */
interface BesideManifest {
  readonly companions: readonly Companion[];
  /** The file that the card names for programs that load one file; absent if it names none. */
  readonly pin?: string;
  readonly hasOrders?: boolean;
  /** Why no program can load it; absent for a good model, and if the store does not know. */
  readonly problems?: readonly ModelProblem[];
}

/** A store's answer to a request for a manifest. */
export type ManifestAnswer =
  | ({ readonly state: 'ready'; readonly manifest: Manifest } & BesideManifest)
  /** The caller already knows the store's digest. */
  | ({ readonly state: 'unchanged' } & BesideManifest)
  /** The files exist but are not hashed yet; ask again later. */
  | { readonly state: 'hashing'; readonly retryAfterMs: number }
  /** The store has no manifests: it is the Python program. */
  | ({ readonly state: 'listed'; readonly model: ListedModel } & BesideManifest);

/** A part of a file; `end` is exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** The requested bytes, and the digest of their content. */
export interface PieceRequest {
  readonly modelId: ModelId;
  readonly path: RelativePath;
  readonly range: ByteRange;
  /** The expected content. Any other content is an INTEGRITY error. */
  readonly sha256: Sha256;
}

/** Pieces of one model to fetch. */
export type PiecesPlan = Omit<FetchPlan, 'read' | 'isTransient' | 'connections'> & {
  /** The user's choice; if undefined, the client decides. */
  readonly connections: number | undefined;
};

/** The request of `adopt`. */
export interface AdoptRequest {
  readonly modelId: ModelId;
  /** A directory inside the store's `incoming/`. If absent, the model's own directory is adopted in place. */
  readonly incoming?: string;
  /** Whether a directory that skulk may not have created can be adopted in place. Only `false` forbids it. */
  readonly mayTakeInPlace?: boolean;
  /** The expected digest of the content. Any other content is an INTEGRITY error. */
  readonly digest?: Sha256;
  readonly revision?: string;
  /** Replaces an existing model that has other content. */
  readonly force?: boolean;
  /** Digests that this process computed during its own copy; never accepted from the network. */
  readonly hashed?: readonly ManifestFile[];
  /** The source from which this process got the files; never accepted from the network. */
  readonly origin?: Origin;
}

/** The origin of a model. */
export interface Origin {
  /** As in the manifest: `hub`, `optimized`. */
  readonly source: string;
  readonly commit?: string;
  /** All files of the source at this commit. */
  readonly upstream?: Upstream;
  /** How it was made from another model. */
  readonly provenance?: Provenance;
}

/** Called with the finished bytes and the total. */
export type OnBytes = (done: number, total: number) => void;

/** Options for long work on a store. */
export interface WorkOptions {
  readonly signal: AbortSignal;
  readonly onBytes?: OnBytes;
}

/** Options for the request of a manifest. */
export interface ManifestOptions {
  /** Answer `unchanged` if the digest is still this one. */
  readonly knownDigest?: Sha256;
  readonly signal?: AbortSignal;
  /** How long an HTTP store may send nothing, in milliseconds; if absent, the client's own limit. */
  readonly silenceMs?: number;
}

/** Sharing a model with other nodes. */
export interface StoreSwarm {
  /** Whether the store said so beside the manifest of the model. */
  isOffered(modelId: ModelId): boolean;
  /** Asks how to take a model. */
  ask(modelId: ModelId, body: SwarmBody, signal: AbortSignal): Promise<SwarmAnswer>;
  /** The URL of the tracker, without the key of a member; undefined if peers cannot use it. */
  trackerUrl(): Promise<string | undefined>;
}

/**
 * The canonical store, on this machine's disk or behind HTTP. One test suite checks both. Errors: MODEL_NOT_FOUND and FILE_NOT_FOUND for
 * missing items; over HTTP also STORE_UNREACHABLE.
 */
export interface Store {
  /** Its location for messages: a path or a URL. */
  readonly location: string;
  /** Checks that the disk of a local store is mounted; a recent check counts. Throws STORE_UNREACHABLE if it is not. */
  requireDisk?(): Promise<void>;
  health(): Promise<StoreHealth>;
  listModels(): Promise<readonly RegistryEntry[]>;
  /** Like `listModels`, with a description of each model from its card and its small files. */
  listDescribed(): Promise<readonly DescribedEntry[]>;
  /** See `ManifestOptions`. */
  manifest(modelId: ModelId, options?: ManifestOptions): Promise<ManifestAnswer>;
  /**
   * The bytes of a piece, in order. A buffer may be reused after the next one is requested. Throws INTEGRITY if the store's content is
   * different or has changed, FILE_NOT_FOUND if it does not exist.
   */
  readPiece(request: PieceRequest, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Fetches many pieces into their files and verifies each, faster than one by one; absent if the bytes are on this disk. */
  fetchPieces?(modelId: ModelId, plan: PiecesPlan): Promise<void>;
  /** Sharing a model with other nodes; absent if the bytes are on this disk. */
  readonly swarm?: StoreSwarm;
  /** Reads the files of a store that answers `listed`; absent if the bytes are on this disk. */
  readonly listed?: ListedFiles;
  /**
   * Checks that a model can be added, before its files are copied, and returns what the store has under its id; undefined if an older store
   * cannot tell. Throws FORBIDDEN, CONFLICT, PERMISSION.
   * @param request.incoming the directory in the store's `incoming/` that will be adopted: it may also replace the model
   */
  findPlace(request: Pick<AdoptRequest, 'modelId' | 'incoming'>): Promise<FoundPlace | undefined>;
  adopt(request: AdoptRequest, options: WorkOptions): Promise<Adopted>;
  /**
   * Deletes the canonical copy. Throws CONFLICT while it is in use on the store host itself, without `force`.
   * @returns the number of its bytes
   */
  remove(modelId: ModelId, options?: { readonly force: boolean }): Promise<{ readonly freedBytes: number }>;
  /** Hashes models, or quantizations of them, again and compares them with their manifests; all models without refs. */
  verify(request: { readonly refs: readonly ModelRef[]; readonly repair: boolean }, options: WorkOptions): Promise<VerifyReport>;
}
