import type { Deps } from '../connect/deps.ts';
import { isStagedInPlace } from '../connect/resolve-canonical.ts';
import { type StagingLayout, stagingLayout } from '../staging/layout.ts';

/** The directory of leases: with this node's copies, or with the store if models are used in place. */
export async function leaseLayout(
  deps: Deps,
  options: { readonly offline: boolean },
): Promise<StagingLayout & { readonly isInPlace: boolean }> {
  const { nodeCachePath, storePath } = deps.config.settings;
  const isInPlace = await isStagedInPlace(deps, options);
  return { ...stagingLayout(isInPlace ? storePath.value : nodeCachePath.value), isInPlace };
}
