import type { World } from '../../kernel/world.ts';
import type { StoreLayout } from '../layout.ts';
import type { ModelRecords } from '../records/model-records.ts';

/** The tools for the steps of a change. */
export interface ChangeContext {
  readonly layout: StoreLayout;
  readonly records: ModelRecords;
  readonly world: World;
  /** Call it before each step that others can see. Throws LOCKED if another process has taken the lock. */
  readonly assertHeld: () => Promise<void>;
}
