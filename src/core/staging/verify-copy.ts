import { join } from 'node:path';
import { systemCode } from '../kernel/errors.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { readFingerprint } from '../transfer/fingerprint.ts';
import { runHashJob } from '../transfer/hash-pool.ts';
import { readCopyRecord } from './copy-record.ts';
import { type EvictionOptions, evictCopy } from './evict-copy.ts';
import type { StagingLayout } from './layout.ts';
import type { StagedCopy } from './list-copies.ts';

/** What became of one staged copy. */
export interface VerifiedCopy {
  readonly model_id: ModelId;
  readonly status: 'ok' | 'damaged' | 'repaired';
  readonly bad_files: readonly { readonly path: string; readonly problem: 'missing' | 'size' | 'content' | 'unreadable' }[];
  readonly note?: string;
}

/** Hashes a staged copy again; with `repair` a bad one is removed, so that the next stage brings it anew. */
export async function verifyCopy(
  layout: StagingLayout,
  { modelId, directory }: StagedCopy,
  {
    repair,
    onBytes,
    ...eviction
  }: Pick<EvictionOptions, 'storePath' | 'now' | 'signal'> & { repair: boolean; onBytes: (done: number) => void },
): Promise<VerifiedCopy> {
  const { signal } = eviction;
  const record = await readCopyRecord(directory);
  if (record === undefined)
    return {
      model_id: modelId,
      status: 'damaged',
      bad_files: [],
      note: `nothing says what it should hold; \`skulk stage ${modelId}\` makes a verified copy`,
    };
  const bad: VerifiedCopy['bad_files'][number][] = [];
  let before = 0;
  for (const { path, size, sha256 } of record.manifest.files) {
    const absolute = join(directory, path);
    const fingerprint = readFingerprint(absolute);
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
  if (bad.length === 0) return { model_id: modelId, status: 'ok', bad_files: [] };
  if (!repair) return { model_id: modelId, status: 'damaged', bad_files: bad, note: `\`skulk stage --force ${modelId}\` brings it anew` };
  const { outcome } = await evictCopy(layout, modelId, eviction);
  if (outcome === 'in-use')
    return { model_id: modelId, status: 'damaged', bad_files: bad, note: 'it is in use, so it was left; stop what uses it first' };
  return {
    model_id: modelId,
    status: 'repaired',
    bad_files: bad,
    note: `the bad copy was removed; \`skulk stage ${modelId}\` brings it anew`,
  };
}
