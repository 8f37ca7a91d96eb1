import type { ModelId } from '../kernel/model-id.ts';
import type { World } from '../kernel/world.ts';
import type { QuantizationRemoval, WorkOptions } from './contract.ts';
import type { KnownManifest } from './records/model-records.ts';
import type { StoreIndex } from './store-index.ts';

/**
 * Runs a change to a model's files while no process of this machine uses them where they lie. Throws CONFLICT.
 * @param group the quantization that is changed, if it is only that one
 */
export type WhenUnused = <T>(
  modelId: ModelId,
  work: () => Promise<T>,
  group?: Pick<QuantizationRemoval, 'selector' | 'files'>,
) => Promise<T>;

/** What work on a store needs of it. */
export interface StoreContext extends Pick<StoreIndex, 'layout' | 'records' | 'writer' | 'registry'> {
  readonly world: World;
  readonly whenUnused: WhenUnused;
  /** The manifest of a model that is registered, hashing it first if need be. */
  readonly knownManifest: (modelId: ModelId, options: WorkOptions) => Promise<KnownManifest | undefined>;
}
