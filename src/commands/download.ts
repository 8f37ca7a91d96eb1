import { argument, defineCommand, flag, value } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { parseModelRef, parseRevision } from '../core/kernel/model-id.ts';
import { formatBytes } from '../core/kernel/units.ts';
import { readWantedFiles, wantedFilesOptions } from './wanted-files.ts';

/** `skulk download`: have the store fetch a model from Hugging Face. */
export const download = defineCommand({
  name: 'download',
  summary: 'have the store fetch a model from Hugging Face',
  description: [
    'Asks the store host to fetch a model from Hugging Face. Every file is checked against the id that Hugging Face gives it; a download that was cut off, also by a restart of the store host, goes on where it stopped. Whoever asks for a model that is being fetched joins that download.',
    'Of a GGUF repo one quantization is taken: the one that is named, else that of the model card, else Q4_K_M or what comes next to it; with all its shards, the small files and a projector. Asking for another one later adds it to the model. What is named and not there is an error that lists what is.',
    'A gated or private model needs a token on the store host: HF_TOKEN, hf_token in its skulk.yaml, or the file that `hf auth login` writes. HF_ENDPOINT names a mirror; HTTPS_PROXY and NO_PROXY are respected.',
  ],
  arguments: { model: argument('the model, as [org/]name[@revision][:selector]', { parse: parseModelRef }) },
  options: {
    ggufFile: value('the .gguf file to take, as its path in the repo', 'FILE'),
    ...wantedFilesOptions,
    revision: value('a branch, tag or commit', 'REVISION', { parse: parseRevision }),
    noWait: flag('return as soon as the store host has taken the download on'),
  },
  examples: [
    ['fetch a model and wait for it', 'skulk download mlx-community/Qwen3-4B-4bit'],
    ['one quantization of a GGUF repo', 'skulk download bartowski/Foo-GGUF:Q5_K_M'],
    ['let the store host go on alone', 'skulk download --no-wait mlx-community/Qwen3-4B-4bit && skulk downloads'],
  ],
  whenInterrupted: 'a store that serves goes on with it: `skulk downloads` says how far it is, `skulk cancel MODEL` stops it',
  exits: ['not-found', 'store-unreachable', 'conflict', 'integrity', 'no-space', 'hub'],
  run: async ({ model: ref, ggufFile, revision, noWait, ...choices }, context) => {
    if (ref.revision !== undefined && revision !== undefined && ref.revision !== revision)
      throw new SkulkError('USAGE', `two revisions are given, ${ref.revision} and ${revision}`, { hint: 'give one of them' });
    const deps = await context.deps();
    const { download: fetchModel } = await import('../core/operations/models/downloads.ts');
    const wanted = { ...readWantedFiles({ ggufFile, ...choices }), ...(ref.selector !== undefined && { selector: ref.selector }) };
    const request = { modelId: ref.modelId, revision: revision ?? ref.revision, ...wanted, exact: true };
    return fetchModel(deps, { request, wait: !noWait });
  },
  text: ({ modelId, status, bytes_total, commit, gguf_file }) =>
    status === 'complete'
      ? [
          `${modelId}: in the store${bytes_total > 0 ? `, ${formatBytes(bytes_total)}` : ''}${commit === null ? '' : ` (commit ${commit})`}`,
          ...(gguf_file === null ? [] : [`the weights are ${gguf_file}`]),
          `next: skulk stage ${modelId}`,
        ]
      : [`${modelId}: ${status}`, `look at it with: skulk downloads`],
});
