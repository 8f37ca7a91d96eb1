import type { FileHandle } from 'node:fs/promises';
import type { Card } from '../catalog/card-table.ts';
import type { Companion } from '../catalog/companions.ts';
import type { GgufHeader } from '../catalog/gguf-header.ts';
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

/** The answer of a store on this machine's disk, which has manifests. */
export type LocalManifestAnswer = Exclude<ManifestAnswer, { readonly state: 'listed' }>;

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

/** Verified files that become a model. */
export interface PublishRequest {
  readonly modelId: ModelId;
  /** Their directory, on the store's own file system. */
  readonly from: string;
  readonly files: readonly ManifestFile[];
  readonly revision?: string;
  readonly origin: Origin;
  /**
   * Called right before the change, while nothing else changes: whether the store's current version of the model may be replaced.
   * @param digest of its manifest; undefined if the model or its manifest does not exist
   */
  readonly mayReplace?: ((digest: Sha256 | undefined) => boolean) | undefined;
}

/** Verified files to add to a model. */
export interface ExtendRequest {
  readonly modelId: ModelId;
  /** The path of each file, synced and on the store's file system. The files are moved. */
  readonly files: readonly { readonly file: ManifestFile; readonly from: string }[];
  /** All files of the source at their commit. */
  readonly upstream: Upstream;
}

/** Called with the finished bytes and the total. */
export type OnBytes = (done: number, total: number) => void;

/** What is removed with one quantization of a model. */
export interface QuantizationRemoval {
  /** Its name in the store. */
  readonly selector: string;
  /** The files of this quantization only; for the last one, all files of the model. */
  readonly files: readonly string[];
  /** Their size on the disk. */
  readonly bytes: number;
  /** Whether no weights are left without it. */
  readonly isLast: boolean;
}

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

/** Taking a model together with other nodes. */
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
  /** Like `list`, with a description of each model from its card and its small files. */
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
  /** Taking a model together with other nodes; absent if the bytes are on this disk. */
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

/** An open file of a model. All of its properties come from this handle. */
export interface OpenFile extends AsyncDisposable {
  readonly handle: FileHandle;
  /** In bytes. */
  readonly size: number;
  /** Null until the model is hashed. */
  readonly sha256: Sha256 | null;
}

/** The store on this machine's disk, with what its server needs. */
export interface LocalStore extends Store {
  readonly root: string;
  manifest(modelId: ModelId, options?: ManifestOptions): Promise<LocalManifestAnswer>;
  requireDisk(): Promise<void>;
  /** The registered models whose directory is missing. */
  listLost(): Promise<readonly ModelId[]>;
  /** Whether a model is registered and its directory exists; with a selector, whether it has that quantization. */
  has(modelId: ModelId, selector?: string): Promise<boolean>;
  /** Lists what `removeQuantization` removes. Throws MODEL_NOT_FOUND; FILE_NOT_FOUND with the existing quantizations. */
  planRemoval(modelId: ModelId, selector: string): Promise<QuantizationRemoval>;
  /**
   * Removes one quantization of a model, as `remove` removes a model. Shared files stay. Throws CONFLICT also if `isLast` does not match.
   */
  removeQuantization(
    modelId: ModelId,
    options: Pick<QuantizationRemoval, 'selector' | 'files' | 'isLast'> & { readonly force: boolean },
  ): Promise<{ readonly freedBytes: number }>;
  /**
   * The paths of a model's files: the manifest's, or the registry's until it is hashed. Throws MODEL_NOT_FOUND, also for a vision model
   * whose projector is missing.
   */
  listFiles(modelId: ModelId): Promise<readonly string[]>;
  /** Whether the repo of a model ships a projector that the store does not have. */
  lacksProjector(entry: RegistryEntry): Promise<boolean>;
  /**
   * Opens a file that `listFiles` lists. Throws MODEL_NOT_FOUND, FILE_NOT_FOUND, INTEGRITY if it does not match its manifest, STORE_BUSY
   * (with retryAfterMs) while it is being checked after a change of its date.
   */
  openFile(modelId: ModelId, path: string): Promise<OpenFile>;
  /** Checks that a model can be published. Throws CONFLICT if its directory is not registered, or contains foreign files. */
  requirePlace(modelId: ModelId): Promise<void>;
  /**
   * Moves a directory of files that this process has verified and synced into the store, by renames. If that fails, the files stay where
   * they were. Replaces the same model, and nothing else.
   */
  publish(request: PublishRequest, options: WorkOptions): Promise<Adopted>;
  /**
   * Adds files from the same source to a model. Throws MODEL_NOT_FOUND; CONFLICT if the model has a file that is not from the commit of
   * these files.
   */
  extend(request: ExtendRequest): Promise<Adopted>;
  /**
   * The manifest, with the git id of every file that a repo would keep in git itself. Ids that an earlier skulk did not compute are
   * computed and saved first. Throws MODEL_NOT_FOUND; STORE_BUSY (with retryAfterMs) while the model is being hashed; INTEGRITY.
   */
  identify(modelId: ModelId): Promise<Manifest>;
  /** The source's files at the model's commit; undefined if unknown. Each call reads them from the disk. */
  upstream(modelId: ModelId): Promise<Upstream | undefined>;
  /** A registry's data about a GGUF file of a model; undefined if there is none. Throws MODEL_NOT_FOUND. */
  ggufHeader(modelId: ModelId, path: string): Promise<GgufHeader | undefined>;
  /** The model's card, if it is valid. */
  cardOf(modelId: ModelId): Promise<Card | undefined>;
  /** Starts hashing every model without a manifest, and computing missing git ids; returns at once. */
  hashInBackground(): void;
  /** Calls the listener for every deleted model, or for its deleted files, as soon as they are no longer served. */
  onRemoved(listener: (modelId: ModelId, files?: ReadonlySet<string>) => void): void;
  /** Calls the listener without delay, and often, when this process changed the store. The returned function removes the listener. */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}
