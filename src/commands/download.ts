import { defineCommand, flag, type TextBlock, value } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { formatRef, type ModelRef, parseRevision } from '../core/kernel/model-id.ts';
import { shellWord } from '../core/kernel/shell-word.ts';
import { formatBytes } from '../core/kernel/units.ts';
import type { PlannedDownload } from '../core/operations/models/plan-download.ts';
import { modelArgument } from './model-arguments.ts';
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
  arguments: { model: modelArgument() },
  options: {
    ggufFile: value('the .gguf file to take, as its path in the repo', 'FILE'),
    ...wantedFilesOptions,
    revision: value('a branch, tag or commit', 'REVISION', { parse: parseRevision }),
    dryRun: flag('only say which files would be taken and left, and why'),
    strict: flag('fail instead of warning when what has come cannot be a model, and keep it out of the store'),
    noWait: flag('return as soon as the store host has taken the download on'),
  },
  examples: [
    ['fetch a model and wait for it', 'skulk download mlx-community/Qwen3-4B-4bit'],
    ['one quantization of a GGUF repo', 'skulk download bartowski/Foo-GGUF:Q5_K_M'],
    ['see which files it would take, and why', 'skulk download --dry-run bartowski/Foo-GGUF'],
    ['let the store host go on alone', 'skulk download --no-wait mlx-community/Qwen3-4B-4bit && skulk downloads'],
  ],
  whenInterrupted: 'a store that serves goes on with it: `skulk downloads` says how far it is, `skulk cancel MODEL` stops it',
  exits: ['not-found', 'store-unreachable', 'conflict', 'integrity', 'no-space', 'hub'],
  run: async ({ model: ref, ggufFile, revision, strict, noWait, dryRun, ...choices }, context) => {
    if (ref.revision !== undefined && revision !== undefined && ref.revision !== revision)
      throw new SkulkError('USAGE', `two revisions are given, ${ref.revision} and ${revision}`, { hint: 'give one of them' });
    const deps = await context.deps();
    const wanted = { ...readWantedFiles({ ggufFile, ...choices }), ...(ref.selector !== undefined && { selector: ref.selector }) };
    const request = { modelId: ref.modelId, revision: revision ?? ref.revision, ...wanted, exact: true, strict };
    if (dryRun) {
      const { planDownload } = await import('../core/operations/models/plan-download.ts');
      return { planned: await planDownload(deps, request) };
    }
    const { download: fetchModel } = await import('../core/operations/models/downloads.ts');
    const selector = ref.selector ?? ggufFile;
    const asked = {
      modelId: ref.modelId,
      ...(request.revision !== undefined && { revision: request.revision }),
      ...(selector !== undefined && { selector }),
    };
    return { ...(await fetchModel(deps, { request, wait: !noWait })), asked };
  },
  text: (result) => ('planned' in result ? describePlan(result.planned) : describeStatus(result)),
  json: (result) => ('planned' in result ? { planned: result.planned } : withoutAsked(result)),
});

const withoutAsked = <T extends { readonly asked: ModelRef }>({ asked: _, ...status }: T): Omit<T, 'asked'> => status;

/** What is read of the state of a download. */
interface ShownStatus {
  readonly modelId: string;
  readonly status: string;
  readonly bytes_total: number;
  readonly commit: string | null;
  readonly gguf_file: string | null;
  readonly mmproj_file?: string | null;
  readonly asked: ModelRef;
}

function describeStatus({ modelId, status, bytes_total, commit, gguf_file, mmproj_file, asked }: ShownStatus): readonly TextBlock[] {
  if (status !== 'complete') return [`${modelId}: ${status}`, `look at it with: skulk downloads ${modelId}`];
  return [
    `${modelId}: in the store${bytes_total > 0 ? `, ${formatBytes(bytes_total)}` : ''}${commit === null ? '' : ` (commit ${commit})`}`,
    ...(gguf_file === null ? [] : [`the weights are ${gguf_file}`]),
    ...(mmproj_file == null ? [] : [`the projector is ${mmproj_file}`]),
    `next: skulk stage ${shellWord(formatRef(asked))}`,
  ];
}

function describePlan({ model_id, revision, commit, bytes_total, gguf_file, taken, left }: PlannedDownload): readonly TextBlock[] {
  return [
    `${model_id} at ${revision} (commit ${commit}): ${formatBytes(bytes_total)} in ${taken.length} of ${taken.length + left.length} files`,
    ...(gguf_file === null ? [] : [`the weights are ${gguf_file}`]),
    {
      header: ['FILE', 'SIZE', 'ACTION', 'WHY'],
      rows: [
        ...taken.map(({ path, size, reason }) => [path, formatBytes(size), 'take', reason]),
        ...left.map(({ path, size, reason }) => [path, formatBytes(size), 'leave', reason]),
      ],
      alignRight: [1],
    },
  ];
}
