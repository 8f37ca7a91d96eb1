import { useCurl } from './curl.ts';
import { type ModelFacts, readFacts } from './facts.ts';
import { useLlamaServer, useLmStudio, useOllama } from './gguf-programs.ts';
import { type Endpoint, type ProgramName, type ProgramUse, programNames, programTitles, type UsedModel, type Way } from './programs.ts';
import { useHf, useMlx, useTransformers, useVllm } from './python-programs.ts';

const uses: Readonly<Record<ProgramName, (model: ModelFacts, endpoint: Endpoint) => Omit<ProgramUse, 'program' | 'title'>>> = {
  transformers: useTransformers,
  vllm: useVllm,
  'llama-server': useLlamaServer,
  ollama: useOllama,
  lmstudio: useLmStudio,
  mlx: useMlx,
  hf: useHf,
  curl: useCurl,
};

/**
 * The commands of every program for a model at a server, or why there are none. This is their only source: commands, the page and
 * docs/recipes use it. Everything from outside is quoted for a POSIX shell. Pure, and independent of Node.
 */
export function listUses(model: UsedModel, endpoint: Endpoint): readonly ProgramUse[] {
  const facts = readFacts(model);
  return programNames.map((program) => {
    const { hub, staged, pitfall } = uses[program](facts, endpoint);
    return { program, title: programTitles[program], hub: inOneLine(hub), staged: inOneLine(staged), pitfall };
  });
}

/** A reason may contain a file name. If it is printed as a comment, it must not start another line. */
const inOneLine = (way: Way): Way =>
  way.problem === undefined ? way : { problem: way.problem.replaceAll(/\p{Cc}|[\u2028\u2029]/gu, '?') };

/** The quantization in the commands; undefined for a model without GGUF weights. Pure. */
export const usedSelector = (model: UsedModel): string | undefined => readFacts(model).gguf?.selector;
