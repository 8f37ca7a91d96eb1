import { isSharedKind, kindsOfFiles } from './file-kind.ts';
import { findGroup } from './find-group.ts';
import { listGroups, type SizedFile } from './groups.ts';
import { type Problem, problems } from './problems.ts';

/** One quantization of a model, and the files that it shares with others. */
export interface Part<F extends SizedFile = SizedFile> {
  /** As named by the model's files. */
  readonly selector: string;
  readonly files: readonly F[];
}

/**
 * Finds a quantization's files among a model's files. Pure.
 * @returns a problem if the selector matches none, or several
 */
export function findPart<F extends SizedFile>(files: readonly F[], selector: string): Part<F> | { readonly problem: Problem } {
  const kinds = kindsOfFiles(files);
  const groups = listGroups(files, kinds);
  const found = findGroup(files, selector, groups);
  if (found.state === 'ambiguous') return { problem: problems.ambiguousSelector(selector, found.groups) };
  if (found.state === 'none') return { problem: problems.noSuchSelection(selector, groups) };
  const own = new Set(found.group.files.map(({ path }) => path));
  return { selector: found.group.selector, files: files.filter(({ path }) => own.has(path) || isSharedKind(kinds.get(path))) };
}
