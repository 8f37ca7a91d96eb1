import type { ModelId } from '../../kernel/model-id.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { RegistryEntry } from '../../protocol/models/entries.ts';
import type { LocalStore } from '../../store/local-store.ts';
import { type HeldViews, viewsOf } from '../view/held-views.ts';
import { findHeld } from '../view/repo-ids.ts';

/** The models of a store under their Hub names. */
export interface HeldModels {
  /** The model with this id, ignoring case if there is no exact match; undefined if there is none. Throws STORE_BUSY, INTEGRITY. */
  find(id: ModelId): Promise<HeldViews | undefined>;
  /** The model with exactly this id. Throws MODEL_NOT_FOUND, STORE_BUSY, INTEGRITY. */
  viewsOf(id: ModelId): Promise<HeldViews>;
}

/** The views of a manifest are cached as long as the store caches the manifest. */
export function createHeldModels(store: Pick<LocalStore, 'has' | 'identify' | 'listModels' | 'upstream'>): HeldModels {
  const made = new WeakMap<Manifest, Promise<HeldViews>>();
  const folded = new WeakMap<readonly RegistryEntry[], ReadonlyMap<string, readonly ModelId[]>>();
  const make = async (id: ModelId): Promise<HeldViews> => {
    const manifest = await store.identify(id);
    const known = made.get(manifest);
    if (known !== undefined) return known;
    const views = store.upstream(id).then((upstream) => viewsOf({ manifest, upstream }));
    made.set(manifest, views);
    views.catch(() => made.delete(manifest));
    return views;
  };
  return {
    viewsOf: make,
    find: async (id) => {
      if (await store.has(id)) return make(id);
      const models = await store.listModels();
      const names = folded.get(models) ?? Map.groupBy(idsOf(models), (one) => one.toLowerCase());
      folded.set(models, names);
      const other = findHeld(id, { has: () => false, folded: (lower) => names.get(lower) ?? [] });
      return other === undefined ? undefined : make(other);
    },
  };
}

const idsOf = (models: readonly RegistryEntry[]): readonly ModelId[] => models.map(({ model_id }) => model_id);
