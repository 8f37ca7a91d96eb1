import type { World } from '../../kernel/world.ts';
import type { StoreLayout } from '../layout.ts';
import type { ModelRecords } from '../records/model-records.ts';

/** What the steps of a change work with. */
export interface ChangeContext {
  readonly layout: StoreLayout;
  readonly records: ModelRecords;
  readonly world: World;
  /** Asked before each step that others see. Throws LOCKED when another process has taken the lock. */
  readonly assertHeld: () => Promise<void>;
}
