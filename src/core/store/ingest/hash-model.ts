import { withGgufKinds } from '../../catalog/contents/gguf-kind.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { RelativePath } from '../../kernel/files/relative-path.ts';
import type { ManifestFile } from '../../protocol/manifest.ts';
import { type Fingerprint, readFingerprint, untouchedBetween } from '../../transfer/fingerprint.ts';
import type { FileDigest } from '../../transfer/hashing/hash-job.ts';
import { explainUnhashable, runHashJob } from '../../transfer/hashing/hash-pool.ts';
import type { WorkOptions } from '../contract.ts';
import type { ScannedFile } from './scan-directory.ts';
import type { Seen } from './seen.ts';

/**
 * The maximum number of files that wait for a hashing thread. Each listens to the abort signal, and with 50,000 listeners on one signal
 * every further one blocks the event loop for a moment.
 */
const atATime = 64;

/** The manifest's entry for a hashed file. */
export const toManifestFile = (path: RelativePath, { size, sha256, chunks, gitId }: FileDigest): ManifestFile => ({
  path,
  size,
  sha256,
  ...(chunks !== undefined && { chunks }),
  ...(gitId !== undefined && { hub_id: gitId }),
});

/** A model's files with their digests, and their fingerprints while they were hashed. */
export interface HashedModel {
  readonly files: readonly ManifestFile[];
  readonly seen: Seen;
}

/**
 * Hashes files on the hashing threads, several at once.
 * @throws SkulkError INTEGRITY if a file changes while it is read
 */
export async function hashModel(
  files: readonly Pick<ScannedFile, 'path' | 'absolute' | 'size'>[],
  { signal, onBytes }: WorkOptions,
): Promise<HashedModel> {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const doneOf = new Map<string, number>();
  let done = 0;
  const report = (path: string, bytes: number): void => {
    done += bytes - (doneOf.get(path) ?? 0);
    doneOf.set(path, bytes);
    onBytes?.(done, total);
  };
  const seen: Record<string, Fingerprint> = {};
  const hashOne = async ({ path, absolute }: (typeof files)[number]): Promise<ManifestFile> => {
    try {
      const before = await readFingerprint(absolute);
      const digest = await runHashJob({ kind: 'digest', path: absolute }, { signal, onBytes: (bytes) => report(path, bytes) });
      const after = await readFingerprint(absolute);
      if (after === undefined || !untouchedBetween(before, after) || after.size !== digest.size) {
        throw new SkulkError('INTEGRITY', `${absolute} changed while it was being read`, {
          hint: 'wait until nothing writes to it, then run the command again',
        });
      }
      seen[path] = after;
      return toManifestFile(path, digest);
    } catch (error) {
      throw explainUnhashable(error, absolute);
    }
  };
  const hashed: ManifestFile[] = [];
  const queue = files.entries();
  let hasFailed = false;
  const lane = async (): Promise<void> => {
    for (const [index, file] of queue) {
      if (hasFailed) return;
      hashed[index] = await hashOne(file).catch((error: unknown) => {
        hasFailed = true;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: atATime }, lane));
  const absoluteOf = new Map<string, string>(files.map(({ path, absolute }) => [path, absolute]));
  return { files: await withGgufKinds(hashed, (path) => absoluteOf.get(path) ?? path), seen };
}
