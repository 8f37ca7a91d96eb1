import type { Upstream } from '../catalog/upstream.ts';
import type { RelativePath } from '../kernel/files/relative-path.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import type { ByteRange, OpenFile } from '../store/contract.ts';

/** What a Hub client names: a model, as it was sent, at a revision. */
export interface HubRef {
  /** `org/name` or `name`, decoded, in any case. */
  readonly id: string;
  /** A branch, tag, commit or abbreviation of one, decoded; `main` when absent. */
  readonly revision?: string | undefined;
}

/** Who asks, as far as it decides what is done for them. */
export interface HubAsker {
  /** Whether what the store lacks may be fetched for them: the role node, and no page of another site. */
  readonly mayFetch: boolean;
}

/** A file of a repo at one commit, whether the store has it or not. */
export interface HubFile {
  readonly path: RelativePath;
  /** Of the content, in bytes. */
  readonly size: number;
  /** The git blob id of the content or, of an LFS file, of the pointer to it. 40 hex digits. */
  readonly oid: string;
  /** Only of a file that a repo would keep in LFS. */
  readonly lfs?: { readonly sha256: Sha256; readonly pointerSize: number } | undefined;
  /** Whether the store has this very content and would send it now. */
  readonly isHeld: boolean;
  /** Of the content, of what is held. */
  readonly sha256?: Sha256 | undefined;
}

/** A model at one commit, as a Hub shows it. */
export interface HubRepo {
  /** As the store spells it. */
  readonly id: ModelId;
  /** 40 hex digits: the Hub's own, or one that follows from the content (docs/hub-endpoint.md, "Commits"). */
  readonly commit: string;
  /** In the Hub's order. */
  readonly files: readonly HubFile[];
  readonly byPath: ReadonlyMap<string, HubFile>;
  /** Whether `files` is all that there is at this commit. Where it is not, no path may be said not to exist. */
  readonly isComplete: boolean;
  /** ISO 8601 UTC with milliseconds. */
  readonly lastModified: string;
  readonly createdAt: string;
}

/** What a model is, beside its files. */
export interface HubFacts {
  readonly tags: readonly string[];
  readonly libraryName?: string | undefined;
  readonly pipelineTag?: string | undefined;
  /** The front matter of the model card, as it came. */
  readonly cardData?: Readonly<Record<string, unknown>> | undefined;
  /** What the header of its GGUF file says, in the Hub's words; only of a model that has one. */
  readonly gguf?: Readonly<Record<string, unknown>> | undefined;
}

/** A model in the list of models. */
export type HubListed = Pick<HubRepo, 'id' | 'commit' | 'lastModified' | 'createdAt'> &
  Pick<HubFacts, 'tags' | 'libraryName' | 'pipelineTag'> & { readonly totalBytes: number };

/** The bytes of a file. */
export type HubContent =
  /** An open file of the store, to be sent by what sends the store's own files. Whoever asked closes it. */
  | { readonly kind: 'file'; readonly file: OpenFile }
  /**
   * The bytes of the range that was asked for, in order, as they come; what is handed out may be overwritten once more is asked for. The sequence throws when they end early; then the connection must
   * be cut. They are checked as a whole only when the last byte of the file has come.
   */
  | { readonly kind: 'stream'; readonly bytes: AsyncIterable<Uint8Array> };

/** How bytes are asked for. */
export interface OpenOptions {
  /** Inside the file; `end` is exclusive. */
  readonly range: ByteRange;
  readonly asker: HubAsker;
  /** Ends the interest of this reader alone. */
  readonly signal: AbortSignal;
}

/** The store as a Hub. Every method throws `HubRefusal` for what a Hub would refuse. */
export interface HubBackend {
  /** A model at a revision, as this asker may see it. */
  repo(ref: HubRef, asker: HubAsker, signal: AbortSignal): Promise<HubRepo>;
  /** What the model is; it reads the model's card. */
  facts(repo: HubRepo, asker: HubAsker, signal: AbortSignal): Promise<HubFacts>;
  /** The models that the store has, in the order of their ids. */
  list(signal: AbortSignal): Promise<readonly HubListed[]>;
  /** Whether the head of an answer with this file may be sent without its bytes. At once: clients wait for ten seconds at most. */
  head(repo: HubRepo, file: HubFile, asker: HubAsker): Promise<void>;
  /** Refuses at once what cannot be sent; the first byte may take long. */
  open(repo: HubRepo, file: HubFile, options: OpenOptions): Promise<HubContent>;
}

/** A repo upstream at one commit. */
export interface UpstreamRepo extends Upstream {
  /** ISO 8601; absent when upstream does not say it. */
  readonly lastModified?: string | undefined;
  readonly createdAt?: string | undefined;
  readonly facts?: HubFacts | undefined;
}

/** What the store lacks, and how it is got (docs/hub-endpoint.md, "What the store lacks"). It decides nothing about who may ask. */
export interface ColdHub {
  /** Whether the settings let upstream be asked at all. This decides what is said of commits, and not whether upstream answers now. */
  isOn(): Promise<boolean>;
  /**
   * The full listing of a repo at a revision, from what is remembered or from upstream. Throws `HubRefusal` repoNotFound,
   * revisionNotFound, gated, unreachable or busy.
   */
  look(ref: { readonly modelId: ModelId; readonly revision: string }, signal: AbortSignal): Promise<UpstreamRepo>;
  /**
   * Whether the head of a file that the store lacks may be told from its listing. Throws `HubRefusal` unreachable for a small file while
   * upstream cannot be asked: of it clients would otherwise make up their minds.
   */
  head(repo: HubRepo, file: HubFile): Promise<void>;
  /** The bytes of a file that the store lacks. Throws `HubRefusal` gated, absent, unreachable, busy or noRoom. */
  open(repo: HubRepo, file: HubFile, options: OpenOptions): Promise<HubContent>;
}

/** Every refusal of a Hub, with its status and the `X-Error-Code` that clients know. */
export const hubRefusals = {
  badRequest: { status: 400 },
  unauthorized: { status: 401 },
  forbidden: { status: 403 },
  /** The store's protocol here is for reading. */
  readOnly: { status: 403 },
  gated: { status: 403, code: 'GatedRepo' },
  /** What is not held would have to be fetched, and whoever asks may only read. */
  mayNotFetch: { status: 403 },
  repoNotFound: { status: 404, code: 'RepoNotFound' },
  revisionNotFound: { status: 404, code: 'RevisionNotFound' },
  /** Only of a path that the full listing of a commit does not have; the answer names the commit, and clients remember it. */
  entryNotFound: { status: 404, code: 'EntryNotFound' },
  notFound: { status: 404 },
  /** A large file that is listed, is not held, and cannot be fetched now: clients do not repeat this one, and show the message. */
  absent: { status: 424 },
  /** Upstream cannot be asked now; clients ask again. */
  unreachable: { status: 503 },
  busy: { status: 503 },
  noRoom: { status: 507 },
  /** The request came from this server, by way of another one that it asked. */
  loop: { status: 508, code: 'LoopDetected' },
} as const satisfies Record<string, { readonly status: number; readonly code?: string }>;

/** The name of a refusal. */
export type HubRefusalKind = keyof typeof hubRefusals;

/** A refusal in the Hub's terms. The message is shown to people by clients: one line that names the model and what to do. */
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

/** A file on its way is no longer where it was: the store has it now, or nobody fetches it. To be looked for once more. */
export class HubFileMoved extends HubRefusal {
  constructor(modelId: ModelId, path: string, cause?: unknown) {
    super('busy', `${JSON.stringify(path)} of ${modelId} is being moved in the store: try again`, { cause });
  }
}
