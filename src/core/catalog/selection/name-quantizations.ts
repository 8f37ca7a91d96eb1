import { listGroups } from './groups.ts';

/** The names of the quantizations of a model, best choice first; none of a model without GGUF weights. Names of files say it all. Pure. */
export function nameQuantizations(paths: readonly string[]): readonly string[] {
  // Most models have none, and some of those have very many files.
  if (!paths.some((path) => /\.gguf/i.test(path))) return [];
  return listGroups(paths.map((path) => ({ path, size: 0 }))).map(({ selector }) => selector);
}
