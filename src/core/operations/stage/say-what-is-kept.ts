import { join } from 'node:path';
import { isAway } from '../../connect/second-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { incomingCopy } from '../../staging/layout.ts';
import { readJournal } from '../../transfer/part-journal.ts';
import type { ModelStage } from './model-stage.ts';

/**
 * The error of a copy whose source went away, with the hint that the same command resumes, if some of its data is kept; any other error
 * unchanged. With `--force` the next try begins from the start.
 */
export async function sayWhatIsKept({ layout, ref, options }: ModelStage, error: unknown): Promise<unknown> {
  if (!(error instanceof SkulkError) || options.force || !(isAway(error) || error.code === 'HUB_UNREACHABLE')) return error;
  const { path, journal } = incomingCopy(layout, ref.modelId);
  // A copy of which the store has no manifest has the other journal. The error itself is more important than an error of the disk here.
  const noted = await Promise.all([journal, join(path, 'hub-journal')].map((one) => readJournal(one).catch(() => new Set())));
  if (noted.every(({ size }) => size === 0)) return error;
  const hint = [error.hint, 'the received data is kept: run the same command again to resume'].filter(Boolean).join('; ');
  return new SkulkError(error.code, error.message, { hint, cause: error.cause, retryAfterMs: error.retryAfterMs });
}
