import type { ListedUpload } from '../../../core/protocol/uploads.ts';
import { formatAge } from '../parts/format.ts';
import type { Column } from '../parts/lay-out.ts';
import { amountOf, progressOf } from './download-columns.ts';

/** The unfinished uploads as a table. */
export const uploadColumns = (now: Date): readonly Column<ListedUpload>[] => [
  { title: 'MODEL', flexMinWidth: 20, cut: 'middle', cell: ({ model_id }) => model_id },
  { title: 'FROM', maxWidth: 24, dropOrder: 2, cell: ({ who, from }) => (who === null ? from : `${who} (${from})`) },
  {
    title: 'PROGRESS',
    width: 18,
    preferredWidth: 40,
    cell: (upload, width) => progressOf({ ...upload, error: null }, 'downloading', width),
  },
  { title: 'BYTES', dropOrder: 3, cell: amountOf },
  {
    title: 'LAST BYTE',
    align: 'right',
    dropOrder: 1,
    cell: ({ last_byte_at }) => ({ text: formatAge(last_byte_at, now, ''), tone: 'quiet' }),
  },
  { title: 'BEGAN', align: 'right', dropOrder: 4, cell: ({ began_at }) => ({ text: formatAge(began_at, now, ''), tone: 'quiet' }) },
];

/** The text for the filter. */
export const wordsOfUpload = ({ model_id, who, from, id }: ListedUpload): string => [model_id, who, from, id].join(' ');
