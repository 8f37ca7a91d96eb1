import type { AnyCommand, CommandLoaders } from './definition.ts';

/** Loads every definition, in the order of the index. */
export const loadAll = (loaders: CommandLoaders): Promise<readonly AnyCommand[]> =>
  Promise.all(Object.values(loaders).map((load) => load()));
