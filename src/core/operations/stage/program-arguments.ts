import { join } from 'node:path';
import type { KindFile } from '../../catalog/selection/file-kind.ts';
import { findLoadable } from '../../catalog/selection/loadable-files.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import { isDraft, missingFile, type NeededFile } from './needed-files.ts';
import type { StagedModel } from './stage-report.ts';

/** The values of the placeholders. */
export interface ArgumentValues {
  /** The directory of the copy. The other paths are absolute too. */
  readonly path: string;
  readonly model: string;
  /** The first shard of the quantization. */
  readonly gguf: string | undefined;
  readonly mmproj: string | undefined;
  /** The draft model in the copy, else a companion: its GGUF file, or its directory. */
  readonly draft: string | undefined;
}

/** `{{` is an escaped brace. */
const words = /\{\{|\{(path|model|gguf|mmproj|draft)\}/g;
const files: ReadonlySet<string> = new Set<NeededFile>(['gguf', 'mmproj', 'draft']);

/** The files that a program's arguments use. */
export function findNeeds(args: readonly string[]): readonly NeededFile[] {
  const named = args.flatMap((text) => [...text.matchAll(words)].flatMap(([, name]) => name ?? []));
  return [...new Set(named)].filter((name): name is NeededFile => files.has(name));
}

/** @param listed the files of the copy */
export function findValues(
  { model_id: model, path, gguf_file, mmproj_file, companions = [] }: StagedModel,
  listed: readonly KindFile[],
): ArgumentValues {
  const at = (directory: string, file: string | null | undefined): string | undefined => (file == null ? undefined : join(directory, file));
  const companion = companions.find(isDraft);
  const draft = at(path, findLoadable(listed).draft) ?? (companion && (at(companion.path, companion.gguf_file) ?? companion.path));
  return { path, model, gguf: at(path, gguf_file), mmproj: at(path, mmproj_file), draft };
}

/**
 * Replaces `{path}`, `{model}`, `{gguf}`, `{mmproj}` and `{draft}` in an argument, and `{{` by a brace. Leaves everything else unchanged.
 * @throws SkulkError FILE_NOT_FOUND
 */
export const fillIn = (text: string, values: ArgumentValues, ref: ModelRef): string =>
  text.replaceAll(words, (_, name?: keyof ArgumentValues) => {
    if (name === undefined) return '{';
    const value = values[name];
    if (value === undefined) throw missingFile(ref, name as NeededFile);
    return value;
  });
