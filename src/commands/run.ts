import { defineCommand, flag, rate, variadic } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { modelArgument } from './model-arguments.ts';

/** `skulk run`: run a program while a verified copy is in use. */
export const run = defineCommand({
  name: 'run',
  summary: 'stage a model and run a program on it',
  description: [
    'Stages the model, then runs the program. Until the program ends, the copy and its companions are in use: nothing evicts or replaces them. Afterwards, idle copies that exceed the budget (staging_keep_recent_gb) are evicted.',
    "In the program's arguments, {path} is replaced by the directory of the copy and {gguf} by the GGUF file to load (the first shard). {mmproj} is its projector, {draft} its draft model or MTP head, and {model} the model id; write {{ for a brace. Other words in braces are passed on unchanged. If the model has no such file, the command fails before anything is sent. The program also gets SKULK_MODEL_PATH, SKULK_GGUF_FILE, SKULK_MMPROJ_FILE and SKULK_MODEL_ID.",
    "Signals, standard input and output are passed through, and the exit status is the program's. If skulk itself is killed, the program continues and the copy stays in use until it ends.",
    'With --hf nothing is staged. The program starts with HF_ENDPOINT set to the server of this machine, or else to the store, and uses it like Hugging Face. It gets no Hugging Face token; if the store needs a token, HF_TOKEN is that token (see skulk-env(1)). Only {model} is replaced in its arguments.',
  ],
  arguments: {
    model: modelArgument(),
    program: variadic('the program and its arguments', { parse: (text) => text, afterDashes: true }),
  },
  options: {
    hf: flag('stage nothing; the program uses the store as its Hub'),
    offline: flag('use only files on this machine'),
    direct: flag('download from Hugging Face directly if the store cannot be reached'),
    limitRate: rate('limit the transfer to this many bytes per second, e.g. 100M'),
    noSwarm: flag('take the model only from the store, and do not share it with other nodes'),
  },
  examples: [
    ['serve a GGUF model', 'skulk run me/Foo-GGUF -- llama-server -m {gguf} --port 8080'],
    ['one quantization, with its projector', 'skulk run me/Foo-GGUF:Q5_K_M -- llama-server -m {gguf} --mmproj {mmproj}'],
    ['run a script on the directory', 'skulk run mlx-community/Qwen3-4B-4bit -- python3 generate.py --model {path}'],
    ['a program that takes the name of a model', 'skulk run --hf Qwen/Qwen3-8B -- vllm serve {model}'],
  ],
  exits: ['not-found', 'store-unreachable', 'conflict', 'integrity', 'no-space', 'hub', 'not-executable', 'no-program', 'program'],
  run: async ({ model: ref, program: command, hf, offline, direct, limitRate, noSwarm }, context) => {
    if (hf && (offline || direct || noSwarm || limitRate !== undefined))
      throw new SkulkError('USAGE', '--hf stages nothing, so --offline, --direct, --limit-rate and --no-swarm cannot be combined with it');
    const deps = await context.deps();
    if (hf) {
      const { runWithHub } = await import('../core/operations/programs/run-with-hub.ts');
      return runWithHub(deps, { ref, command, takeSignals: context.takeSignals });
    }
    const { runModel } = await import('../core/operations/stage/run-model.ts');
    return runModel(deps, { ref, command, offline, direct, limitRate, noSwarm, takeSignals: context.takeSignals });
  },
  text: () => [],
  json: () => undefined,
  status: ({ status }) => status,
});
