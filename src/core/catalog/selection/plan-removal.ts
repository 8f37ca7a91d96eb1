import { type FileKind, kindsOfFiles } from './file-kind.ts';
import { findGroup } from './find-group.ts';
import { type Group, listGroups, type SizedFile } from './groups.ts';
import { type Problem, problems } from './problems.ts';

/** The files that are removed with one quantization of a model, or with one draft or adapter. Shared files (config, tokenizer, projector) stay. */
export interface PlannedRemoval<F extends SizedFile = SizedFile> {
  readonly group: Group<F>;
  /** Whether nothing is left that a program loads, so that the whole model is deleted. */
  readonly isLast: boolean;
}

const weights: ReadonlySet<FileKind> = new Set(['gguf', 'safetensors', 'pytorch', 'other-format']);

/** GGUF files beside the weights that have no label; their path selects them. */
const sides: ReadonlySet<FileKind> = new Set(['draft', 'adapter', 'vocabulary', 'imatrix']);

/**
 * Finds the quantization for a selector among a model's files; a path also finds a draft, an adapter and the like. Pure.
 * @returns a problem if it matches none, or several
 */
export function planRemoval<F extends SizedFile>(files: readonly F[], selector: string): PlannedRemoval<F> | { readonly problem: Problem } {
  const kinds = kindsOfFiles(files);
  const groups = listGroups(files, kinds);
  const found = findGroup(files, selector, groups);
  if (found.state === 'ambiguous') return { problem: problems.ambiguousSelector(selector, found.groups) };
  if (found.state === 'none') return { problem: problems.noSuchSelection(selector, groups) };
  const quantization = groups.find((one) => one.selector === found.group.selector);
  const isSide = quantization === undefined && found.group.files.every(({ path }) => sides.has(kinds.get(path) ?? 'plain'));
  // A projector is shared, so it stays as long as there are weights.
  if (quantization === undefined && !isSide) return { problem: problems.noSuchSelection(selector, groups) };
  const group = quantization ?? found.group;
  const keeps = (kind: FileKind): boolean => weights.has(kind) || (isSide && sides.has(kind));
  const gone = new Set(group.files.map(({ path }) => path));
  return { group, isLast: !files.some(({ path }) => !gone.has(path) && keeps(kinds.get(path) ?? 'plain')) };
}
