import { join } from 'node:path';
import { totalBytes } from '../catalog/manifest.ts';
import { systemCode } from '../kernel/errors.ts';
import { mapConcurrently, maxOpenFiles } from '../kernel/flow/concurrency.ts';
import type { ManifestFile } from '../protocol/manifest.ts';
import type { BadFile } from '../protocol/models/verify-report.ts';
import { type Fingerprint, readFingerprint, untouchedBetween } from '../transfer/fingerprint.ts';
import { runHashJob } from '../transfer/hashing/hash-pool.ts';
import type { WorkOptions } from './contract.ts';

/**
 * Hashes files again and compares them with their manifest.
 * @returns the problems, and the fingerprints of the good files
 */
export async function checkFiles(
  files: readonly ManifestFile[],
  directory: string,
  { signal, onBytes }: WorkOptions,
): Promise<{ bad: readonly BadFile[]; seen: Record<string, Fingerprint> }> {
  const seen: Record<string, Fingerprint> = {};
  const total = totalBytes(files);
  let done = 0;
  const checkFile = async ({ path, size, sha256 }: ManifestFile): Promise<BadFile['problem'] | undefined> => {
    const absolute = join(directory, path);
    let own = 0;
    const report = (bytes: number): void => {
      done += bytes - own;
      own = bytes;
      onBytes?.(done, total);
    };
    try {
      const fingerprint = await readFingerprint(absolute);
      if (fingerprint === undefined) return 'missing';
      if (fingerprint.size !== size) return 'size';
      const found = await runHashJob({ kind: 'digest', path: absolute }, { signal, onBytes: report });
      if (found.sha256 !== sha256) return 'content';
      if (untouchedBetween(fingerprint, await readFingerprint(absolute))) seen[path] = fingerprint;
      return undefined;
    } catch (error) {
      // Only a disk error counts against the file; the death of a hashing thread does not.
      if (signal.aborted || systemCode(error) === undefined) throw error;
      return 'unreadable';
    } finally {
      report(size);
    }
  };
  const problems = await mapConcurrently(files, maxOpenFiles, checkFile);
  return { bad: files.flatMap(({ path }, index) => problemOf(path, problems[index])), seen };
}

const problemOf = (path: string, problem: BadFile['problem'] | undefined): readonly BadFile[] =>
  problem === undefined ? [] : [{ path, problem }];
