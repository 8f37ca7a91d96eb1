import type { ProgressEvent, SkulkEvent } from '../core/kernel/flow/events.ts';
import type { ProgramOutput } from '../core/kernel/process/child-program.ts';
import type { AddReport } from '../core/operations/models/add.ts';
import type { DeletionPlan, DeletionReport } from '../core/operations/models/delete-models.ts';
import type { FinishedDownload } from '../core/operations/models/downloads.ts';
import type { PurgedEverywhere } from '../core/operations/nodes/purge-everywhere.ts';
import type { PurgeReport } from '../core/operations/nodes/purge-staging.ts';
import type { StagePlanReport, StageReport } from '../core/operations/stage/stage-report.ts';
import type { Health } from '../core/operations/store/check-health.ts';
import type { DownloadStatus } from '../core/protocol/downloads.ts';
import type { RegistryList, ShownModel, VerifyReport } from '../core/protocol/models.ts';
import type { StagingList } from '../core/protocol/staging.ts';

/** What `openSkulk` takes; without any of it, what the command `skulk` would use in this process. */
export interface OpenOptions {
  /** `SKULK_HOME`: where this machine's own files lie. */
  readonly home?: string | undefined;
  /** The configuration file. */
  readonly config?: string | undefined;
  /** URL of the store. */
  readonly store?: string | undefined;
  /** Token for the store. */
  readonly token?: string | undefined;
  /** The environment, instead of that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** What relative paths are relative to. */
  readonly cwd?: string | undefined;
  /** Aborts every call. */
  readonly signal?: AbortSignal | undefined;
  /** Receives the events of every call. */
  readonly onEvent?: ((event: SkulkEvent) => void) | undefined;
}

/**
 * What every call takes. A listener that throws aborts its call, which then fails with what it threw.
 * Events come while the call runs, never after it settled.
 */
export interface CallOptions {
  /** Aborts the call, which then fails with INTERRUPTED; what had come is kept, so that the next call goes on from there. */
  readonly signal?: AbortSignal | undefined;
  /** Receives the events of this call: progress, warnings, notes. */
  readonly onEvent?: ((event: SkulkEvent) => void) | undefined;
  /** Receives only its progress. */
  readonly onProgress?: ((progress: ProgressEvent) => void) | undefined;
}

/** How models are staged. */
export interface StageOptions extends CallOptions {
  /** Make the copy again, even if it is complete. */
  readonly force?: boolean | undefined;
  /** Use only what is on this machine. */
  readonly offline?: boolean | undefined;
  /** Fetch from Hugging Face itself when the store cannot be reached. */
  readonly direct?: boolean | undefined;
  /** Bytes a second, all connections together. */
  readonly limitRate?: number | undefined;
  /** How long the copies stay in use afterwards, in milliseconds. */
  readonly keepMs?: number | undefined;
  /** Connections to the store at a time, 1 to 32. */
  readonly connections?: number | undefined;
}

/** How a program is run. */
export interface RunOptions extends CallOptions {
  /** Use only what is on this machine. */
  readonly offline?: boolean | undefined;
  /** Fetch from Hugging Face itself when the store cannot be reached. */
  readonly direct?: boolean | undefined;
  /** Bytes a second, all connections together. */
  readonly limitRate?: number | undefined;
  /** Where the program's output goes: to the streams of this process, which is the default, nowhere, or to a listener. */
  readonly output?: ProgramOutput | undefined;
}

/** How a directory or file is brought into the store. */
export interface AddOptions extends CallOptions {
  /** The id that the model gets. */
  readonly as: string;
  /** Move instead of copying. */
  readonly move?: boolean | undefined;
  /** The revision to note down. */
  readonly revision?: string | undefined;
  /** Replace a model that is there with other content. */
  readonly force?: boolean | undefined;
  /** Refuse what cannot be a model, instead of warning. */
  readonly strict?: boolean | undefined;
}

/** Which files of a repo are fetched. */
export interface FileOptions {
  /** Which weights, of a repo that has GGUF and safetensors; `all` is both. */
  readonly weights?: 'safetensors' | 'gguf' | 'all' | undefined;
  /** Only files that match one of these patterns, and what is named; `*` also stands for `/`. */
  readonly include?: readonly string[] | undefined;
  /** No files that match one of these patterns. */
  readonly exclude?: readonly string[] | undefined;
  /** Every file of the repo. */
  readonly whole?: boolean | undefined;
  /** The projector, as its path in the repo, or `all`. */
  readonly mmproj?: string | undefined;
}

/** What the store fetches from Hugging Face. */
export interface DownloadOptions extends CallOptions, FileOptions {
  /** The .gguf file to take, as its path in the repo. */
  readonly ggufFile?: string | undefined;
  /** A branch, tag or commit. */
  readonly revision?: string | undefined;
  /** Fail when what has come cannot be a model, instead of warning. */
  readonly strict?: boolean | undefined;
  /** Whether to wait for its end, which is the default. */
  readonly wait?: boolean | undefined;
}

/** Which copies of this machine go. */
export interface PurgeOptions extends CallOptions {
  /** Only this model, or these, or quantizations of them. */
  readonly model?: string | readonly string[] | undefined;
  /** Also copies that are in use. */
  readonly force?: boolean | undefined;
  /** Only say what would go. */
  readonly dryRun?: boolean | undefined;
}

/** Which copies of other machines go. */
export interface PurgeNodesOptions extends CallOptions {
  /** Every machine, or these by hostname or id. */
  readonly nodes: 'all' | readonly string[];
  readonly model?: string | readonly string[] | undefined;
  readonly force?: boolean | undefined;
}

/** How models are deleted. */
export interface DeleteOptions extends CallOptions {
  /** Also evict copies that are in use. */
  readonly force?: boolean | undefined;
}

/** What is hashed again. */
export interface VerifyOptions extends CallOptions {
  /** This machine's staged copies instead of the store. */
  readonly staging?: boolean | undefined;
  /** Mend what can be mended. */
  readonly repair?: boolean | undefined;
}

/** Only say what would be done. */
export interface DryRun {
  readonly dryRun: true;
}

/**
 * skulk in a program: the verbs of the command, with the documents that it prints with `--json` as results. A model is written as for the
 * command, `[org/]name[@revision][:selector]`. Every failure that skulk foresees is a `SkulkError` with a stable `code`.
 */
export interface Skulk extends AsyncDisposable {
  /** Makes verified local copies; `staged[n].path` is the directory of the n-th. */
  stage(models: string | readonly string[], options: StageOptions & DryRun): Promise<StagePlanReport>;
  stage(models: string | readonly string[], options?: StageOptions): Promise<StageReport>;
  /**
   * Stages a model and runs a program while the copy is in use. In the arguments `{path}`, `{gguf}`, `{mmproj}`, `{draft}` and `{model}`
   * are replaced, and `{{` is a brace; nothing is sent when the model has no such file.
   * An abort sends it SIGTERM, and the call ends when the program has.
   * @returns the program's exit status, 128 + n for a signal
   */
  run(model: string, command: string, args?: readonly string[], options?: RunOptions): Promise<{ readonly status: number }>;
  /** Brings a directory or a file into the store. */
  add(path: string, options: AddOptions): Promise<AddReport>;
  /** Has the store fetch a model from Hugging Face. */
  download(model: string, options?: DownloadOptions): Promise<FinishedDownload>;
  /** The store's downloads, with those that ended lately. */
  downloads(options?: CallOptions): Promise<{ readonly downloads: readonly DownloadStatus[] }>;
  /** How one download is. */
  downloadStatus(model: string, options?: CallOptions): Promise<DownloadStatus>;
  /** Stops a download; what came is kept. */
  cancelDownload(model: string, options?: CallOptions): Promise<DownloadStatus>;
  /** What the store holds; with tags, only the models that have them all. */
  registry(options?: CallOptions & { readonly tags?: readonly string[] | undefined }): Promise<RegistryList>;
  /** One model of the store. */
  show(model: string, options?: CallOptions): Promise<ShownModel>;
  /** This machine's copies. */
  staging(options?: CallOptions): Promise<StagingList>;
  /** Removes copies of this machine, or of others; canonical ones are never touched. */
  purge(options: PurgeNodesOptions): Promise<PurgedEverywhere>;
  purge(options?: PurgeOptions): Promise<PurgeReport>;
  /** Deletes models, or quantizations of them, from the store, and the copies of every machine. It does not ask. Nodes that are not done yet are in the result. */
  delete(models: string | readonly string[], options: DeleteOptions & DryRun): Promise<DeletionPlan & { readonly dry_run: true }>;
  delete(models: string | readonly string[], options?: DeleteOptions): Promise<Omit<DeletionReport, 'orders'>>;
  /** How the store is; fails with STORE_NOT_CONFIGURED or STORE_UNREACHABLE. */
  health(options?: CallOptions): Promise<Health>;
  /** Hashes models, or quantizations of them, again and compares; every one when none is named. Bad files are no failure: `ok` is false. */
  verify(models?: string | readonly string[], options?: VerifyOptions): Promise<VerifyReport>;
  /** Aborts the calls that still run and waits for their end. */
  close(): Promise<void>;
}
