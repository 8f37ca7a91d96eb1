import { defineCommand, type TextBlock } from '../cli/definition.ts';
import { formatBytes, plural } from '../core/kernel/units.ts';
import { modelArgument } from './model-arguments.ts';

/** `skulk show`: everything about one model. */
export const show = defineCommand({
  name: 'show',
  summary: 'show one model: files, sizes, digests, tags',
  description: [
    'Shows what the store knows of a model, whether this machine has a verified copy, and which machines have told the store of theirs. A model that is not hashed yet has no digests. Of GGUF weights it lists the quantizations, with the bits that each takes for a weight of a typical model, and the machines that have it. With a selector, the files and their size are those of that quantization.',
  ],
  arguments: { model: modelArgument() },
  examples: [
    ['show a model', 'skulk show mlx-community/Qwen3-4B-4bit'],
    ['the quantizations that are there', "skulk show bartowski/Foo-GGUF --json | jq -r '.quantizations[].selector'"],
    ['its digest', 'skulk show mlx-community/Qwen3-4B-4bit --json | jq -r .digest'],
  ],
  exits: ['not-found', 'store-unreachable'],
  run: async ({ model: ref }, context) => {
    const deps = await context.deps();
    const { showModel } = await import('../core/operations/models/show-model.ts');
    return showModel(deps, ref);
  },
  text: (model) => [
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
  ],
});

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
