import { link, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { syncDirectory } from '../../kernel/files/durable-file.ts';
import { isTaken } from '../../kernel/files/is-there.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { ManifestFile } from '../../protocol/manifest.ts';
import type { Fingerprint } from '../../transfer/fingerprint.ts';
import { takeFiles } from '../../transfer/trash/take-away.ts';
import type { Sealed } from '../../transfer/trash/trash-entries.ts';
import { type CopyRecord, writeCopyRecord } from '../copy-record.ts';
import { readLastUsed, touchLastUsed } from '../last-used.ts';
import { copyPath, type IncomingCopy, type StagingLayout } from '../layout.ts';
import { readLocalCopy } from '../local-copy.ts';
import { requireReplaceable } from '../own-copy.ts';
import { requireIdle } from '../require-idle.ts';
import { removeChanges, settleChanges, writeChanges } from './change-journal.ts';
import { withLastUse } from './copy-groups.ts';
import { withFingerprint, withoutGroups } from './evict-group.ts';
import { type Growth, planGrowth, type WantedPart } from './plan-growth.ts';

/** The input of `growCopy` beside the files. */
interface GrowTools {
  readonly layout: StagingLayout;
  readonly wanted: WantedPart;
  readonly now: Date;
  /** The fingerprints of the files in `incoming`. */
  readonly seen: Readonly<Record<string, Fingerprint>>;
  readonly about: Pick<CopyRecord, 'companions' | 'pin' | 'verified' | 'listed'>;
  /** Called right before each step that others can see. */
  readonly assertHeld: () => Promise<void>;
}

/**
 * Adds a quantization to an existing copy. First its files are linked into the copy's directory, the last shard first. Then the record
 * lists them; until then the copy is unchanged. The caller holds the copy's lock and the gate, and has synced the files.
 * @returns the older version that was moved away, to be deleted later
 * @throws SkulkError CONFLICT if others use the version to be replaced, the copy was removed in the meantime, or a foreign file has one
 * of the names
 */
export async function growCopy(modelId: ModelId, incoming: IncomingCopy, tools: GrowTools): Promise<Sealed | undefined> {
  const { layout, wanted, now, seen, about, assertHeld } = tools;
  const place = copyPath(layout, modelId);
  await settleChanges(layout, modelId);
  const found = await readLocalCopy(layout, modelId);
  const copy = found === undefined ? undefined : { ...found, groups: withLastUse(found.groups, await readLastUsed(place)) };
  const growth = copy === undefined ? undefined : planGrowth(copy, wanted, now.toISOString());
  if (copy === undefined || growth === undefined || growth.build.files.some(({ path }) => seen[path] === undefined))
    throw wasRemoved(modelId);
  for (const group of growth.replaced) await requireIdle(layout, modelId, now, group);
  await requireReplaceable(layout, modelId);
  await assertHeld();
  await writeChanges(layout, modelId, { op: 'add', files: changesOf(growth, copy, seen) });
  const taken = await removeOlder(place, copy, growth, layout);
  const known = new Set<string>(copy.manifest.files.map(({ path }) => path));
  const goes = new Set(growth.replaced.flatMap(({ files }) => files));
  for (const { path } of growth.build.files.toReversed()) {
    await assertHeld();
    const [from, to] = [join(incoming.files, path), join(place, path)];
    if (known.has(path) && !goes.has(path)) await rename(from, to);
    else await giveName(from, to);
  }
  await syncDirectories(place, growth.build.files);
  await assertHeld();
  const record = recordOf(growth, copy, seen);
  await writeCopyRecord(place, {
    ...record,
    ...about,
    ...provenAs(about, record.of === undefined ? copy : {}),
    stagedAt: now.toISOString(),
  });
  await touchLastUsed(place, now);
  await removeChanges(layout, modelId);
  return taken;
}

/** The verification state of an extended copy: that of its least verified part. */
const provenAs = (
  about: Pick<CopyRecord, 'verified' | 'listed'>,
  kept: Pick<CopyRecord, 'verified' | 'listed'>,
): Pick<CopyRecord, 'verified' | 'listed'> => ({
  verified: [about.verified, kept.verified].includes('arrival') ? 'arrival' : (about.verified ?? kept.verified),
  listed: about.listed === undefined && kept.listed === undefined ? undefined : { ...kept.listed, ...about.listed },
});

/** Every file that is added or removed, so that a killed process leaves no unknown file. */
function changesOf({ build, replaced }: Growth, copy: CopyRecord, seen: GrowTools['seen']) {
  const goes = replaced.flatMap(({ files }) => files).flatMap((path) => withFingerprint(path, copy.seen));
  const isGroupFile = new Set(replaced.flatMap(({ files }) => files));
  const known = new Set<string>(copy.manifest.files.map(({ path }) => path));
  const comes = build.files.flatMap((file) =>
    withFingerprint(file.path, seen).map((one) => (known.has(file.path) && !isGroupFile.has(file.path) ? { ...one, file } : one)),
  );
  return [...goes, ...comes];
}

/** The whole older version is removed before the first file of the new one is linked, so that the copy never contains a mixture of both. */
async function removeOlder(place: string, copy: CopyRecord, { replaced }: Growth, layout: StagingLayout): Promise<Sealed | undefined> {
  if (replaced.length === 0) return undefined;
  const { record, files } = withoutGroups(copy, replaced);
  await writeCopyRecord(place, record);
  return await takeFiles(place, layout, { isOurs: (path) => files.has(path) });
}

function recordOf(
  { manifest, build, groups, of }: Growth,
  copy: CopyRecord,
  seen: GrowTools['seen'],
): Pick<CopyRecord, 'manifest' | 'groups' | 'of' | 'seen'> {
  const all: Record<string, Fingerprint> = Object.create(null);
  // Existing files stay, even if they were fetched again.
  const isBuilt = new Set(build.files.map(({ path }) => path));
  for (const { path } of manifest.files) {
    const fingerprint = isBuilt.has(path) ? seen[path] : copy.seen[path];
    if (fingerprint !== undefined) all[path] = fingerprint;
  }
  return { manifest, groups, of, seen: all };
}

/** A hard link never replaces a foreign file. On a disk without hard links, the file is renamed. */
async function giveName(from: string, to: string): Promise<void> {
  await makeDirectory(dirname(to));
  try {
    await link(from, to);
    return;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) throw isInTheWay(to);
    if (!isSystemError(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS')) throw error;
  }
  if (await isTaken(to)) throw isInTheWay(to);
  await rename(from, to);
}

async function syncDirectories(place: string, files: readonly ManifestFile[]): Promise<void> {
  const directories = new Set([place]);
  for (const { path } of files) for (let at = dirname(path); at !== '.'; at = dirname(at)) directories.add(join(place, at));
  for (const directory of directories) await syncDirectory(directory);
}

const isInTheWay = (path: string): SkulkError =>
  new SkulkError('CONFLICT', `${path} was not created by skulk, so it is not touched`, {
    hint: 'move it out of that directory, then stage again',
  });

const wasRemoved = (modelId: ModelId): SkulkError =>
  new SkulkError('CONFLICT', `another process changed the copy of ${modelId} while a quantization was added`, {
    hint: 'stage it again: verified data is kept',
  });
