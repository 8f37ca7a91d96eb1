import type { ErrorCode } from '../kernel/errors.ts';

/** The programs that make a smaller variant of a model; docs/optimize.md lists their inputs and outputs. */
export const engineNames = ['llama', 'optiq', 'mlx'] as const;
/** The default number of bits per weight, without a type. */
export const defaultBpw = 4.5;

export type EngineName = (typeof engineNames)[number];

/** Where to search for engines. */
export interface EngineSearch {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly homeDirectory: string;
  readonly signal: AbortSignal;
}

/** An engine on this machine. */
export interface FoundEngine {
  readonly name: EngineName;
  /** An absolute path. */
  readonly program: string;
  /** Null if the program does not report it. */
  readonly version: string | null;
  /** The options and types that the program reports; empty if it is not asked. */
  readonly abilities: ReadonlySet<string>;
}

/** A file of the source model. */
export interface SourceFile {
  /** The path in the model. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
}

/** The request for a variant. */
export interface EngineRequest {
  /** The directory of the source, an absolute path; an engine never writes there. */
  readonly directory: string;
  readonly files: readonly SourceFile[];
  /** The selected weights of the source, if it has several quantizations. */
  readonly selector?: string | undefined;
  /** The name of the model, for the names of files. */
  readonly baseName: string;
  /** The maximum bits per weight. */
  readonly targetBpw?: number | undefined;
  /** The engine's own name: `Q4_K_M`, `4bit`. */
  readonly type?: string | undefined;
  /** The bit widths from which an engine may choose for each layer. */
  readonly candidateBits?: readonly number[] | undefined;
  /** Whether quantized weights may be quantized again. */
  readonly allowRequantize?: boolean | undefined;
}

/** The variant that would be made; sizes in bytes. */
export interface EnginePlan {
  readonly type: string;
  /** The engine's input: a file or a directory, as an absolute path. */
  readonly input: string;
  /** The paths of the source files, weights first. */
  readonly sourceFiles: readonly string[];
  /** The size of the source's weights, for the progress. */
  readonly sourceBytes: number;
  /** Bits per weight of the result. */
  readonly bits: number;
  /** The size of the result's weights. */
  readonly bytes: number;
  /** Whether the engine itself computed `bits` and `bytes`. */
  readonly isExact: boolean;
  /** The disk space of the work, including the result. */
  readonly roomBytes: number;
  /** The memory that the engine will probably need. */
  readonly memoryBytes: number;
  readonly warnings: readonly string[];
  /** The arguments that affect the result, without paths and threads. */
  readonly arguments: readonly string[];
  /** The importance matrix of the source, if one is used: its path in the source, and its absolute path. */
  readonly matrix?: { readonly path: string; readonly absolute: string } | undefined;
  /** The suffix of the variant's id. */
  readonly suffix: string;
  /** Whether a `-GGUF` at the end of the source's name moves behind the suffix. */
  readonly isGguf: boolean;
  /** The name of the result, if it is a single file. */
  readonly outputFile?: string | undefined;
}

/** The directories of a run. The work directory contains what an interrupted run of the same plan left. */
export interface RunPlace {
  readonly work: string;
  readonly threads: number;
}

/** The meaning of a line of an engine's output. */
export type EngineNews =
  /** More bytes of the source have been processed. */
  | { readonly is: 'bytes'; readonly bytes: number; readonly message: string }
  /** The current activity; `fraction` of the whole work has been done, if known. */
  | { readonly is: 'phase'; readonly message: string; readonly fraction?: number }
  | { readonly is: 'warning'; readonly message: string }
  /** Bits per weight of the result. */
  | { readonly is: 'bits'; readonly bits: number };

/** Why an engine failed, according to its last lines. */
export interface EngineFailure {
  readonly code: ErrorCode;
  /** A part of a sentence. */
  readonly reason: string;
  readonly hint: string;
}

/** Runs a short program without a result on the disk. @returns its output, line by line, and its exit status */
export type Ask = (program: string, args: readonly string[]) => Promise<{ readonly status: number; readonly lines: readonly string[] }>;

/** A program that makes a smaller variant of a model. It only deals with processes and files, not with stores. */
export interface Engine {
  readonly name: EngineName;
  /** Whether it accepts a type; otherwise only bits. */
  readonly takesTypes: boolean;
  /** What to install if it is missing. */
  readonly install: string;
  /** Whether the platform can run it, or why not. */
  fits(machine: Pick<EngineSearch, 'platform' | 'arch'>): true | string;
  /** Its program and version; undefined if it is not installed. Throws ENGINE_NOT_FOUND if the environment selects an unusable program. */
  find(where: EngineSearch, ask: Ask): Promise<FoundEngine | undefined>;
  /** Whether it can read these files, or why not. */
  accepts(files: readonly SourceFile[]): true | string;
  /** Plans a variant. Throws BAD_REQUEST, CONFLICT for weights that are already quantized, INTEGRITY for unreadable weights. */
  plan(found: FoundEngine, request: EngineRequest, ask: Ask): Promise<EnginePlan>;
  /** Prepares a work directory for a run. */
  prepare(place: RunPlace, plan: Pick<EnginePlan, 'matrix'>): Promise<void>;
  /** The arguments of a run. Pure. */
  command(plan: EnginePlan, place: RunPlace): readonly string[];
  /** Parses a line of its output. Pure. */
  read(line: string): EngineNews | undefined;
  /** Explains a failure from its last lines. Pure. */
  explain(lines: readonly string[], status: number): EngineFailure;
  /** The directory of the result after a run, and the bits that the engine wrote down. Throws INTEGRITY. */
  collect(place: Pick<RunPlace, 'work'>): Promise<{ readonly directory: string; readonly bits?: number | undefined }>;
}
