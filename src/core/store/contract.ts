import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { Card } from '../catalog/card.ts';
import type { Companion } from '../catalog/companions.ts';
import type { GgufHeader } from '../catalog/gguf-header.ts';
import type { Upstream } from '../catalog/upstream.ts';
import type { RelativePath } from '../kernel/files/relative-path.ts';
import type { ModelId, ModelRef } from '../kernel/model-id.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import type { StoreHealth } from '../protocol/health.ts';
import type { Manifest, ManifestFile, Provenance } from '../protocol/manifest.ts';
import type { Adopted, DescribedEntry, RegistryEntry, VerifyReport } from '../protocol/models.ts';
import type { ListedUpload } from '../protocol/uploads.ts';
import type { FetchPlan } from '../transfer/fetch-pieces.ts';

/** What the model's card says, and whether the store also asks something of this node, or does not know it. */
interface BesideManifest {
  readonly companions: readonly Companion[];
  /** The file that the card names for programs that load one; absent when it names none. */
  readonly pin?: string;
  readonly hasOrders?: boolean;
}

/** What a store answers when asked for a manifest. */
export type ManifestAnswer =
  | ({ readonly state: 'ready'; readonly manifest: Manifest } & BesideManifest)
  /** The store's digest is the one that the caller knows. */
  | ({ readonly state: 'unchanged' } & BesideManifest)
  /** The files are there, but not hashed yet; ask again. */
  | { readonly state: 'hashing'; readonly retryAfterMs: number }
  /** The store makes no manifests: it is the Python program. */
  | ({ readonly state: 'listed'; readonly model: ListedModel } & BesideManifest);

/** What a store on this machine's disk answers: it makes manifests. */
export type LocalManifestAnswer = Exclude<ManifestAnswer, { readonly state: 'listed' }>;

/** A model of a store that makes no manifests: what it lists is all that it says. */
export interface ListedModel {
  readonly modelId: ModelId;
  /** Without what the store lists beside the model's own files. */
  readonly files: readonly RelativePath[];
  /** The commit of the Hub that its registry names, in 40 hex digits; null where it names none. */
  readonly commit: string | null;
  /** The same as long as the store says nothing of a change. */
  readonly state: string;
}

/** The files of a store that makes no manifests. */
export interface ListedFiles {
  /** The size of a file, in bytes. Throws FILE_NOT_FOUND, STORE_UNREACHABLE. */
  measure(modelId: ModelId, path: RelativePath, signal: AbortSignal): Promise<number>;
  /**
   * The bytes of a part of a file, in order. `whole`: ask for all of it and leave out what comes before the part.
   * Throws UselessAnswer when other bytes come; INTEGRITY when the file has another size by now; FILE_NOT_FOUND, STORE_UNREACHABLE.
   */
  read(
    file: { readonly modelId: ModelId; readonly path: RelativePath; readonly size: number },
    range: ByteRange & { readonly whole?: boolean | undefined },
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
}

/** A piece of a file; `end` is exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Which bytes are asked for, and of which content. */
export interface PieceRequest {
  readonly modelId: ModelId;
  readonly path: RelativePath;
  readonly range: ByteRange;
  /** Only bytes of this content will do; another one is an INTEGRITY error. */
  readonly sha256: Sha256;
}

/** Pieces of one model that are to be fetched. */
export type PiecesPlan = Omit<FetchPlan, 'read' | 'isTransient' | 'connections'> & {
  /** What a person asked for; the client decides when undefined. */
  readonly connections: number | undefined;
};

/** What `adopt` is to take into the store. */
export interface AdoptRequest {
  readonly modelId: ModelId;
  /** A directory inside the store's `incoming/`; absent: the model's own directory is adopted where it lies. */
  readonly incoming?: string;
  /** Whether whoever asks may have a directory taken where it lies, which skulk may not have made. Only `false` refuses it. */
  readonly mayTakeInPlace?: boolean;
  /** What the caller knows the content's digest to be; another one is an INTEGRITY error. */
  readonly digest?: Sha256;
  readonly revision?: string;
  /** Replace a model that is there with other content. */
  readonly force?: boolean;
  /** What this very process hashed while it copied; never taken from a wire. */
  readonly hashed?: readonly ManifestFile[];
  /** Where this very process got the files from; never taken from a wire. */
  readonly origin?: Origin;
}

/** Where a model came from. */
export interface Origin {
  /** As the manifest names it: `hub`, `optimized`. */
  readonly source: string;
  readonly commit?: string;
  /** All that the source had at this commit. */
  readonly upstream?: Upstream;
  /** How it was made of another model. */
  readonly provenance?: Provenance;
}

/** Verified files that are to become a model. */
export interface PublishRequest {
  readonly modelId: ModelId;
  /** Their directory, on the store's own file system. */
  readonly from: string;
  readonly files: readonly ManifestFile[];
  readonly revision?: string;
  readonly origin: Origin;
  /**
   * Asked right before the change, while nothing else changes: whether what the store has of the model by then may be replaced by them.
   * @param digest of its manifest; undefined when it has none, or is not there
   */
  readonly mayReplace?: ((digest: Sha256 | undefined) => boolean) | undefined;
}

/** Verified files that come beside those that a model has. */
export interface ExtendRequest {
  readonly modelId: ModelId;
  /** Where each of them lies, synced, on the store's own file system; they are moved. */
  readonly files: readonly { readonly file: ManifestFile; readonly from: string }[];
  /** All that the source has at the commit that they are of. */
  readonly upstream: Upstream;
}

/** Reports bytes done and bytes in all. */
export type OnBytes = (done: number, total: number) => void;

/** What goes when one quantization of a model is removed. */
export interface QuantizationRemoval {
  /** As the store calls it. */
  readonly selector: string;
  /** Those of this quantization alone; with the last one all of the model goes. */
  readonly files: readonly string[];
  /** What they take on the disk. */
  readonly bytes: number;
  /** Whether no weights are left without it. */
  readonly isLast: boolean;
}

/** What long work on a store takes beside its request. */
export interface WorkOptions {
  readonly signal: AbortSignal;
  readonly onBytes?: OnBytes;
}

/** How a manifest is asked for. */
export interface ManifestOptions {
  /** Answer `unchanged` if the digest is still this one. */
  readonly knownDigest?: Sha256;
  readonly signal?: AbortSignal;
  /** How long a store behind HTTP may send nothing, in milliseconds; the client's own patience when absent. */
  readonly silenceMs?: number;
}

/**
 * The canonical store, wherever it is: on this machine's disk or behind HTTP. One suite of tests holds both to this.
 * Errors: MODEL_NOT_FOUND and FILE_NOT_FOUND for what is not there; over HTTP also STORE_UNREACHABLE.
 */
export interface Store {
  /** Where it is, for messages: a path or a URL. */
  readonly location: string;
  /** Whether the disk of a store on this machine is there, as it was a moment ago. Throws STORE_UNREACHABLE when it is not. */
  requireDisk?(): Promise<void>;
  health(): Promise<StoreHealth>;
  listModels(): Promise<readonly RegistryEntry[]>;
  /** The same with what each model is, from its card and its small files. */
  listDescribed(): Promise<readonly DescribedEntry[]>;
  /** See `ManifestOptions`. */
  manifest(modelId: ModelId, options?: ManifestOptions): Promise<ManifestAnswer>;
  /**
   * The bytes of a piece, in order; the pieces handed out may be reused after the next one is asked for.
   * Throws INTEGRITY when the store's content is another or changed, FILE_NOT_FOUND when it has none.
   */
  readPiece(request: PieceRequest, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Fetches many pieces into their places, each verified, faster than one by one; absent where the bytes are on this disk. */
  fetchPieces?(modelId: ModelId, plan: PiecesPlan): Promise<void>;
  /** How files come of a store that answers `listed`; absent where the bytes are on this disk. */
  readonly listed?: ListedFiles;
  adopt(request: AdoptRequest, options: WorkOptions): Promise<Adopted>;
  /**
   * Removes the canonical copy. Throws CONFLICT while it is in use on the store host itself, unless `force` is given.
   * @returns the bytes that it had
   */
  remove(modelId: ModelId, options?: { readonly force: boolean }): Promise<{ readonly freedBytes: number }>;
  /** Hashes models, or quantizations of them, again and compares; all of them when none is named. */
  verify(request: { readonly refs: readonly ModelRef[]; readonly repair: boolean }, options: WorkOptions): Promise<VerifyReport>;
}

/** A file of a model, opened once; everything that is said of it is said of this handle. */
export interface OpenFile extends AsyncDisposable {
  readonly handle: FileHandle;
  /** In bytes. */
  readonly size: number;
  /** Null while the model has not been hashed yet. */
  readonly sha256: Sha256 | null;
}

/** A piece that an upload still needs: the number of its file in the manifest, and where it begins. */
export interface MissingPiece {
  readonly file: number;
  readonly start: number;
}

/** Which upload is meant; the id, which only who announced the model knows, decides where two machines announce the same in different ways. */
export interface UploadRef {
  readonly modelId: ModelId;
  readonly digest: Sha256;
  readonly upload?: string | undefined;
}

/** What has to be sent of an announced model. */
export interface Announcement {
  /** The id of the upload, for `UploadRef` and `cancel`; absent of a store that has none. */
  readonly upload?: string | undefined;
  readonly missing: readonly MissingPiece[];
}

/** Looks at unfinished uploads, and ends them. */
export interface UploadList {
  list(): Promise<readonly ListedUpload[]>;
  /**
   * Removes an unfinished upload and what came of it. Throws JOB_NOT_FOUND, CONFLICT when all of it is there, FORBIDDEN.
   * @param id the sender's own id, or the handle in the list
   */
  cancel(id: string, options?: { readonly mayCancelOthers: boolean }): Promise<ListedUpload>;
}

/** Models that come from another machine, piece by piece, as the machine that sends them sees it. */
export interface Uploads extends UploadList {
  /**
   * Announces a model; goes on with an earlier upload of the same content.
   * Throws CONFLICT for an id that has other content, without `force`; NO_SPACE; STORE_BUSY when too many are open.
   * @returns what has to be sent; nothing when the store has it all
   */
  begin(manifest: Manifest, options: { readonly force: boolean; readonly signal: AbortSignal }): Promise<Announcement>;
  /** Sends one piece. Throws INTEGRITY when it is not what the manifest says, JOB_NOT_FOUND when nothing was announced. */
  put(upload: UploadRef, piece: MissingPiece, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Makes the model of what has come, hashed once more. Throws CONFLICT while something is missing. */
  complete(upload: UploadRef & { readonly force: boolean; readonly revision?: string | undefined }, options: WorkOptions): Promise<Adopted>;
}

/** Who sends a model. */
export interface Sender {
  readonly address: string;
  /** The name of the token that was shown. */
  readonly who: string | null;
}

/** The same as the store host sees it: nothing that is as large as a manifest or a piece is ever in memory. */
export interface HostUploads extends UploadList, AsyncDisposable {
  /** @param manifest the bytes of a manifest, as they come */
  announce(
    manifest: Readable,
    options: { readonly modelId: ModelId; readonly sender: Sender; readonly force: boolean; readonly signal: AbortSignal },
  ): Promise<HostAnnouncement>;
  put(upload: UploadRef, piece: MissingPiece, bytes: Readable, signal: AbortSignal): Promise<void>;
  complete: Uploads['complete'];
  /** Told at once and often when an upload begins, goes on or ends; the returned function ends that. */
  onChange(listener: () => void): () => void;
}

/** What has to be sent of a model that was announced to this machine. */
export interface HostAnnouncement {
  readonly digest: Sha256;
  readonly upload: string;
  readonly missingCount: number;
  /** In parts, as there may be very many. */
  missing(): AsyncIterable<readonly MissingPiece[]>;
}

/** The store on this machine's disk, as the server that speaks for it needs it. */
export interface LocalStore extends Store {
  readonly root: string;
  manifest(modelId: ModelId, options?: ManifestOptions): Promise<LocalManifestAnswer>;
  requireDisk(): Promise<void>;
  /** The models that the registry names although their directory is not there. */
  listLost(): Promise<readonly ModelId[]>;
  /** Whether the registry names this model and its directory is there; with a selector, whether it has that quantization. */
  has(modelId: ModelId, selector?: string): Promise<boolean>;
  /** Says what `removeQuantization` removes. Throws MODEL_NOT_FOUND; FILE_NOT_FOUND, which names the quantizations that there are. */
  planRemoval(modelId: ModelId, selector: string): Promise<QuantizationRemoval>;
  /**
   * Removes one quantization of a model, as `remove` removes a model; what several share stays.
   * Throws CONFLICT also when it is the last one and `isLast` does not say so, or the other way round.
   */
  removeQuantization(
    modelId: ModelId,
    options: Pick<QuantizationRemoval, 'selector' | 'files' | 'isLast'> & { readonly force: boolean },
  ): Promise<{ readonly freedBytes: number }>;
  /**
   * The paths of a model's files: the manifest's, or the registry's while it is not hashed.
   * Throws MODEL_NOT_FOUND, also for a vision model whose projector is missing.
   */
  listFiles(modelId: ModelId): Promise<readonly string[]>;
  /**
   * Opens a file that `listFiles` names. Throws MODEL_NOT_FOUND, FILE_NOT_FOUND, INTEGRITY when it changed under its
   * manifest, STORE_BUSY (with retryAfterMs) while it is being checked after a change of its date.
   */
  openFile(modelId: ModelId, path: string): Promise<OpenFile>;
  /**
   * Refuses to go on when a model could not be put into its place.
   * Throws CONFLICT when what lies there is not in the registry, or holds files that are not of the model.
   */
  requirePlace(modelId: ModelId): Promise<void>;
  /**
   * Takes a directory of files that this process has verified and synced into the store by renames; if that fails, they lie
   * where they were. A model that is there is replaced, and nothing else.
   */
  publish(request: PublishRequest, options: WorkOptions): Promise<Adopted>;
  /**
   * Puts files beside those that a model has from the same source. Throws MODEL_NOT_FOUND; CONFLICT when it has something that is not of
   * the commit of these files.
   */
  extend(request: ExtendRequest): Promise<Adopted>;
  /**
   * The manifest, with the git id of every file that a repo would keep in git itself: what a model of an earlier skulk lacks of them is
   * made first, and written down. Throws MODEL_NOT_FOUND; STORE_BUSY (with retryAfterMs) while the model is being hashed; INTEGRITY.
   */
  identify(modelId: ModelId): Promise<Manifest>;
  /** What the source of a model had at its commit; undefined when it is not known. It is read from the disk for each question. */
  upstream(modelId: ModelId): Promise<Upstream | undefined>;
  /** What registries say of a GGUF file of a model; undefined where it says nothing. Throws MODEL_NOT_FOUND. */
  ggufHeader(modelId: ModelId, path: string): Promise<GgufHeader | undefined>;
  /** The model's card, if there is a good one. */
  cardOf(modelId: ModelId): Promise<Card | undefined>;
  /** Begins to hash every model that has no manifest yet, and to make the git ids that manifests lack; returns at once. */
  hashInBackground(): void;
  /** Has something told of every model that was removed, or of its files that were, as soon as nobody is served them any more. */
  onRemoved(listener: (modelId: ModelId, files?: ReadonlySet<string>) => void): void;
  /** Has something told, at once and often, when this process changed what the store holds; the returned function ends that. */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}
