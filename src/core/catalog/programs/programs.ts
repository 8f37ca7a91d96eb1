import type { KindFile } from '../selection/file-kind.ts';

/** The programs for which skulk knows the commands, in the order of display. */
export const programNames = ['transformers', 'vllm', 'llama-server', 'ollama', 'lmstudio', 'mlx', 'hf', 'curl'] as const;
export type ProgramName = (typeof programNames)[number];

/** The display name of each program. */
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

/** A model for a program to load. */
export interface UsedModel {
  readonly modelId: string;
  /** The selected quantization; if undefined, the best one. */
  readonly selector?: string | undefined;
  /** The store's files of it; sizes in bytes. */
  readonly files: readonly (KindFile & { readonly size: number | null })[];
  /** As in `Traits`. */
  readonly tags?: readonly string[];
  /** The model from which it was made. */
  readonly baseModel?: string | null;
}

/** The server for a program. */
export interface Endpoint {
  /** E.g. `http://192.168.1.10:58080`, without a trailing slash; undefined without a running server. */
  readonly address: string | undefined;
  /** Why it cannot be used, as a clause; undefined if it can. */
  readonly problem?: string | undefined;
  /** Whether it requires a skulk token for reading. */
  readonly needsToken: boolean;
}

/** One way to run a program with a model. */
export interface Way {
  /** The lines for a POSIX shell; undefined if this way does not work. */
  readonly lines?: readonly string[];
  /** Why it does not work, as a sentence. */
  readonly problem?: string;
}

/** The commands for a program. */
export interface ProgramUse {
  readonly program: ProgramName;
  readonly title: string;
  /** The program uses the store itself; its machine does not need skulk. */
  readonly hub: Way;
  /** The program gets a verified copy that skulk makes on its machine. */
  readonly staged: Way;
  /** The most common mistake, as a sentence. */
  readonly pitfall: string;
}
