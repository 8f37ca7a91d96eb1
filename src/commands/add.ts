import { argument, aside, defineCommand, flag, sentence, value } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { parseRevision } from '../core/kernel/model-id.ts';
import { formatBytes, plural } from '../core/kernel/units.ts';
import { parseNewModelId } from './model-arguments.ts';

const outcomes = { added: 'added', adopted: 'adopted in place', replaced: 'replaced', unchanged: 'already there' } as const;

/** `skulk add`: add a directory or a file to the store. */
export const add = defineCommand({
  name: 'add',
  summary: 'add a model to the store',
  description: [
    'Takes a directory or a single file. Where the file system supports it, files are cloned and take no extra space; otherwise they are hashed and copied. A directory that is already in its place in the store is adopted.',
    'On any other machine, and as another user of the store host, the model is sent to the server, which verifies every piece. After an interruption, run the same command again: it sends only missing pieces.',
    'A model that exists with different content is replaced only with --force.',
    'A model card becomes a file of the model, <org>--<name>.toml. A card that the Python program kept beside the files is used without this option.',
  ],
  arguments: { path: argument('the directory or file') },
  options: {
    as: value('the id of the model: org/name or name (required)', 'MODEL', { parse: parseNewModelId }),
    move: flag('move the files instead of copying them; on the same disk this is a rename'),
    card: value('the model card: a TOML file, or an installed-card.json of the Python program', 'FILE'),
    revision: value('the revision to record', 'REVISION', { parse: parseRevision }),
    force: flag('replace a model that exists with different content'),
    strict: flag(
      'fail instead of warning about files that cannot be loaded: Git LFS pointers, web pages, empty or truncated weights, missing shards',
    ),
  },
  examples: [
    ['add a directory', 'skulk add ./Qwen3-4B-4bit --as mlx-community/Qwen3-4B-4bit'],
    ['add a model with its card', 'skulk add ./Foo-4bit --as me/Foo-4bit --card cards/me--Foo-4bit.toml'],
    ['add one file and remove the original', 'skulk add Foo-Q5_K_M.gguf --as me/Foo-GGUF --move'],
  ],
  exits: ['not-found', 'store-unreachable', 'conflict', 'integrity', 'no-space'],
  ifTooMany: 'the id of the model follows --as, and each model needs a command of its own: skulk add PATH --as org/name',
  whenInterrupted: 'run the command again: an upload continues, and a local copy starts from the beginning',
  run: async ({ path, as: modelId, move, revision, force, strict, card }, context) => {
    if (modelId === undefined)
      throw new SkulkError('USAGE', '"skulk add" needs --as MODEL', { hint: `e.g. skulk add ${path} --as org/name` });
    const deps = await context.deps();
    const { addModel } = await import('../core/operations/models/add.ts');
    return addModel(deps, { path, modelId, move, force, strict, card, ...(revision !== undefined && { revision }) });
  },
  text: ({ model_id, outcome, files, total_bytes, bytes_copied, seconds, digest, skipped, problems }) => [
    sentence(
      `${model_id}: ${outcomes[outcome]}, ${plural(files.length, 'file')}, ${formatBytes(total_bytes)}${bytes_copied > 0 ? `, ${formatBytes(bytes_copied)} written in ${seconds.toFixed(1)} s` : ''}`,
    ),
    aside(`digest sha256:${digest}`),
    ...skipped.map(({ path, why }) => sentence(`skipped ${path}: ${why}`)),
    // No program could load it; the warnings say why.
    ...(problems.some(({ kind }) => kind === 'incomplete') ? [] : [aside(`next: skulk stage ${model_id}`)]),
  ],
});
