import { type FileKind, kindsOfFiles } from './file-kind.ts';
import { findGroup } from './find-group.ts';
import { type Group, listGroups, type SizedFile } from './groups.ts';
import { type Problem, problems } from './problems.ts';

/** What goes when one quantization of a model is removed. What several share (config, tokenizer, projector) stays. */
export interface PlannedRemoval<F extends SizedFile = SizedFile> {
  readonly group: Group<F>;
  /** Whether no weights would be left, so that the model goes as a whole. */
  readonly isLast: boolean;
}

const weights: ReadonlySet<FileKind> = new Set(['gguf', 'safetensors', 'pytorch', 'other-format']);

/**
 * Finds the quantization that a selector names among a model's files. Pure.
 * @returns a problem when it names none, or several
 */
export function planRemoval<F extends SizedFile>(files: readonly F[], selector: string): PlannedRemoval<F> | { readonly problem: Problem } {
  const kinds = kindsOfFiles(files);
  const groups = listGroups(files, kinds);
  const found = findGroup(files, selector, groups);
  if (found.state === 'ambiguous') return { problem: problems.ambiguousSelector(selector, found.groups) };
  // A path also finds a draft model or an adapter, which are no quantizations.
  const group = found.state === 'none' ? undefined : groups.find((one) => one.selector === found.group.selector);
  if (group === undefined) return { problem: problems.noSuchSelection(selector, groups) };
  const gone = new Set(group.files.map(({ path }) => path));
  return { group, isLast: !files.some(({ path }) => !gone.has(path) && weights.has(kinds.get(path) ?? 'plain')) };
}
