import { join } from 'node:path';
import { systemCode } from '../kernel/errors.ts';
import { formatRef, type ModelId } from '../kernel/model-id.ts';
import type { ManifestFile } from '../protocol/manifest.ts';
import { readFingerprintSync } from '../transfer/fingerprint.ts';
import { runHashJob } from '../transfer/hashing/hash-pool.ts';
import { readCopyRecord } from './copy-record.ts';
import type { EvictionOptions } from './evict-copy.ts';
import { splitGroups } from './groups/copy-groups.ts';
import { findStagedGroup } from './groups/find-staged-group.ts';
import { removeDamaged } from './groups/remove-damaged.ts';
import type { StagingLayout } from './layout.ts';
import type { StagedCopy } from './list-copies.ts';

/** The result for one staged copy, or for one quantization of it. */
export interface VerifiedCopy {
  readonly model_id: ModelId;
  readonly selector?: string;
  readonly status: 'ok' | 'damaged' | 'repaired';
  readonly bad_files: readonly BadCopyFile[];
  readonly note?: string;
}

interface BadCopyFile {
  readonly path: string;
  readonly problem: 'missing' | 'size' | 'content' | 'unreadable';
}

/** How to verify a copy. */
export interface VerifyCopyOptions extends Pick<EvictionOptions, 'storePath' | 'now' | 'signal'> {
  /** Only this quantization, and the files that it shares with others. */
  readonly selector?: string | undefined;
  /** Removes bad files, so that the next stage fetches them again. */
  readonly repair: boolean;
  /** Called with the number of hashed bytes. */
  readonly onBytes: (done: number) => void;
}

/** Hashes a staged copy again, and compares it with its record. */
export async function verifyCopy(
  layout: StagingLayout,
  { modelId, directory }: Pick<StagedCopy, 'modelId' | 'directory'>,
  { repair, onBytes, selector, ...eviction }: VerifyCopyOptions,
): Promise<VerifiedCopy> {
  const about = { model_id: modelId, ...(selector !== undefined && { selector }) };
  const name = formatRef({ modelId, selector });
  const record = await readCopyRecord(directory);
  if (record === undefined)
    return {
      ...about,
      status: 'damaged',
      bad_files: [],
      note: `it has no record of its expected content; \`skulk stage ${name}\` makes a verified copy`,
    };
  const parts = splitGroups(record.manifest, record.groups);
  const part = selector === undefined ? undefined : findStagedGroup(parts, selector);
  const isOfOthers = new Set(part === undefined ? [] : parts.filter((one) => one !== part).flatMap(({ files }) => files));
  const files = record.manifest.files.filter(({ path }) => !isOfOthers.has(path));
  const bad = await findBadFiles(files, directory, { signal: eviction.signal, onBytes });
  const note = record.verified === 'arrival' ? { note: 'compared with the hashes of its arrival; its store has no digests' } : {};
  if (bad.length === 0) return { ...about, status: 'ok', bad_files: [], ...note };
  if (!repair) return { ...about, status: 'damaged', bad_files: bad, note: `\`skulk stage --force ${name}\` copies it again` };
  const isBad = new Set(bad.map(({ path }) => path));
  return { ...about, bad_files: bad, ...(await removeDamaged(layout, { modelId, parts, isBad }, eviction)) };
}

async function findBadFiles(
  files: readonly ManifestFile[],
  directory: string,
  { signal, onBytes }: Pick<VerifyCopyOptions, 'signal' | 'onBytes'>,
): Promise<readonly BadCopyFile[]> {
  const bad: BadCopyFile[] = [];
  let before = 0;
  for (const { path, size, sha256 } of files) {
    const absolute = join(directory, path);
    const fingerprint = readFingerprintSync(absolute);
    if (fingerprint === undefined) bad.push({ path, problem: 'missing' });
    else if (fingerprint.size !== size) bad.push({ path, problem: 'size' });
    else {
      const start = before;
      const digest = await runHashJob({ kind: 'digest', path: absolute }, { signal, onBytes: (done) => onBytes(start + done) }).catch(
        (error: unknown) => {
          if (signal.aborted || systemCode(error) === undefined) throw error;
          return undefined;
        },
      );
      if (digest?.sha256 !== sha256) bad.push({ path, problem: digest === undefined ? 'unreadable' : 'content' });
    }
    before += size;
  }
  return bad;
}
