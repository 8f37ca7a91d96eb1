import type { FileHandle } from 'node:fs/promises';
import type { Card } from '../catalog/card-table.ts';
import type { GgufHeader } from '../catalog/gguf-header.ts';
import type { Upstream } from '../catalog/upstream.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import type { Manifest, ManifestFile } from '../protocol/manifest.ts';
import type { Adopted } from '../protocol/models/adoption.ts';
import type { RegistryEntry } from '../protocol/models/entries.ts';
import type { ManifestAnswer, ManifestOptions, Origin, Store, WorkOptions } from './contract.ts';

/** The answer of a store on this machine's disk, which has manifests. */
export type LocalManifestAnswer = Exclude<ManifestAnswer, { readonly state: 'listed' }>;

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
