import { formatBytes, formatSeconds } from '../core/kernel/units.ts';

/** What a command shows of a download. */
export interface ShownDownload {
  readonly status: string;
  readonly progress: number;
  readonly error: string | null;
  readonly bytes_done: number;
  readonly bytes_total: number;
  readonly bytes_per_second: number | null;
  readonly seconds_left: number | null;
}

/** How far a download is, for a table. */
export const downloadCells = ({
  status,
  progress,
  bytes_done,
  bytes_total,
  bytes_per_second,
  seconds_left,
  error,
}: ShownDownload): readonly string[] => [
  status,
  bytes_total === 0 ? '' : `${Math.floor(progress * 100)}%`,
  bytes_total === 0 ? '' : `${formatBytes(bytes_done)} of ${formatBytes(bytes_total)}`,
  bytes_per_second === null ? '' : `${formatBytes(bytes_per_second)}/s`,
  seconds_left === null ? '' : formatSeconds(seconds_left),
  error ?? '',
];
