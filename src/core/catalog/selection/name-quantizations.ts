import type { KindFile } from './file-kind.ts';
import { listGroups } from './groups.ts';

/** The selectors of a model's quantizations, best choice first; empty without GGUF weights. Pure. */
export function nameQuantizations(files: readonly KindFile[]): readonly string[] {
  // Most models have none, and some of those have very many files.
  if (!files.some(({ path }) => /\.gguf/i.test(path))) return [];
  return listGroups(files.map((file) => ({ ...file, size: 0 }))).map(({ selector }) => selector);
}
