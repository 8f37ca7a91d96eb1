import { choice, defineCommand, type TextBlock } from '../cli/definition.ts';
import { programNames } from '../core/catalog/programs/programs.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { formatBytes, plural } from '../core/kernel/units.ts';
import type { ModelUses } from '../core/operations/programs/show-uses.ts';
import type { ShownModel } from '../core/protocol/models.ts';
import { modelArgument } from './model-arguments.ts';
import { useJson, useLines, useTable } from './use-lines.ts';

/** `skulk show`: everything about one model. */
export const show = defineCommand({
  name: 'show',
  summary: 'show one model: files, sizes, digests, tags',
  description: [
    'Shows what the store knows of a model, whether this machine has a verified copy, and which machines have told the store of theirs. A model that is not hashed yet has no digests. Of GGUF weights it lists the quantizations, with the bits that each takes for a weight of a typical model, and the machines that have it. With a selector, the files and their size are those of that quantization.',
    'With --use it prints what to type for a program to load the model from the server of this machine, or from the store, and from a staged copy. Only lines for the shell and comments are printed. What works is decided by the names of the files; a program that cannot load them ends it with 3.',
  ],
  arguments: { model: modelArgument() },
  options: { use: choice('print what to type for a program, or `list` the programs', 'PROGRAM', [...programNames, 'list']) },
  examples: [
    ['show a model', 'skulk show mlx-community/Qwen3-4B-4bit'],
    ['the quantizations that are there', "skulk show bartowski/Foo-GGUF --json | jq -r '.quantizations[].selector'"],
    ['the line to start llama-server', 'skulk show bartowski/Foo-GGUF:Q5_K_M --use llama-server'],
    ['which programs load it', 'skulk show mlx-community/Qwen3-4B-4bit --use list'],
    ['its digest', 'skulk show mlx-community/Qwen3-4B-4bit --json | jq -r .digest'],
  ],
  exits: ['not-found', 'store-unreachable'],
  run: async ({ model: ref, use }, context) => {
    const deps = await context.deps();
    if (use === undefined) {
      const { showModel } = await import('../core/operations/models/show-model.ts');
      return { model: await showModel(deps, ref) };
    }
    const { showUses } = await import('../core/operations/programs/show-uses.ts');
    const uses = await showUses(deps, ref);
    if (use === 'list') return { uses };
    const one = uses.programs.find(({ program }) => program === use);
    if (one?.hub.lines === undefined && one?.staged.lines === undefined) throw cannotUse(uses, one);
    return { uses, one };
  },
  text: (result) =>
    'model' in result ? modelText(result.model) : 'one' in result ? useLines(result.one, result.uses.address) : useTable(result.uses),
  json: (result) => {
    if ('model' in result) return result.model;
    const { model_id, selector, address, programs } = result.uses;
    const shared = { model_id, selector, address };
    return 'one' in result ? { ...shared, ...useJson(result.one) } : { ...shared, programs: programs.map(useJson) };
  },
});

function cannotUse({ model_id, address }: ModelUses, use: ModelUses['programs'][number] | undefined): SkulkError {
  const isForServer = address === null && use?.hub.problem !== use?.staged.problem;
  return new SkulkError(isForServer ? 'STORE_NOT_CONFIGURED' : 'FILE_NOT_FOUND', use?.hub.problem ?? `nothing is known of ${model_id}`, {
    hint: `\`skulk show ${model_id} --use list\` says what works`,
  });
}

const modelText = (model: ShownModel): readonly TextBlock[] => [
  `model     ${model.model_id}`,
  `size      ${formatBytes(model.total_bytes)} in ${plural(model.files.length, 'file')}`,
  `tags      ${model.tags.length > 0 ? model.tags.join(', ') : 'none'}`,
  ...(model.companions.length === 0
    ? []
    : [`needs     ${model.companions.map(({ model_id, role }) => `${model_id} (${role})`).join(', ')}`]),
  `digest    ${model.digest === null ? 'not hashed yet' : `sha256:${model.digest}`}`,
  `revision  ${model.revision ?? 'unknown'}${model.commit === null ? '' : ` (commit ${model.commit})`}`,
  `added     ${model.downloaded_at}${model.source === null ? '' : ` (${model.source})`}`,
  `staged    ${model.staged === null ? 'not on this machine' : model.staged.path}`,
  ...(model.nodes.length === 0 ? [] : [`on nodes  ${model.nodes.map(nodeName).join(', ')}`]),
  '',
  ...quantizationTable(model.quantizations ?? []),
  {
    header: ['FILE', 'SIZE', 'SHA256'],
    rows: model.files.map(({ path, size, sha256 }) => [path, size === null ? '?' : formatBytes(size), sha256 ?? '?']),
    alignRight: [1],
  },
];

interface Quantization {
  readonly selector: string;
  readonly size_bytes: number;
  readonly bits_per_weight: number | null;
  readonly files: readonly string[];
  readonly staged_on: readonly string[];
}

/** The quantizations of a model in a table of their own; nothing where there are none. */
function quantizationTable(all: readonly Quantization[]): readonly TextBlock[] {
  if (all.length === 0) return [];
  const rows = all.map(({ selector, size_bytes, bits_per_weight, files, staged_on }) => [
    selector,
    size_bytes === 0 ? '?' : formatBytes(size_bytes),
    bits_per_weight === null ? '?' : String(bits_per_weight),
    String(files.length),
    staged_on.length === 0 ? '-' : staged_on.join(', '),
  ]);
  return [{ header: ['QUANTIZATION', 'SIZE', 'BITS', 'FILES', 'STAGED ON'], rows, alignRight: [1, 2, 3] }, ''];
}

const nodeName = ({ node_id, hostname, in_use }: { node_id: string; hostname: string; in_use: boolean }): string =>
  `${hostname === '' ? node_id : `${hostname} (${node_id})`}${in_use ? ', in use' : ''}`;
