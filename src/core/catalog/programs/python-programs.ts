import { shellWord } from '../../kernel/shell-word.ts';
import type { ModelFacts } from './facts.ts';
import { askingHub, firstOf, noEndpoint, python, pythonText, running, tooLargeForHubClient, wayOf } from './lines.ts';
import type { Endpoint, ProgramUse } from './programs.ts';

type Use = Omit<ProgramUse, 'program' | 'title'>;

const forMlxAlone = ({ isMlx, modelId }: ModelFacts): string | undefined =>
  isMlx ? `The weights of ${modelId} are quantized for MLX, and only MLX loads them.` : undefined;

const noWeights = ({ format, modelId }: ModelFacts): string | undefined =>
  format === 'other' ? `${modelId} has no weights that this program can load.` : undefined;

/** The Python library, in a script of one line. */
export function useTransformers(model: ModelFacts, endpoint: Endpoint): Use {
  const problem = firstOf(
    noWeights(model),
    forMlxAlone(model),
    model.gguf?.isSplit === true && 'transformers cannot load a split GGUF file.',
  );
  return {
    hub: wayOf(firstOf(problem, noEndpoint(endpoint), tooLargeForHubClient(model)), () =>
      askingHub(endpoint, python(script(model, pythonText(model.modelId)))),
    ),
    // In `skulk run`, two braces mean one.
    staged: wayOf(problem, () => running(model.ref, `${python(script(model, 'sys.argv[1]').replaceAll('{', '{{'))} {path}`)),
    pitfall:
      model.format === 'gguf'
        ? 'transformers converts GGUF weights to full precision, which takes several times their size in memory.'
        : 'HF_ENDPOINT must be set before Python imports the library; setting it in the script is too late.',
  };
}

/** Loads a model, whose name is a Python expression, and shows that it works. */
function script({ gguf, tags }: ModelFacts, name: string): string {
  const imports = name.startsWith('sys.') ? 'import sys; ' : '';
  if (gguf !== undefined) {
    const file = `gguf_file=${pythonText(gguf.file)}`;
    return `${imports}from transformers import AutoModelForCausalLM, AutoTokenizer; tokenizer = AutoTokenizer.from_pretrained(${name}, ${file}); model = AutoModelForCausalLM.from_pretrained(${name}, ${file}); print(model.config)`;
  }
  const task = tags.includes('embedding') ? 'feature-extraction' : tags.includes('vision') ? 'image-text-to-text' : 'text-generation';
  const first = task === 'image-text-to-text' ? 'print(model.model.config)' : 'print(model("Hello"))';
  return `${imports}from transformers import pipeline; model = pipeline("${task}", ${name}); ${first}`;
}

/** The server of vLLM. */
export function useVllm(model: ModelFacts, endpoint: Endpoint): Use {
  const { gguf, modelId, baseModel } = model;
  const problem = firstOf(noWeights(model), forMlxAlone(model), gguf?.isSplit === true && 'vLLM cannot load a split GGUF file.');
  const name = `--served-model-name ${shellWord(modelId)}`;
  const tokenizer = gguf === undefined || baseModel === undefined ? '' : ` --tokenizer ${shellWord(baseModel)}`;
  return {
    hub: wayOf(
      firstOf(
        problem,
        noEndpoint(endpoint),
        tooLargeForHubClient(model),
        gguf !== undefined && gguf.tag === undefined && `vLLM selects a quantization by its label, and ${gguf.file} has none.`,
      ),
      () => askingHub(endpoint, `vllm serve ${shellWord(gguf === undefined ? modelId : `${modelId}:${gguf.tag ?? ''}`)}${tokenizer}`),
    ),
    staged: wayOf(problem, () => running(model.ref, `vllm serve ${gguf === undefined ? '{path}' : '{gguf}'} ${name}${tokenizer}`)),
    pitfall:
      gguf === undefined
        ? '--download-dir is a cache, not the directory of a model; to load a directory, use its path instead of the model name.'
        : 'GGUF in vLLM is slow and experimental. Newer versions need vllm-gguf-plugin, and --tokenizer should name the original model.',
  };
}

/** Apple's MLX. */
export function useMlx(model: ModelFacts, endpoint: Endpoint): Use {
  const problem = firstOf(model.format !== 'safetensors' && `MLX loads safetensors, and ${model.modelId} has none.`);
  return {
    hub: wayOf(firstOf(problem, noEndpoint(endpoint), tooLargeForHubClient(model)), () =>
      askingHub(endpoint, `mlx_lm.generate --model ${shellWord(model.modelId)} --prompt Hello`),
    ),
    staged: wayOf(problem, () => running(model.ref, 'mlx_lm.server --model {path} --port 8080')),
    pitfall: 'MLX needs a Mac with Apple silicon. If MLXLM_USE_MODELSCOPE is set, it downloads from ModelScope, not from the store.',
  };
}

/** The command line of huggingface_hub. */
export function useHf(model: ModelFacts, endpoint: Endpoint): Use {
  const { modelId, gguf, files } = model;
  const named = gguf === undefined ? [] : files.map(({ path }) => shellWord(path));
  return {
    hub: wayOf(firstOf(noEndpoint(endpoint), tooLargeForHubClient(model)), () =>
      askingHub(
        endpoint,
        ['hf download', ...(named.some((name) => name.startsWith('-')) ? ['--'] : []), shellWord(modelId), ...named].join(' '),
      ),
    ),
    staged: { problem: 'hf only downloads. `skulk stage` also verifies the files.' },
    pitfall: 'HF_HUB_OFFLINE=1 blocks all requests, including those to a store on the LAN.',
  };
}
