import type { Upstream } from '../../catalog/upstream.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { Store } from '../../store/contract.ts';
import type { LocalStore } from '../../store/local-store.ts';

/** All files of a model's repo as of the last download; undefined if they were not kept. Only a store on this machine's disk has them. */
export const keptListing = async (store: Store | LocalStore, modelId: ModelId): Promise<Upstream | undefined> =>
  'upstream' in store ? await store.upstream(modelId) : undefined;
