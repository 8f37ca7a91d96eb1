import { shellWord } from '../../kernel/shell-word.ts';
import type { GgufChoice, ModelFacts } from './facts.ts';
import type { Endpoint, Way } from './programs.ts';

/** The size limit of huggingface_hub over plain HTTP; in bytes (docs/recipes/hf.md). */
export const hubClientLimit = 50_000_000_000;

/** Why a way does not work: the first given reason, if any. */
export const firstOf = (...reasons: readonly (string | false | undefined)[]): string | undefined =>
  reasons.find((reason) => typeof reason === 'string') || undefined;

/** The lines, unless a problem prevents them from working. */
export const wayOf = (problem: string | undefined, lines: () => readonly string[]): Way =>
  problem === undefined ? { lines: lines() } : { problem };

/** Why a server cannot be used, whatever the program. */
export const noEndpoint = ({ address, problem }: Endpoint): string | undefined =>
  problem !== undefined
    ? `${problem[0]?.toUpperCase() ?? ''}${problem.slice(1)}.`
    : address === undefined
      ? 'No skulk server is running on this machine; start one with `skulk serve`.'
      : undefined;

/** Why a client based on huggingface_hub cannot fetch a model. */
export const tooLargeForHubClient = ({ largest }: ModelFacts): string | undefined =>
  largest !== undefined && largest.size > hubClientLimit
    ? `${largest.path} has ${(largest.size / 1e9).toFixed(0)} GB, and huggingface_hub downloads no file above 50 GB from a store; use \`skulk stage\` or curl.`
    : undefined;

/**
 * A program that reads HF_ENDPOINT, with its environment: the store, and either the store's token, or nothing that would send a Hugging
 * Face token there.
 * @param hasOwnTokenRule whether it is llama.cpp, which only reads HF_TOKEN
 */
export function askingHub({ address = '', needsToken }: Endpoint, program: string, { hasOwnTokenRule = false } = {}): readonly string[] {
  const token = needsToken ? 'HF_TOKEN="$SKULK_TOKEN"' : hasOwnTokenRule ? 'HF_TOKEN=' : 'HF_HUB_DISABLE_IMPLICIT_TOKEN=1';
  return [`HF_ENDPOINT=${shellWord(address)} ${token} \\`, `  ${program}`];
}

/** Runs a program with a copy that is in use while it runs. */
export const running = (ref: string, program: string): readonly string[] => [`skulk run ${shellWord(ref)} -- \\`, `  ${program}`];

/** A text as a Python literal; Python accepts JSON's format. */
export const pythonText = (text: string): string => JSON.stringify(text);

/** A Python script in one line. */
export const python = (script: string): string => `python3 -c '${script.replaceAll("'", "'\\''")}'`;

/** Why a program needs GGUF weights, if there are none. */
export const wantsGguf = (program: string, { format, modelId }: ModelFacts): string | undefined =>
  format === 'gguf' ? undefined : `${program} loads GGUF weights, and ${modelId} has none.`;

/** The quantization, after an earlier check has made sure that there is one. */
export const withGguf = ({ gguf, modelId }: ModelFacts): GgufChoice => {
  if (gguf === undefined) throw new Error(`${modelId} has no GGUF weights`);
  return gguf;
};
