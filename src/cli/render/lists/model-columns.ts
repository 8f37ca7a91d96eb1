import type { KnownNode } from '../../../core/protocol/fleet.ts';
import type { CountedEntry } from '../../../core/protocol/models.ts';
import { formatAge, formatBytes } from '../parts/format.ts';
import type { Cell, Column } from '../parts/lay-out.ts';

/** Data for the list beside the models. */
export interface AroundModels {
  readonly nodes: readonly KnownNode[];
  /** The models with a copy on this machine. */
  readonly here: ReadonlySet<string>;
  /** The models of which this machine has only unfinished data. */
  readonly partial: ReadonlySet<string>;
  /** The machine of `here`. */
  readonly nodeId: string | null;
  readonly now: Date;
}

/** A store's models as a table. */
export const modelColumns = ({ now, ...around }: AroundModels): readonly Column<CountedEntry>[] => [
  { title: 'MODEL', flexMinWidth: 32, cut: 'middle', cell: ({ model_id }) => model_id },
  { title: 'QUANT', maxWidth: 10, dropOrder: 4, cell: ({ quantization }) => quantization ?? '' },
  { title: 'SIZE', align: 'right', cell: ({ total_bytes }) => formatBytes(total_bytes) },
  { title: 'FILES', align: 'right', dropOrder: 5, cell: ({ file_count }) => String(file_count) },
  {
    title: 'ADDED',
    align: 'right',
    dropOrder: 2,
    cell: ({ downloaded_at }) => ({ text: formatAge(downloaded_at, now, ''), tone: 'quiet' }),
  },
  { title: 'STAGED', dropOrder: 1, cell: ({ model_id }) => stagedOn(model_id, around) },
  { title: 'TAGS', maxWidth: 28, dropOrder: 3, cell: ({ tags }) => ({ text: tags.join(' '), tone: 'quiet' }) },
];

/** Where a model is staged, in few words: `here`, `2 nodes`, `here +1`, `part` of it here. */
function stagedOn(modelId: string, { nodes, here, partial, nodeId }: Omit<AroundModels, 'now'>): Cell {
  const others = nodes.filter(
    ({ node_id, copies }) => node_id !== nodeId && copies?.some(({ model_id }) => model_id === modelId) === true,
  ).length;
  const more = others === 0 ? '' : ` +${others}`;
  if (here.has(modelId)) return { text: `here${more}`, tone: 'good' };
  if (partial.has(modelId)) return { text: `part${more}`, tone: 'warn' };
  return { text: others === 0 ? '' : others === 1 ? '1 node' : `${others} nodes`, tone: 'good' };
}

/** The text for the filter. */
export const wordsOfModel = ({ model_id, tags, family, quantization }: CountedEntry): string =>
  [model_id, ...tags, family, quantization].join(' ');
