import { dirname, join } from 'node:path';
import type { Companion } from '../catalog/companions.ts';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { renameDurably, syncDirectory } from '../kernel/files/durable-file.ts';
import { quote } from '../kernel/files/relative-path.ts';
import { mapConcurrently, maxOpenFiles } from '../kernel/flow/concurrency.ts';
import type { HeldLock } from '../kernel/process/lock.ts';
import type { Manifest, ManifestFile } from '../protocol/manifest.ts';
import type { Fingerprint } from '../transfer/fingerprint.ts';
import { syncFile } from '../transfer/sync-file.ts';
import { takeAway } from '../transfer/trash/take-away.ts';
import { markAsMoving } from '../transfer/work-names.ts';
import { removeWorkPlace } from '../transfer/work-place.ts';
import { type CopyRecord, writeCopyRecord } from './copy-record.ts';
import { settleChanges } from './groups/change-journal.ts';
import { makeCopyGroup, withUnnamed } from './groups/copy-groups.ts';
import { growCopy } from './groups/grow-copy.ts';
import type { WantedPart } from './groups/plan-growth.ts';
import { touchLastUsed } from './last-used.ts';
import { copyPath, type IncomingCopy, type StagingLayout } from './layout.ts';
import { behindGate } from './leases/gate.ts';
import { proveReplaceable, requireOwnPlace } from './own-copy.ts';
import { requireIdle } from './require-idle.ts';

/** The input of `publishCopy` beside the copy. */
export interface PublishTools {
  readonly layout: StagingLayout;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** The copy's lock, checked right before each rename: another process may have taken it while this one was suspended. */
  readonly lock: Pick<HeldLock, 'assertHeld'>;
  readonly companions: readonly Companion[];
  /** The file that the model's card names. */
  readonly pin?: string | undefined;
  /** For a store without manifests; see `CopyRecord`. */
  readonly proof?: Pick<CopyRecord, 'verified' | 'listed'> | undefined;
  readonly wanted: WantedPart;
  /** Whether to add the files to the existing copy, which keeps its own. */
  readonly grows: boolean;
  /** Called when the copy is complete, to check that it is still wanted. A rejection prevents its publication. */
  readonly confirm?: (() => Promise<void>) | undefined;
}

/**
 * Syncs everything once, then publishes the copy with one rename, or links its files into the existing copy. A replaced copy first moves
 * to the trash.
 * @param manifest the manifest of the built files
 * @throws SkulkError INTEGRITY if a file does not have its written length, or two files of the model share one name on this disk;
 * CONFLICT if another process uses the copy to be replaced, or skulk did not create everything there
 */
export async function publishCopy(manifest: Manifest, incoming: IncomingCopy, tools: PublishTools): Promise<void> {
  const { layout, now, signal, lock, companions, pin, proof, wanted, confirm } = tools;
  const seen = await syncFiles(manifest, incoming, signal);
  await confirm?.();
  await lock.assertHeld();
  const about = { companions, ...(pin !== undefined && { pin }), ...proof };
  if (!tools.grows) await writeRecord();
  await markAsMoving(incoming);
  const place = copyPath(layout, manifest.model_id);
  const replaced = await behindGate(layout, signal, async (gate) => {
    const assertHeld = async (): Promise<void> => {
      await lock.assertHeld();
      await gate.assertHeld();
    };
    if (tools.grows) return await growCopy(manifest.model_id, incoming, { layout, wanted, now: now(), seen, about, assertHeld });
    await requireIdle(layout, manifest.model_id, now());
    await settleChanges(layout, manifest.model_id);
    await assertHeld();
    const old = await takeAway(place, layout, proveReplaceable(manifest.model_id));
    try {
      await assertHeld();
      await renameDurably(incoming.files, place);
    } catch (error) {
      await old?.restore();
      // Explain which item appeared at the path in this moment.
      if (isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) await requireOwnPlace(layout, manifest.model_id);
      throw error;
    }
    return await old?.seal();
  });
  await removeWorkPlace(incoming);
  await replaced?.remove();

  async function writeRecord(): Promise<void> {
    const time = now().toISOString();
    const groups = withUnnamed(manifest, [makeCopyGroup(manifest, { ...wanted.group, stagedAt: time }, time)], time);
    await writeCopyRecord(incoming.files, { manifest, ...about, seen, groups, of: wanted.whole?.digest, stagedAt: time });
    await touchLastUsed(incoming.files, now());
  }
}

async function syncFiles(manifest: Manifest, incoming: IncomingCopy, signal: AbortSignal): Promise<Record<string, Fingerprint>> {
  // A model may have a file called `__proto__`.
  const seen: Record<string, Fingerprint> = Object.create(null);
  const directories = new Set<string>([incoming.files]);
  const contentOf = new Map<string, string>();
  // A disk syncs many files at once in about the time of one.
  const fingerprints = await mapConcurrently(manifest.files, maxOpenFiles, async ({ path, size }) => {
    if (signal.aborted) throw signal.reason;
    const absolute = join(incoming.files, path);
    const fingerprint = await syncFile(absolute);
    if (fingerprint.size === size) return fingerprint;
    throw new SkulkError('INTEGRITY', `${absolute} changed while it was staged`, {
      hint: 'find the program that writes there, then stage again',
    });
  });
  for (const [index, fingerprint] of fingerprints.entries()) {
    const { path, sha256 } = manifest.files[index] as ManifestFile;
    const other = contentOf.get(fingerprint.inode);
    if (other !== undefined && other !== sha256) {
      throw new SkulkError(
        'INTEGRITY',
        `this disk cannot tell ${quote(path)} of ${manifest.model_id} from another of its files, because it ignores case or accents in names`,
        {
          hint: 'set staging.node_cache_path to a disk that distinguishes them',
        },
      );
    }
    contentOf.set(fingerprint.inode, sha256);
    seen[path] = fingerprint;
    for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) directories.add(join(incoming.files, parent));
  }
  await mapConcurrently([...directories], maxOpenFiles, syncDirectory);
  return seen;
}
