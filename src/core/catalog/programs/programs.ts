/** The programs for which skulk knows the lines to type, in the order in which they are shown. */
export const programNames = ['transformers', 'vllm', 'llama-server', 'ollama', 'lmstudio', 'mlx', 'hf', 'curl'] as const;
export type ProgramName = (typeof programNames)[number];

/** How each program is called where people read of it. */
export const programTitles: Readonly<Record<ProgramName, string>> = {
  transformers: 'transformers',
  vllm: 'vLLM',
  'llama-server': 'llama-server',
  ollama: 'Ollama',
  lmstudio: 'LM Studio',
  mlx: 'MLX',
  hf: 'hf',
  curl: 'curl',
};

/** A model that a program is to load. */
export interface UsedModel {
  readonly modelId: string;
  /** The quantization that is meant; the best one of the files when undefined. */
  readonly selector?: string | undefined;
  /** What the store has of it; sizes in bytes. */
  readonly files: readonly { readonly path: string; readonly size: number | null }[];
  /** As `Traits` says them. */
  readonly tags?: readonly string[];
  /** The model that it was made from; whatever the files say. */
  readonly baseModel?: string | null;
}

/** The server that a program asks. */
export interface Endpoint {
  /** As `http://192.168.1.10:58080`, without a slash at its end; undefined where no server runs. */
  readonly address: string | undefined;
  /** Why nothing can be asked there, as a clause; undefined where something can. */
  readonly problem?: string | undefined;
  /** Whether it wants a token of skulk from those who only read. */
  readonly needsToken: boolean;
}

/** One way to run a program on a model. */
export interface Way {
  /** What to type in a POSIX shell, a line each; undefined where this way does not work. */
  readonly lines?: readonly string[];
  /** Why it does not work, as a sentence. */
  readonly problem?: string;
}

/** What to type for a program. */
export interface ProgramUse {
  readonly program: ProgramName;
  readonly title: string;
  /** The program asks the store itself; its machine needs no skulk. */
  readonly hub: Way;
  /** The program gets a verified copy that skulk makes on its machine. */
  readonly staged: Way;
  /** What goes wrong most, as a sentence. */
  readonly pitfall: string;
}
