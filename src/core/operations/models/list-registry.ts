import type { Deps } from '../../connect/deps.ts';
import { openStore } from '../../connect/open-store.ts';
import type { RegistryList } from '../../protocol/models.ts';

/** One for all comparisons: 2,000 models take 20,000 of them. */
const collator = new Intl.Collator('en');

/** Lists the store's models; with tags, only those that have them all. */
export async function listRegistry(deps: Deps, { tags }: { readonly tags: readonly string[] }): Promise<RegistryList> {
  await using opened = await openStore(deps);
  const entries = await opened.store.listDescribed();
  return {
    entries: entries
      .filter((entry) => tags.every((tag) => entry.tags.some((own) => own === tag)))
      .toSorted((a, b) => collator.compare(a.model_id, b.model_id)),
  };
}
