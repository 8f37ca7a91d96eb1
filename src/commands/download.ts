import { aside, defineCommand, flag, sentence, type TextBlock, value } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { formatRef, type ModelRef, parseRevision } from '../core/kernel/model-id.ts';
import { shellWord } from '../core/kernel/shell-word.ts';
import { formatBytes } from '../core/kernel/units.ts';
import type { PlannedDownload } from '../core/operations/models/plan-download.ts';
import type { ModelProblem } from '../core/protocol/models/entries.ts';
import { modelArgument } from './model-arguments.ts';
import { unloadableLines } from './problem-lines.ts';
import { readWantedFiles, wantedFilesOptions } from './wanted-files.ts';

/** `skulk download`: let the store download a model from Hugging Face. */
export const download = defineCommand({
  name: 'download',
  summary: 'download a model from Hugging Face into the store',
  description: [
    'Asks the store host to download a model from Hugging Face. Every file is checked against the hash that Hugging Face publishes. An interrupted download resumes, even after a restart of the store host. A second request for the same model joins the running download.',
    'From a GGUF repo, one quantization is downloaded, with all its shards, the small files and a projector. It is the one you name, else the one of the model card, else Q4_K_M or the closest to it. Another download adds another quantization; it waits while one is running. If the one you name does not exist, the error lists the existing ones.',
    'A gated or private model needs a token on the store host: HF_TOKEN, hf_token in its skulk.yaml, or the file that `hf auth login` writes. HF_ENDPOINT selects a mirror; HTTPS_PROXY and NO_PROXY are respected.',
  ],
  arguments: { model: modelArgument() },
  options: {
    ggufFile: value('the .gguf file to download, as its path in the repo', 'FILE'),
    ...wantedFilesOptions,
    revision: value('a branch, tag or commit', 'REVISION', { parse: parseRevision }),
    dryRun: flag('only show which files would be downloaded, and why'),
    strict: flag('fail, and add nothing to the store, if the files cannot be loaded as a model'),
    noWait: flag('return as soon as the store host has accepted the download'),
  },
  examples: [
    ['download a model and wait for it', 'skulk download mlx-community/Qwen3-4B-4bit'],
    ['one quantization of a GGUF repo', 'skulk download bartowski/Foo-GGUF:Q5_K_M'],
    ['see which files it would download, and why', 'skulk download --dry-run bartowski/Foo-GGUF'],
    ['let the store host continue alone', 'skulk download --no-wait mlx-community/Qwen3-4B-4bit && skulk downloads'],
  ],
  whenInterrupted: 'a running store host continues the download: `skulk downloads` shows its progress, `skulk cancel MODEL` stops it',
  exits: ['not-found', 'store-unreachable', 'conflict', 'integrity', 'no-space', 'hub'],
  run: async ({ model: ref, ggufFile, revision, strict, noWait, dryRun, ...choices }, context) => {
    if (ref.revision !== undefined && revision !== undefined && ref.revision !== revision)
      throw new SkulkError('USAGE', `two revisions given: ${ref.revision} and ${revision}`, { hint: 'use only one of them' });
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

/** The fields of a download's status that are shown. */
interface ShownStatus {
  readonly status: string;
  readonly size_bytes?: number;
  readonly commit: string | null;
  readonly gguf_file: string | null;
  readonly mmproj_file?: string | null;
  readonly problems?: readonly ModelProblem[];
  readonly asked: ModelRef;
}

function describeStatus({ status, size_bytes, commit, gguf_file, mmproj_file, problems = [], asked }: ShownStatus): readonly TextBlock[] {
  if (status !== 'complete')
    return [`${formatRef(asked)}: ${status}`, aside(`to see its progress: skulk downloads ${shellWord(formatRef(asked))}`)];
  return [
    sentence(
      `${formatRef(asked)}: in the store${size_bytes === undefined ? '' : `, ${formatBytes(size_bytes)}`}${commit === null ? '' : ` (commit ${commit})`}`,
    ),
    ...(gguf_file === null ? [] : [`the weights are ${gguf_file}`]),
    ...(mmproj_file == null ? [] : [`the projector is ${mmproj_file}`]),
    ...(problems.length > 0 ? unloadableLines(problems, asked.modelId) : [aside(`next: skulk stage ${shellWord(formatRef(asked))}`)]),
  ];
}

function describePlan({ model_id, revision, commit, bytes_total, gguf_file, taken, left }: PlannedDownload): readonly TextBlock[] {
  return [
    sentence(
      `${model_id} at ${revision} (commit ${commit}): ${formatBytes(bytes_total)} in ${taken.length} of ${taken.length + left.length} files`,
    ),
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
