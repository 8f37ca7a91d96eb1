import type { ModelId } from '../kernel/model-id.ts';
import type { World } from '../kernel/world.ts';
import type { WorkOptions } from './contract.ts';
import type { QuantizationRemoval } from './local-store.ts';
import type { KnownManifest } from './records/model-records.ts';
import type { StoreIndex } from './store-index.ts';

/**
 * Runs a change to a model's files while no process of this machine uses them in place. Throws CONFLICT.
 * @param group the quantization to change, if it is only that one
 */
export type WhenUnused = <T>(
  modelId: ModelId,
  work: () => Promise<T>,
  group?: Pick<QuantizationRemoval, 'selector' | 'files'>,
) => Promise<T>;

/** The parts of a store that work on it needs. */
export interface StoreContext extends Pick<StoreIndex, 'layout' | 'records' | 'writer' | 'registry'> {
  readonly world: World;
  readonly whenUnused: WhenUnused;
  /** The manifest of a registered model, which is hashed first if necessary. */
  readonly knownManifest: (modelId: ModelId, options: WorkOptions) => Promise<KnownManifest | undefined>;
}
