import { setTimeout as sleep } from 'node:timers/promises';
import { SkulkError } from '../../kernel/errors.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { ManifestFile } from '../../protocol/manifest.ts';
import { type Fingerprint, readFingerprint, untouchedBetween } from '../../transfer/fingerprint.ts';
import { runHashJob } from '../../transfer/hash-pool.ts';

/**
 * Whether a file that was touched still holds what its manifest says. Each state of a file is hashed once, whoever asks.
 * Throws STORE_BUSY when that takes longer than a client would wait.
 */
export type FileRechecker = (modelId: ModelId, expected: ManifestFile, absolute: string, now: Fingerprint) => Promise<boolean>;

const patienceMs = 10_000;
const maxRemembered = 10_000;

/** @param onGood told when a touched file turned out to be good, to remember how it looks now */
export function createFileRechecker(
  signal: AbortSignal,
  onGood: (modelId: ModelId, expected: ManifestFile, now: Fingerprint) => Promise<void>,
): FileRechecker {
  const verdicts = new Map<string, Promise<boolean>>();
  return async (modelId, expected, absolute, now) => {
    const key = JSON.stringify([modelId, expected.path, expected.sha256, now]);
    let verdict = verdicts.get(key);
    if (verdict === undefined) {
      verdict = runHashJob({ kind: 'digest', path: absolute }, { signal }).then(async ({ sha256 }) => {
        // It was opened again to be hashed: unless it looks as before, the handle may be of another file.
        const good = sha256 === expected.sha256 && untouchedBetween(now, readFingerprint(absolute));
        // Remembering is a convenience; a store on a read-only disk must still serve.
        if (good) await onGood(modelId, expected, now).catch(() => undefined);
        return good;
      });
      verdict.catch(() => verdicts.delete(key));
      verdicts.set(key, verdict);
      if (verdicts.size > maxRemembered) verdicts.delete(verdicts.keys().next().value ?? key);
    }
    const timer = new AbortController();
    try {
      const outcome = await Promise.race([verdict, sleep(patienceMs, 'busy' as const, { signal: timer.signal, ref: false })]);
      if (outcome !== 'busy') return outcome;
      throw new SkulkError('STORE_BUSY', `${expected.path} of ${modelId} is being checked, because its timestamp changed`, {
        hint: 'try again in a moment',
        retryAfterMs: 5_000,
      });
    } finally {
      timer.abort();
    }
  };
}
