import type { Upstream } from '../catalog/upstream.ts';
import type { RelativePath } from '../kernel/files/relative-path.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import type { SideKind } from '../protocol/manifest.ts';
import type { ByteRange } from '../store/contract.ts';
import type { OpenFile } from '../store/local-store.ts';

/** A Hub client's reference: a model as it was sent, at a revision. */
export interface HubRef {
  /** `org/name` or `name`, decoded, in any case. */
  readonly id: string;
  /** A branch, tag, commit or abbreviated commit, decoded; `main` if absent. */
  readonly revision?: string | undefined;
}

/** The rights of the client. */
export interface HubAsker {
  /** Whether missing files may be fetched for it: it has the role node, and is not a page of another site. */
  readonly mayFetch: boolean;
  /** The skulk servers that the request has passed, as in the header `skulk-via`; absent for other clients. */
  readonly via?: string | undefined;
}

/** A file of a repo at one commit, whether or not the store has it. */
export interface HubFile {
  readonly path: RelativePath;
  /** The size of the content, in bytes. */
  readonly size: number;
  /** The git blob id of the content or, for an LFS file, of its pointer. 40 hex digits. */
  readonly oid: string;
  /** Only for a file that a repo would keep in LFS. */
  readonly lfs?: { readonly sha256: Sha256; readonly pointerSize: number } | undefined;
  /** Whether the store has exactly this content and would send it now. */
  readonly isHeld: boolean;
  /** The digest of the content, if the store has it. */
  readonly sha256?: Sha256 | undefined;
  /** What a GGUF file says that it is, if that is not weights; of what is held. */
  readonly gguf_kind?: SideKind | undefined;
}

/** A model at one commit, as a Hub shows it. */
export interface HubRepo {
  /** The spelling in the store. */
  readonly id: ModelId;
  /** 40 hex digits: the Hub's own commit, or one computed from the content (docs/hub-endpoint.md, "Commits"). */
  readonly commit: string;
  /** In the Hub's order. */
  readonly files: readonly HubFile[];
  readonly byPath: ReadonlyMap<string, HubFile>;
  /** Whether `files` is the complete list for this commit. If not, a missing path must not be reported as nonexistent. */
  readonly isComplete: boolean;
  /** ISO 8601 UTC with milliseconds. */
  readonly lastModified: string;
  readonly createdAt: string;
}

/** Data about a model beside its files. */
export interface HubFacts {
  readonly tags: readonly string[];
  readonly libraryName?: string | undefined;
  readonly pipelineTag?: string | undefined;
  /** The unmodified front matter of the model card. */
  readonly cardData?: Readonly<Record<string, unknown>> | undefined;
  /** The header of its GGUF file in the Hub's format; only for a model with one. */
  readonly gguf?: Readonly<Record<string, unknown>> | undefined;
}

/** A model in the list of models. */
export type HubListed = Pick<HubRepo, 'id' | 'commit' | 'lastModified' | 'createdAt'> &
  Pick<HubFacts, 'tags' | 'libraryName' | 'pipelineTag'> & { readonly totalBytes: number };

/** The bytes of a file. */
export type HubContent =
  /** An open file of the store, to be sent like the store's own files. The caller closes it. */
  | { readonly kind: 'file'; readonly file: OpenFile }
  /**
   * The bytes of the requested range, in order, as they arrive. A buffer may be overwritten when the next one is requested. The sequence
   * throws if it ends early, and then the connection must be closed. The content is only verified when the last byte of the file has
   * arrived.
   */
  | { readonly kind: 'stream'; readonly bytes: AsyncIterable<Uint8Array> };

/** The requested bytes. */
export interface OpenOptions {
  /** Inside the file; `end` is exclusive. */
  readonly range: ByteRange;
  readonly asker: HubAsker;
  /** Ends this reader only. */
  readonly signal: AbortSignal;
}

/** The store as a Hub. Every method throws `HubRefusal` if a Hub would refuse. */
export interface HubBackend {
  /** A model at a revision, as this client may see it. */
  repo(ref: HubRef, asker: HubAsker, signal: AbortSignal): Promise<HubRepo>;
  /** Data about the model; reads the model's card. */
  facts(repo: HubRepo, asker: HubAsker, signal: AbortSignal): Promise<HubFacts>;
  /** The models in the store, in the order of their ids. */
  list(signal: AbortSignal): Promise<readonly HubListed[]>;
  /** Checks whether the headers for this file can be sent without its bytes. Answers at once, because clients wait at most ten seconds. */
  head(repo: HubRepo, file: HubFile, asker: HubAsker): Promise<void>;
  /** Refuses at once if the file cannot be sent. The first byte may take long. */
  open(repo: HubRepo, file: HubFile, options: OpenOptions): Promise<HubContent>;
}

/** A repo upstream at one commit. */
export interface UpstreamRepo extends Upstream {
  /** ISO 8601; absent if upstream does not report it. */
  readonly lastModified?: string | undefined;
  readonly createdAt?: string | undefined;
  readonly facts?: HubFacts | undefined;
}

/** Fetches missing files (docs/hub-endpoint.md, "What the store lacks"). It does not check the rights of the client. */
export interface ColdHub {
  /** Whether the settings allow upstream at all. This affects commits, independent of whether upstream answers now. */
  isOn(): Promise<boolean>;
  /**
   * The complete listing of a repo at a revision, from the cache or from upstream. Throws `HubRefusal` repoNotFound, revisionNotFound,
   * gated, unreachable or busy.
   */
  findListing(
    ref: { readonly modelId: ModelId; readonly revision: string; readonly via?: string | undefined },
    signal: AbortSignal,
  ): Promise<UpstreamRepo>;
  /**
   * Checks whether the headers of a missing file can be sent from its listing. Throws `HubRefusal` unreachable for a small file while
   * upstream is unreachable: clients would otherwise cache the answer.
   */
  head(repo: HubRepo, file: HubFile): Promise<void>;
  /** The bytes of a missing file. Throws `HubRefusal` gated, absent, unreachable, busy or noRoom. */
  open(repo: HubRepo, file: HubFile, options: OpenOptions): Promise<HubContent>;
}

/** Every refusal of a Hub, with its status and the `X-Error-Code` that clients know. */
export const hubRefusals = {
  badRequest: { status: 400 },
  unauthorized: { status: 401 },
  forbidden: { status: 403 },
  /** The store's Hub interface is read-only. */
  readOnly: { status: 403 },
  gated: { status: 403, code: 'GatedRepo' },
  /** The file would have to be fetched, and the client may only read. */
  mayNotFetch: { status: 403 },
  repoNotFound: { status: 404, code: 'RepoNotFound' },
  revisionNotFound: { status: 404, code: 'RevisionNotFound' },
  /** Only for a path that is not in the complete listing of a commit. The answer contains the commit, and clients cache it. */
  entryNotFound: { status: 404, code: 'EntryNotFound' },
  notFound: { status: 404 },
  /** A large listed file that is missing, and cannot be fetched now. Clients do not retry this status, and show its message. */
  absent: { status: 424 },
  /** Upstream is unreachable now; clients retry. */
  unreachable: { status: 503 },
  busy: { status: 503 },
  noRoom: { status: 507 },
  /** The request came from this server, through another server. */
  loop: { status: 508, code: 'LoopDetected' },
} as const satisfies Record<string, { readonly status: number; readonly code?: string }>;

/** The name of a refusal. */
export type HubRefusalKind = keyof typeof hubRefusals;

/** A refusal in the Hub's terms. Clients show the message to users: one line with the model and what to do. */
export class HubRefusal extends Error {
  override readonly name = 'HubRefusal';
  readonly kind: HubRefusalKind;
  /** The commit at which a path does not exist. */
  readonly commit: string | undefined;

  constructor(kind: HubRefusalKind, message: string, { commit, cause }: { readonly commit?: string; readonly cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.commit = commit;
  }
}

/** A file that is being fetched has moved: it is in the store now, or its fetch has ended. Look it up again. */
export class HubFileMoved extends HubRefusal {
  constructor(modelId: ModelId, path: string, cause?: unknown) {
    super('busy', `${JSON.stringify(path)} of ${modelId} is being moved in the store: try again`, { cause });
  }
}
