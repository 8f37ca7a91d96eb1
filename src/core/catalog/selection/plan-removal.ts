import { type FileKind, kindsOfFiles } from './file-kind.ts';
import { findGroup } from './find-group.ts';
import { type Group, listGroups, type SizedFile } from './groups.ts';
import { type Problem, problems } from './problems.ts';

/** The files that are removed with one quantization of a model. Shared files (config, tokenizer, projector) stay. */
export interface PlannedRemoval<F extends SizedFile = SizedFile> {
  readonly group: Group<F>;
  /** Whether no weights are left, so that the whole model is deleted. */
  readonly isLast: boolean;
}

const weights: ReadonlySet<FileKind> = new Set(['gguf', 'safetensors', 'pytorch', 'other-format']);

/**
 * Finds the quantization for a selector among a model's files. Pure.
 * @returns a problem if it matches none, or several
 */
export function planRemoval<F extends SizedFile>(files: readonly F[], selector: string): PlannedRemoval<F> | { readonly problem: Problem } {
  const kinds = kindsOfFiles(files);
  const groups = listGroups(files, kinds);
  const found = findGroup(files, selector, groups);
  if (found.state === 'ambiguous') return { problem: problems.ambiguousSelector(selector, found.groups) };
  // A path also finds a draft model or an adapter, which are not quantizations.
  const group = found.state === 'none' ? undefined : groups.find((one) => one.selector === found.group.selector);
  if (group === undefined) return { problem: problems.noSuchSelection(selector, groups) };
  const gone = new Set(group.files.map(({ path }) => path));
  return { group, isLast: !files.some(({ path }) => !gone.has(path) && weights.has(kinds.get(path) ?? 'plain')) };
}
