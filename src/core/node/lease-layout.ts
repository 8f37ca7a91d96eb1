import type { Deps } from '../connect/deps.ts';
import { isStagedInPlace } from '../connect/resolve-canonical.ts';
import { type StagingLayout, stagingLayout } from '../staging/layout.ts';

/** Where leases are written down: with this node's copies, or with the store when models are used where it has them. */
export async function leaseLayout(
  deps: Deps,
  options: { readonly offline: boolean },
): Promise<StagingLayout & { readonly isInPlace: boolean }> {
  const { nodeCachePath, storePath } = deps.config.settings;
  const isInPlace = await isStagedInPlace(deps, options);
  return { ...stagingLayout(isInPlace ? storePath.value : nodeCachePath.value), isInPlace };
}
