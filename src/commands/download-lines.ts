import type { TableCell } from '../cli/definition.ts';
import { shellWord } from '../core/kernel/shell-word.ts';
import { formatBytes, formatSeconds } from '../core/kernel/units.ts';
import type { FinishedDownload } from '../core/operations/models/downloads.ts';

/** The fields of a download or of another job that commands show. */
export interface ShownJob {
  readonly status: string;
  readonly progress: number;
  readonly error: string | null;
  readonly bytes_done: number;
  readonly bytes_total: number;
  readonly bytes_per_second: number | null;
  readonly seconds_left: number | null;
}

const colors: Readonly<Record<string, 'good' | 'bad' | undefined>> = { complete: 'good', failed: 'bad' };

/** The progress of a download, for a table. */
export const downloadCells = ({
  status,
  progress,
  bytes_done,
  bytes_total,
  bytes_per_second,
  seconds_left,
  error,
}: ShownJob): readonly TableCell[] => [
  { text: status, color: colors[status] },
  bytes_total === 0 ? '' : `${Math.floor(progress * 100)}%`,
  bytes_total === 0 ? '' : `${formatBytes(bytes_done)} of ${formatBytes(bytes_total)}`,
  bytes_per_second === null ? '' : `${formatBytes(bytes_per_second)}/s`,
  seconds_left === null ? '' : formatSeconds(seconds_left),
  error ?? '',
];

/** The command that repeats a download, for copying. */
export function downloadCommand(modelId: string, request: FinishedDownload['request']): string {
  const { revision, selector, gguf_file, weights, include, exclude, whole, mmproj } = request;
  const ref = `${modelId}${revision == null ? '' : `@${revision}`}${selector == null ? '' : `:${selector}`}`;
  const texts: readonly (readonly [string, string | null | undefined])[] = [
    ['--gguf-file', gguf_file],
    ['--weights', weights],
    ...(include ?? []).map((glob) => ['--include', glob] as const),
    ...(exclude ?? []).map((glob) => ['--exclude', glob] as const),
    ['--mmproj', mmproj],
  ];
  const options = texts.flatMap(([name, text]) => (text == null ? [] : [`${name} ${shellWord(text)}`]));
  return ['skulk download', shellWord(ref), ...options, ...(whole === true ? ['--whole'] : [])].join(' ');
}
