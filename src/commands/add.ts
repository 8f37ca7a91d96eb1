import { argument, defineCommand, flag, value } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { parseRevision } from '../core/kernel/model-id.ts';
import { formatBytes, plural } from '../core/kernel/units.ts';
import { parseNewModelId } from './model-arguments.ts';

const outcomes = { added: 'added', adopted: 'adopted where it lies', replaced: 'replaced', unchanged: 'was there already' } as const;

/** `skulk add`: bring a directory or a file into the store. */
export const add = defineCommand({
  name: 'add',
  summary: 'bring a model into the store',
  description: [
    'Takes a directory or a single file. Where the disk can, the files are cloned and take no extra room; elsewhere they are copied while they are hashed. A directory that already lies in its place in the store is adopted.',
    'On a machine that is not the store host the model is sent to the store, which checks every piece; run again after a break it sends only what is missing.',
    'A model that is there with other content is replaced only with --force.',
  ],
  arguments: { path: argument('the directory or file') },
  options: {
    as: value('the id that the model gets: org/name or name (required)', 'MODEL', { parse: parseNewModelId }),
    move: flag('move instead of copying; on one disk that is a rename'),
    revision: value('the revision to note down', 'REVISION', { parse: parseRevision }),
    force: flag('replace a model that is there with other content'),
    strict: flag(
      'refuse what cannot be a model instead of warning: pointers of Git LFS, web pages, empty or cut-off weights, missing shards',
    ),
  },
  examples: [
    ['add a directory', 'skulk add ./Qwen3-4B-4bit --as mlx-community/Qwen3-4B-4bit'],
    ['add one file and give up the original', 'skulk add Foo-Q5_K_M.gguf --as me/Foo-GGUF --move'],
  ],
  exits: ['not-found', 'store-unreachable', 'conflict', 'integrity', 'no-space'],
  run: async ({ path, as: modelId, move, revision, force, strict }, context) => {
    if (modelId === undefined)
      throw new SkulkError('USAGE', '"skulk add" needs --as MODEL', { hint: `e.g. skulk add ${path} --as org/name` });
    const deps = await context.deps();
    const { addModel } = await import('../core/operations/models/add.ts');
    return addModel(deps, { path, modelId, move, force, strict, ...(revision !== undefined && { revision }) });
  },
  text: ({ model_id, outcome, files, total_bytes, bytes_copied, seconds, digest, skipped }) => [
    `${model_id}: ${outcomes[outcome]}, ${plural(files.length, 'file')}, ${formatBytes(total_bytes)}${bytes_copied > 0 ? `, ${formatBytes(bytes_copied)} written in ${seconds.toFixed(1)} s` : ''}`,
    `digest sha256:${digest}`,
    ...skipped.map(({ path, why }) => `left out ${path}: ${why}`),
    `next: skulk stage ${model_id}`,
  ],
});
