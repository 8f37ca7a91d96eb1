import { defineCommand, flag, rate, variadic } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { modelArgument } from './model-arguments.ts';

/** `skulk run`: run a program while a verified copy is in use. */
export const run = defineCommand({
  name: 'run',
  summary: 'stage a model and run a program on it',
  description: [
    'Stages the model, then runs the program; until it ends, the copy and its companions are in use: nothing evicts or replaces them. Afterwards idle copies are evicted as the budget says (staging_keep_recent_gb).',
    "In the program's arguments {path} stands for the directory of the copy, {gguf} for the GGUF file to load (the first shard), {mmproj} for its projector, {draft} for its draft model or MTP head, or that of the model's card, and {model} for the model id; {{ is a brace. Nothing is sent when the model has no such file. The program finds the same in SKULK_MODEL_PATH, SKULK_GGUF_FILE, SKULK_MMPROJ_FILE and SKULK_MODEL_ID.",
    "Signals are passed on, standard input and output are the program's, and so is the exit status. If skulk itself is killed, the program goes on and the copy stays in use until it ends.",
    "With --hf nothing is staged: the program is started with HF_ENDPOINT set, and asks the server of this machine, else the store, as it would ask Hugging Face. It gets no token of Hugging Face, and the store's own token in HF_TOKEN only where the store wants one (see skulk-env(1)). Of the words in braces only {model} stands for something.",
  ],
  arguments: {
    model: modelArgument(),
    command: variadic('the program and its arguments', { parse: (text) => text, afterDashes: true }),
  },
  options: {
    hf: flag('stage nothing; the program asks the store as its Hub'),
    offline: flag('use only what is on this machine'),
    direct: flag('fetch from Hugging Face itself when the store cannot be reached'),
    limitRate: rate('take at most this many bytes a second, e.g. 100M'),
  },
  examples: [
    ['serve a GGUF model', 'skulk run me/Foo-GGUF -- llama-server -m {gguf} --port 8080'],
    ['one quantization, with its projector', 'skulk run me/Foo-GGUF:Q5_K_M -- llama-server -m {gguf} --mmproj {mmproj}'],
    ['run a script on the directory', 'skulk run mlx-community/Qwen3-4B-4bit -- python3 generate.py --model {path}'],
    ['a program that takes the name of a model', 'skulk run --hf Qwen/Qwen3-8B -- vllm serve {model}'],
  ],
  exits: ['not-found', 'store-unreachable', 'conflict', 'integrity', 'no-space', 'hub', 'not-executable', 'no-program', 'program'],
  run: async ({ model: ref, command, hf, offline, direct, limitRate }, context) => {
    if (hf && (offline || direct || limitRate !== undefined))
      throw new SkulkError('USAGE', '--hf stages nothing, so --offline, --direct and --limit-rate cannot be combined with it');
    const deps = await context.deps();
    if (hf) {
      const { runWithHub } = await import('../core/operations/programs/run-with-hub.ts');
      return runWithHub(deps, { ref, command, takeSignals: context.takeSignals });
    }
    const { runModel } = await import('../core/operations/stage/run-model.ts');
    return runModel(deps, { ref, command, offline, direct, limitRate, takeSignals: context.takeSignals });
  },
  text: () => [],
  json: () => undefined,
  status: ({ status }) => status,
});
