import { isDiskFull } from '../../kernel/errors.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { Fingerprint } from '../../transfer/fingerprint.ts';
import { takeFiles } from '../../transfer/trash/take-away.ts';
import type { Sealed } from '../../transfer/trash/trash-entries.ts';
import { type CopyRecord, writeCopyRecord } from '../copy-record.ts';
import { touchLastUsed } from '../last-used.ts';
import { copyPath, type StagingLayout } from '../layout.ts';
import { removeChanges, writeChanges } from './change-journal.ts';
import { type CopyGroup, makeCopyGroup, newestGroup, splitGroups, withoutShared } from './copy-groups.ts';
import { remake } from './plan-growth.ts';

/** A copy's manifest without some of its quantizations. Files shared with remaining quantizations stay. Pure. */
export function withoutGroups(
  record: CopyRecord,
  groups: readonly CopyGroup[],
): { readonly record: CopyRecord; readonly files: ReadonlySet<string> } {
  const { manifest, seen } = record;
  const goes = new Set(groups.map(({ digest }) => digest));
  const kept = splitGroups(manifest, record.groups).filter(({ digest }) => !goes.has(digest));
  const stays = new Set(kept.flatMap(({ files }) => files));
  const own = groups.flatMap(({ files }) => withoutShared(files.map((path) => ({ path }))));
  const files = new Set(own.filter((path) => !stays.has(path)));
  const left = remake(
    manifest,
    manifest.files.filter(({ path }) => !files.has(path)),
  );
  const seenLeft: Record<string, Fingerprint> = Object.create(null);
  for (const { path } of left.files) if (seen[path] !== undefined) seenLeft[path] = seen[path];
  return {
    record: { ...record, manifest: left, seen: seenLeft, groups: kept.map((group) => makeCopyGroup(left, group, group.lastUsed)) },
    files,
  };
}

/**
 * Removes one of several quantizations. It is absent as soon as the record does not list it. The caller is behind the gate.
 * @returns the files that were moved away, to be deleted later
 */
export async function evictGroup(
  layout: StagingLayout,
  { modelId, copy, group }: { readonly modelId: ModelId; readonly copy: CopyRecord; readonly group: CopyGroup },
  assertHeld: () => Promise<void>,
): Promise<Sealed> {
  const place = copyPath(layout, modelId);
  const { record, files } = withoutGroups(copy, [group]);
  const isOurs = (path: string): boolean => files.has(path);
  await assertHeld();
  try {
    await writeChanges(layout, modelId, { op: 'remove', files: [...files].flatMap((path) => withFingerprint(path, copy.seen)) });
    await writeCopyRecord(place, record);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    // Files must be removed before anything can be written. A kill right here leaves the quantization incomplete, so it does not count as
    // present.
    const removed = await takeFiles(place, { trash: undefined }, { isOurs });
    await writeCopyRecord(place, record);
    await removeChanges(layout, modelId);
    return removed;
  }
  // The copy's date is that of its most recently used group.
  const newest = newestGroup(record.groups);
  if (newest !== undefined) await touchLastUsed(place, new Date(newest.lastUsed));
  const taken = await takeFiles(place, layout, { isOurs });
  await removeChanges(layout, modelId);
  return taken;
}

/** A file with its fingerprint from the verification. Unverified files are omitted. */
export function withFingerprint(path: string, seen: CopyRecord['seen']): readonly { path: string; fingerprint: Fingerprint }[] {
  const fingerprint = seen[path];
  return fingerprint === undefined ? [] : [{ path, fingerprint }];
}
