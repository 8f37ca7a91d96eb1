import { wordsOfCode } from '../../../core/protocol/describe/activity.ts';
import type { OptimizationStatus } from '../../../core/protocol/optimizations.ts';
import { progressBar } from '../parts/bar.ts';
import { formatLeft, formatRate } from '../parts/format.ts';
import type { Cell, Column } from '../parts/lay-out.ts';

/** The variants that a store makes as a table. */
export const optimizationColumns: readonly Column<OptimizationStatus>[] = [
  { title: 'RESULT', flexMinWidth: 22, cut: 'middle', cell: ({ targetId }) => targetId },
  { title: 'STATUS', cell: optimizationWord },
  { title: 'PROGRESS', width: 18, preferredWidth: 40, dropOrder: 1, cell: optimizationProgress },
  { title: 'ENGINE', dropOrder: 3, cell: ({ engine }) => engine },
  { title: 'RATE', align: 'right', dropOrder: 4, cell: ({ bytes_per_second }) => formatRate(bytes_per_second) },
  { title: 'LEFT', align: 'right', dropOrder: 2, cell: ({ seconds_left }) => formatLeft(seconds_left) },
];

/** Whether it has not ended yet. */
export const isUnderWay = ({ status }: Pick<OptimizationStatus, 'status'>): boolean => status !== 'complete' && status !== 'failed';

/** Its state in one word. */
export function optimizationWord({ status, error_code }: Pick<OptimizationStatus, 'status' | 'error_code'>): Cell {
  if (error_code === 'CANCELLED') return { text: 'cancelled', tone: 'quiet' };
  if (status === 'pending') return { text: 'waiting', tone: 'quiet' };
  return { text: status, tone: status === 'complete' ? 'good' : status === 'failed' ? 'bad' : 'accent' };
}

/** A bar with its percentage; its activity without a percentage; or why it failed. */
export function optimizationProgress(
  {
    status,
    progress,
    message,
    error,
    error_code,
    achievedBpw,
  }: Pick<OptimizationStatus, 'status' | 'progress' | 'message' | 'error' | 'error_code' | 'achievedBpw'>,
  width: number,
): Cell {
  if (error_code === 'CANCELLED') return '';
  const fitting = (text: string, short: string): string => (text.length > width ? short : text);
  if (status === 'failed') {
    const sentence = error ?? 'failed';
    return { text: error_code === null ? sentence : fitting(sentence, wordsOfCode(error_code)), tone: 'bad' };
  }
  if (status === 'complete') return achievedBpw === null ? '' : fitting(`${achievedBpw} bits per weight`, `${achievedBpw} bits`);
  if (progress === 0) return { text: status === 'pending' ? fitting(message, 'in the queue') : message, tone: 'quiet' };
  return { parts: [...progressBar(progress, width - 5), `${Math.floor(progress * 100)}%`.padStart(5)] };
}
