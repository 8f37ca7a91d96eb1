import { setTimeout as sleep } from 'node:timers/promises';
import { SkulkError } from '../../kernel/errors.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { ManifestFile } from '../../protocol/manifest.ts';
import { type Fingerprint, readFingerprintSync, untouchedBetween } from '../../transfer/fingerprint.ts';
import { runHashJob } from '../../transfer/hashing/hash-pool.ts';

/**
 * Checks whether a touched file still matches its manifest. Each state of a file is hashed only once. Throws STORE_BUSY if that takes
 * longer than a client would wait.
 */
export type FileRechecker = (modelId: ModelId, expected: ManifestFile, absolute: string, now: Fingerprint) => Promise<boolean>;

const patienceMs = 10_000;
const maxRemembered = 10_000;

/** @param onGood called if a touched file was good, to save its new fingerprint */
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
        // It was opened again for hashing. If its fingerprint changed, the handle may belong to another file.
        const good = sha256 === expected.sha256 && untouchedBetween(now, readFingerprintSync(absolute));
        // Saving the fingerprint is optional: a store on a read-only disk must still work.
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
