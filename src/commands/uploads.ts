import { defineCommand, type TextBlock, value } from '../cli/definition.ts';
import { formatBytes } from '../core/kernel/units.ts';

/** `skulk uploads`: unfinished uploads from other machines. */
export const uploads = defineCommand({
  name: 'uploads',
  summary: 'list or cancel unfinished uploads',
  description: [
    'Lists the models that other machines are sending with `skulk add` and have not finished: from where, how much has arrived, and since when.',
    'Run the same `skulk add` again within seven days to continue an unfinished upload. If the disk is nearly full, uploads that were idle for an hour are removed, the longest idle first.',
    '--cancel removes one and frees its space. It needs the role admin: run it on the store host, or with a token with that role.',
  ],
  options: { cancel: value('cancel the upload with this ID', 'ID') },
  examples: [
    ['list unfinished uploads', 'skulk uploads'],
    ['cancel an upload', 'skulk uploads --cancel 3f9a2c61b0d4'],
  ],
  exits: ['not-found', 'store-unreachable', 'conflict'],
  run: async ({ cancel }, context) => {
    const deps = await context.deps();
    const { cancelUpload, listUploads } = await import('../core/operations/models/uploads.ts');
    return cancel === undefined ? listUploads(deps) : { cancelled: await cancelUpload(deps, { id: cancel }) };
  },
  text: (result) =>
    'cancelled' in result
      ? [
          `cancelled the upload of ${result.cancelled.model_id} from ${result.cancelled.from}, ${formatBytes(result.cancelled.bytes_done)} freed`,
        ]
      : tableOf(result.uploads),
  notice: (result) => ('uploads' in result && result.uploads.length === 0 ? 'no unfinished uploads' : undefined),
});

interface ShownUpload {
  readonly id: string;
  readonly model_id: string;
  readonly from: string;
  readonly who: string | null;
  readonly bytes_done: number;
  readonly bytes_total: number;
  readonly began_at: string;
  readonly last_byte_at: string;
}

const tableOf = (all: readonly ShownUpload[]): readonly TextBlock[] =>
  all.length === 0
    ? []
    : [
        {
          header: ['ID', 'MODEL', 'FROM', 'DONE', 'OF', 'SINCE', 'LAST BYTE'],
          rows: all.map(({ id, model_id, from, who, bytes_done, bytes_total, began_at, last_byte_at }) => [
            id,
            model_id,
            who === null ? from : `${who} (${from})`,
            formatBytes(bytes_done),
            formatBytes(bytes_total),
            { time: began_at },
            { time: last_byte_at },
          ]),
          alignRight: [3, 4],
        },
      ];
