import { formatRef, type ModelId } from '../../kernel/model-id.ts';
import { takeFiles } from '../../transfer/trash/take-away.ts';
import { type EvictionOptions, evictCopy } from '../evict-copy.ts';
import { copyPath, type StagingLayout } from '../layout.ts';
import { behindGate } from '../leases/gate.ts';
import { holdersOf } from '../leases/holders.ts';
import { readLiveLeases } from '../leases/lease.ts';
import { inspectPlace } from '../own-copy.ts';
import { settleChanges } from './change-journal.ts';
import type { CopyGroup } from './copy-groups.ts';

/** A copy with damaged files. */
interface DamagedCopy {
  readonly modelId: ModelId;
  /** Its single quantizations. */
  readonly parts: readonly CopyGroup[];
  /** The paths of the bad files. */
  readonly isBad: ReadonlySet<string>;
}

/**
 * Removes the damaged parts of a copy, so that the next stage fetches them again: only quantizations with bad files, and bad files that
 * all share. Parts in use stay.
 */
export async function removeDamaged(
  layout: StagingLayout,
  { modelId, parts, isBad }: DamagedCopy,
  options: Pick<EvictionOptions, 'storePath' | 'now' | 'signal'>,
): Promise<{ readonly status: 'damaged' | 'repaired'; readonly note: string }> {
  const nameOf = ({ selector }: CopyGroup): string => formatRef({ modelId, selector: selector ?? undefined });
  const damaged = parts.filter(({ files }) => files.some((path) => isBad.has(path)));
  const isOwn = new Set(parts.flatMap(({ files }) => files));
  const shared = new Set([...isBad].filter((path) => !isOwn.has(path)));
  if (parts.length < 2) {
    const { outcome } = await evictCopy(layout, modelId, options);
    return outcome === 'in-use'
      ? { status: 'damaged', note: 'it is in use, so it was left; stop what uses it first' }
      : { status: 'repaired', note: `the bad copy was removed; \`skulk stage ${modelId}\` fetches it again` };
  }
  const [removed, inUse]: [string[], string[]] = [[], []];
  for (const part of damaged) {
    const { outcome } = await evictCopy(layout, modelId, { ...options, selector: part.selector });
    (outcome === 'in-use' ? inUse : removed).push(nameOf(part));
  }
  const isSharedKept = shared.size > 0 && !(await removeShared(layout, modelId, shared, options));
  const notes = [
    ...(removed.length > 0
      ? [`removed ${removed.join(', ')}; \`skulk stage ${removed.join(' ')}\` fetches ${removed.length > 1 ? 'them' : 'it'} again`]
      : []),
    ...(shared.size > 0 && !isSharedKept ? ['the shared files were removed; the next stage fetches them again'] : []),
    ...(inUse.length > 0 ? [`${inUse.join(', ')} is in use, so it was left; stop what uses it first`] : []),
    ...(isSharedKept ? ['the copy is in use, so its shared files were kept; stop what uses it first'] : []),
  ];
  return { status: inUse.length > 0 || isSharedKept ? 'damaged' : 'repaired', note: notes.join('; ') };
}

/** After that each quantization lacks a file, so none counts as complete. @returns false if the copy is in use */
async function removeShared(
  layout: StagingLayout,
  modelId: ModelId,
  paths: ReadonlySet<string>,
  { now, signal }: Pick<EvictionOptions, 'now' | 'signal'>,
): Promise<boolean> {
  const taken = await behindGate(layout, signal, async (gate) => {
    if (holdersOf(await readLiveLeases(layout, now()), modelId).length > 0) return undefined;
    await settleChanges(layout, modelId);
    const place = copyPath(layout, modelId);
    const found = await inspectPlace(place, modelId);
    if (found.is !== 'ours') return { remove: async () => {} };
    await gate.assertHeld();
    return await takeFiles(place, layout, { isOurs: (path, item) => item.isFile() && paths.has(path) });
  });
  await taken?.remove();
  return taken !== undefined;
}
