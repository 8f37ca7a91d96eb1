import type { ProgressEvent, SkulkEvent } from '../core/kernel/flow/events.ts';
import type { ProgramOutput } from '../core/kernel/process/child-program.ts';
import type { AddReport } from '../core/operations/models/add/add-report.ts';
import type { DeletionReport } from '../core/operations/models/delete-models.ts';
import type { FinishedDownload } from '../core/operations/models/downloads.ts';
import type { DeletionPlan } from '../core/operations/models/plan-deletion.ts';
import type { PurgedEverywhere } from '../core/operations/nodes/purge-everywhere.ts';
import type { PurgeReport } from '../core/operations/nodes/purge-staging.ts';
import type { StagePlanReport, StageReport } from '../core/operations/stage/stage-report.ts';
import type { Health } from '../core/operations/store/check-health.ts';
import type { DownloadStatus } from '../core/protocol/downloads.ts';
import type { RegistryList } from '../core/protocol/models/entries.ts';
import type { ShownModel } from '../core/protocol/models/shown-model.ts';
import type { VerifyReport } from '../core/protocol/models/verify-report.ts';
import type { StagingList } from '../core/protocol/staging.ts';

/** The options of `openSkulk`; the defaults are those of the command `skulk` in this process. */
export interface OpenOptions {
  /** `SKULK_HOME`: the directory of this machine's own files. */
  readonly home?: string | undefined;
  /** The configuration file. */
  readonly config?: string | undefined;
  /** URL of the store. */
  readonly store?: string | undefined;
  /** Token for the store. */
  readonly token?: string | undefined;
  /** The environment, instead of that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** The base of relative paths. */
  readonly cwd?: string | undefined;
  /** Aborts every call. */
  readonly signal?: AbortSignal | undefined;
  /** Receives the events of every call. */
  readonly onEvent?: ((event: SkulkEvent) => void) | undefined;
}

/**
 * The options of every call. A listener that throws aborts its call, which then fails with that error. Events only come while the call is
 * running.
 */
export interface CallOptions {
  /** Aborts the call, which then fails with INTERRUPTED. Received data is kept, so that the next call can continue. */
  readonly signal?: AbortSignal | undefined;
  /** Receives the events of this call: progress, warnings, notes. */
  readonly onEvent?: ((event: SkulkEvent) => void) | undefined;
  /** Receives only its progress. */
  readonly onProgress?: ((progress: ProgressEvent) => void) | undefined;
}

/** How to stage models. */
export interface StageOptions extends CallOptions {
  /** Make the copy again, even if it is complete. */
  readonly force?: boolean | undefined;
  /** Use only local copies. */
  readonly offline?: boolean | undefined;
  /** Fetch from Hugging Face directly if the store is unreachable. */
  readonly direct?: boolean | undefined;
  /** Bytes per second, for all connections in total. */
  readonly limitRate?: number | undefined;
  /** Take models only from the store, and do not share them with other nodes. */
  readonly noSwarm?: boolean | undefined;
  /** How long the copies stay in use after this, in milliseconds. */
  readonly keepMs?: number | undefined;
  /** Simultaneous connections to the store, 1 to 32. */
  readonly connections?: number | undefined;
}

/** How to run a program. */
export interface RunOptions extends CallOptions {
  /** Use only local copies. */
  readonly offline?: boolean | undefined;
  /** Fetch from Hugging Face directly if the store is unreachable. */
  readonly direct?: boolean | undefined;
  /** Bytes per second, for all connections in total. */
  readonly limitRate?: number | undefined;
  /** Take models only from the store, and do not share them with other nodes. */
  readonly noSwarm?: boolean | undefined;
  /** The destination of the program's output: the streams of this process, which is the default, nowhere, or a listener. */
  readonly output?: ProgramOutput | undefined;
}

/** How to add a directory or a file to the store. */
export interface AddOptions extends CallOptions {
  /** The id of the new model. */
  readonly as: string;
  /** Move instead of copying. */
  readonly move?: boolean | undefined;
  /** The revision to record. */
  readonly revision?: string | undefined;
  /** Replace an existing model that has other content. */
  readonly force?: boolean | undefined;
  /** Reject an invalid model, instead of warning. */
  readonly strict?: boolean | undefined;
}

/** Which files of a repo to fetch. */
export interface FileOptions {
  /** Which weights, for a repo with GGUF and safetensors; `all` means both. */
  readonly weights?: 'safetensors' | 'gguf' | 'all' | undefined;
  /** Only files that match one of these patterns, and explicitly named ones; `*` also matches `/`. */
  readonly include?: readonly string[] | undefined;
  /** No files that match one of these patterns. */
  readonly exclude?: readonly string[] | undefined;
  /** Every file of the repo. */
  readonly whole?: boolean | undefined;
  /** The projector, as its path in the repo, or `all`. */
  readonly mmproj?: string | undefined;
}

/** A download of the store from Hugging Face. */
export interface DownloadOptions extends CallOptions, FileOptions {
  /** The .gguf file to take, as its path in the repo. */
  readonly ggufFile?: string | undefined;
  /** A branch, tag or commit. */
  readonly revision?: string | undefined;
  /** Fail if the received files cannot be a model, instead of warning. */
  readonly strict?: boolean | undefined;
  /** Whether to wait for its end (default). */
  readonly wait?: boolean | undefined;
}

/** Which copies of this machine to remove. */
export interface PurgeOptions extends CallOptions {
  /** Only this model, or these, or quantizations of them. */
  readonly model?: string | readonly string[] | undefined;
  /** Also copies in use. */
  readonly force?: boolean | undefined;
  /** Only return the plan. */
  readonly dryRun?: boolean | undefined;
}

/** Which copies of other machines to remove. */
export interface PurgeNodesOptions extends CallOptions {
  /** Every machine, or these by hostname or id. */
  readonly nodes: 'all' | readonly string[];
  readonly model?: string | readonly string[] | undefined;
  readonly force?: boolean | undefined;
}

/** How to delete models. */
export interface DeleteOptions extends CallOptions {
  /** Also evict copies in use. */
  readonly force?: boolean | undefined;
}

/** What to verify. */
export interface VerifyOptions extends CallOptions {
  /** This machine's staged copies instead of the store. */
  readonly staging?: boolean | undefined;
  /** Repair what can be repaired. */
  readonly repair?: boolean | undefined;
}

/** Only return the plan. */
export interface DryRun {
  readonly dryRun: true;
}

/**
 * skulk as a library: the operations of the commands, with the documents of `--json` as results. A model is written as for the command,
 * `[org/]name[@revision][:selector]`. Every expected failure is a `SkulkError` with a stable `code`.
 */
export interface Skulk extends AsyncDisposable {
  /** Makes verified local copies; `staged[n].path` is the directory of the n-th. */
  stage(models: string | readonly string[], options: StageOptions & DryRun): Promise<StagePlanReport>;
  stage(models: string | readonly string[], options?: StageOptions): Promise<StageReport>;
  /**
   * Stages a model and runs a program while the copy is in use. In the arguments `{path}`, `{gguf}`, `{mmproj}`, `{draft}` and `{model}`
   * are replaced, and `{{` is a brace; nothing is transferred if the model has no such file. An abort sends SIGTERM to the program, and
   * the call ends with the program.
   * @returns the program's exit status, 128 + n after a signal
   */
  run(model: string, command: string, args?: readonly string[], options?: RunOptions): Promise<{ readonly status: number }>;
  /** Adds a directory or a file to the store. */
  add(path: string, options: AddOptions): Promise<AddReport>;
  /** Lets the store download a model from Hugging Face. */
  download(model: string, options?: DownloadOptions): Promise<FinishedDownload>;
  /** The store's downloads, including recently finished ones. */
  downloads(options?: CallOptions): Promise<{ readonly downloads: readonly DownloadStatus[] }>;
  /** The status of one download. */
  downloadStatus(model: string, options?: CallOptions): Promise<DownloadStatus>;
  /** Cancels a download; received data is kept. */
  cancelDownload(model: string, options?: CallOptions): Promise<DownloadStatus>;
  /** The models in the store; with tags, only those with all of them. */
  registry(options?: CallOptions & { readonly tags?: readonly string[] | undefined }): Promise<RegistryList>;
  /** One model of the store. */
  show(model: string, options?: CallOptions): Promise<ShownModel>;
  /** This machine's copies. */
  staging(options?: CallOptions): Promise<StagingList>;
  /** Removes copies of this machine, or of others. Canonical copies are never touched. */
  purge(options: PurgeNodesOptions): Promise<PurgedEverywhere>;
  purge(options?: PurgeOptions): Promise<PurgeReport>;
  /**
   * Deletes models, or quantizations of them, from the store, and the copies on every machine. It does not ask. The result lists nodes
   * that have not finished yet.
   */
  delete(
    models: string | readonly string[],
    options: DeleteOptions & DryRun,
  ): Promise<Omit<DeletionPlan, 'known'> & { readonly dry_run: true }>;
  delete(models: string | readonly string[], options?: DeleteOptions): Promise<Omit<DeletionReport, 'orders' | 'known'>>;
  /** The health of the store; fails with STORE_NOT_CONFIGURED or STORE_UNREACHABLE. */
  health(options?: CallOptions): Promise<Health>;
  /** Hashes models, or quantizations of them, again and compares them; without models, all. Bad files are not an error: `ok` is false. */
  verify(models?: string | readonly string[], options?: VerifyOptions): Promise<VerifyReport>;
  /** Aborts running calls and waits for their end. */
  close(): Promise<void>;
}
