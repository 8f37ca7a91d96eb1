import type { Deps } from '../../connect/deps.ts';
import { formatBytes, plural } from '../../kernel/units.ts';
import { stagingLayout } from '../../staging/layout.ts';
import { sortLeases } from '../../staging/leases/lease.ts';
import { listCopies, listUnfinished } from '../../staging/list-copies.ts';
import { isCanonicalRoot, isInsideStore } from '../../staging/same-place.ts';
import { countTrash } from '../../transfer/trash/empty-trash.ts';
import { type Check, ok, problem, problemOf, skipped, warning } from './check.ts';
import { describeFreeSpace } from './check-store-path.ts';

/** Checks whether copies can be made here, and whether the existing ones are in order. */
export async function checkStaging({ config, world }: Deps, isUsable: () => Promise<void>): Promise<readonly Check[]> {
  const { nodeCachePath, storePath, stagingEnabled } = config.settings;
  const layout = stagingLayout(nodeCachePath.value);
  if (!stagingEnabled.value) return [skipped('staging path', 'staging is disabled on this machine (staging.enabled is false)')];
  if (await isCanonicalRoot(layout.root, { storePath: storePath.value, isStoreHost: config.isStoreHost }))
    return [ok('staging path', `${layout.root} is the store itself: models are used in place, and nothing is ever evicted`)];
  if (await isInsideStore(layout.root, storePath.value))
    return [
      problem(
        'staging path',
        `${layout.root} is inside the store`,
        'set staging.node_cache_path to a directory outside the store',
        'CONFIG',
      ),
    ];
  try {
    await isUsable();
    const room = await describeFreeSpace(layout.root);
    const path = room.isLow
      ? warning(
          'staging path',
          `${layout.root} has ${room.text}`,
          'free some space on that disk, or set staging.node_cache_path to a directory on a larger one; `skulk purge-staging` removes idle copies',
        )
      : ok('staging path', `${layout.root} is writable and has ${room.text}`);
    return [path, await checkContent(layout.root, world.now())];
  } catch (error) {
    return [problemOf('staging path', error)];
  }
}

async function checkContent(root: string, now: Date): Promise<Check> {
  const layout = stagingLayout(root);
  const [{ copies, foreign }, unfinished, leases, trash] = await Promise.all([
    listCopies(layout),
    listUnfinished(layout),
    sortLeases(layout, now),
    countTrash(layout.trash),
  ]);
  const dead = leases.dead.length;
  const bytes = copies.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const found = [
    `${plural(copies.length, 'copy', 'copies')}, ${formatBytes(bytes)}`,
    ...(unfinished.length === 0 ? [] : [`unfinished: ${unfinished.join(', ')}`]),
    ...(dead === 0 ? [] : [`${plural(dead, 'lease')} of processes that are gone`]),
    ...(trash === 0 ? [] : [`${plural(trash, 'leftover')} of removals`]),
    ...(foreign.length === 0 ? [] : [`not skulk's: ${foreign.join(', ')}`]),
  ].join('; ');
  if (foreign.length > 0)
    return warning('staging', found, 'skulk never deletes files it did not create; move them away if they should not be there');
  return dead + trash > 0 ? warning('staging', found, 'run `skulk reconcile`') : ok('staging', found);
}

/** Shows what happens to unused copies. */
export function checkBudget({ config }: Deps): Check {
  const { cleanupOnDeactivate, keepRecentBytes } = config.settings;
  if (!cleanupOnDeactivate.value) return ok('budget', 'nothing is evicted automatically (staging.cleanup_on_deactivate is false)');
  if (keepRecentBytes.value === 0) return ok('budget', 'only copies in use are kept (staging_keep_recent_gb is 0)');
  return ok('budget', `up to ${formatBytes(keepRecentBytes.value)} of idle copies are kept, most recently used first`);
}
