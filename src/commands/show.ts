import { defineCommand } from '../cli/definition.ts';
import { formatBytes, plural } from '../core/kernel/units.ts';
import { modelArgument } from './model-arguments.ts';

/** `skulk show`: everything about one model. */
export const show = defineCommand({
  name: 'show',
  summary: 'show one model: files, sizes, digests, tags',
  description: [
    'Shows what the store knows of a model, whether this machine has a verified copy, and which machines have told the store of theirs. A model that is not hashed yet has no digests. With a selector, the files and their size are those of that quantization.',
  ],
  arguments: { model: modelArgument() },
  examples: [
    ['show a model', 'skulk show mlx-community/Qwen3-4B-4bit'],
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
    {
      header: ['FILE', 'SIZE', 'SHA256'],
      rows: model.files.map(({ path, size, sha256 }) => [path, size === null ? '?' : formatBytes(size), sha256 ?? '?']),
      alignRight: [1],
    },
  ],
});

const nodeName = ({ node_id, hostname, in_use }: { node_id: string; hostname: string; in_use: boolean }): string =>
  `${hostname === '' ? node_id : `${hostname} (${node_id})`}${in_use ? ', in use' : ''}`;
