import type { ErrorCode } from '../kernel/errors.ts';

/** The programs that make a smaller variant of a model; what each takes and gives is in docs/optimize.md. */
export const engineNames = ['llama', 'optiq', 'mlx'] as const;
/** Bits per weight, where neither they nor a type are named. */
export const defaultBpw = 4.5;

export type EngineName = (typeof engineNames)[number];

/** Where engines are looked for. */
export interface EngineSearch {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly homeDirectory: string;
  readonly signal: AbortSignal;
}

/** An engine of this machine. */
export interface FoundEngine {
  readonly name: EngineName;
  /** An absolute path. */
  readonly program: string;
  /** Null where the program does not say it. */
  readonly version: string | null;
  /** What the program says that it can do: options and types; empty where it is not asked. */
  readonly abilities: ReadonlySet<string>;
}

/** A file of the model that a variant is made of. */
export interface SourceFile {
  /** In the model. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
}

/** What a variant is to be like. */
export interface EngineRequest {
  /** The directory of the source, an absolute path; an engine never writes there. */
  readonly directory: string;
  readonly files: readonly SourceFile[];
  /** Which weights of the source are meant, where it has several quantizations. */
  readonly selector?: string | undefined;
  /** The name of the model, for files that are called after it. */
  readonly baseName: string;
  /** Bits per weight, at most. */
  readonly targetBpw?: number | undefined;
  /** As the engine calls it: `Q4_K_M`, `4bit`. */
  readonly type?: string | undefined;
  /** The widths that an engine may choose among for each layer. */
  readonly candidateBits?: readonly number[] | undefined;
  /** Whether weights that are quantized already may be quantized again. */
  readonly allowRequantize?: boolean | undefined;
}

/** What would be made; sizes in bytes. */
export interface EnginePlan {
  readonly type: string;
  /** What the engine reads: a file or a directory, as an absolute path. */
  readonly input: string;
  /** The paths in the source of the files that are read, weights first. */
  readonly sourceFiles: readonly string[];
  /** Of the weights; progress counts them. */
  readonly sourceBytes: number;
  /** Bits per weight of the result. */
  readonly bits: number;
  /** Of the result's weights. */
  readonly bytes: number;
  /** Whether the engine itself has computed `bits` and `bytes`. */
  readonly isExact: boolean;
  /** What the work takes on the disk, the result included. */
  readonly roomBytes: number;
  /** What the engine is expected to need of memory. */
  readonly memoryBytes: number;
  readonly warnings: readonly string[];
  /** The arguments that decide what comes out, without paths and threads. */
  readonly arguments: readonly string[];
  /** The importance matrix of the source, where one is used: its path in the source, and where it is. */
  readonly matrix?: { readonly path: string; readonly absolute: string } | undefined;
  /** What the id of the variant gets at its end. */
  readonly suffix: string;
  /** Whether the name of the source loses its `-GGUF` before, and gets it back at the end. */
  readonly isGguf: boolean;
  /** The file of the result, where it is one. */
  readonly outputFile?: string | undefined;
}

/** Where a run may write. The work directory holds what an interrupted run of the same plan left. */
export interface RunPlace {
  readonly work: string;
  readonly threads: number;
}

/** What a line of an engine's output says. */
export type EngineNews =
  /** So many more bytes of the source are done. */
  | { readonly is: 'bytes'; readonly bytes: number; readonly message: string }
  /** What it does now; `fraction` of the whole work lies behind it, where that is known. */
  | { readonly is: 'phase'; readonly message: string; readonly fraction?: number }
  | { readonly is: 'warning'; readonly message: string }
  /** Bits per weight of the result. */
  | { readonly is: 'bits'; readonly bits: number };

/** Why an engine failed, as its last lines tell. */
export interface EngineFailure {
  readonly code: ErrorCode;
  /** A part of a sentence. */
  readonly reason: string;
  readonly hint: string;
}

/** Runs a program to its end, without a result on the disk. @returns what it printed, line by line, and its exit status */
export type Ask = (program: string, args: readonly string[]) => Promise<{ readonly status: number; readonly lines: readonly string[] }>;

/** A program that makes a smaller variant of a model. It knows processes and files, not stores. */
export interface Engine {
  readonly name: EngineName;
  /** Whether a type can be named; else it decides by bits alone. */
  readonly takesTypes: boolean;
  /** What to install where it is missing. */
  readonly install: string;
  /** Whether the platform can run it, or why not. */
  fits(machine: Pick<EngineSearch, 'platform' | 'arch'>): true | string;
  /**
   * Where it is, and which version; undefined when this machine lacks it.
   * Throws ENGINE_NOT_FOUND when the environment names a program that cannot be it.
   */
  find(where: EngineSearch, ask: Ask): Promise<FoundEngine | undefined>;
  /** Whether it can work on these files, or why not. */
  accepts(files: readonly SourceFile[]): true | string;
  /** What would be made. Throws BAD_REQUEST, CONFLICT for weights that are quantized already, INTEGRITY for weights that it cannot read. */
  plan(found: FoundEngine, request: EngineRequest, ask: Ask): Promise<EnginePlan>;
  /** Makes a work directory ready for a run. */
  prepare(place: RunPlace, plan: Pick<EnginePlan, 'matrix'>): Promise<void>;
  /** The arguments of a run. Pure. */
  command(plan: EnginePlan, place: RunPlace): readonly string[];
  /** What a line of its output says. Pure. */
  read(line: string): EngineNews | undefined;
  /** What its last lines say of a failure. Pure. */
  explain(lines: readonly string[], status: number): EngineFailure;
  /** The directory in which the result lies after a run, and what the engine itself wrote of it. Throws INTEGRITY. */
  collect(place: Pick<RunPlace, 'work'>): Promise<{ readonly directory: string; readonly bits?: number | undefined }>;
}
