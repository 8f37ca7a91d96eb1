import { parseWantedFiles, type WantedFiles } from '../core/catalog/selection/wanted-files.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { parseRelativePath, type RelativePath } from '../core/kernel/files/relative-path.ts';
import { type ModelId, type ModelRef, parseModelId, parseModelRef, parseRevision } from '../core/kernel/model-id.ts';
import type { ProgramOutput } from '../core/kernel/process/child-program.ts';
import type { WantedFilesBody } from '../core/protocol/downloads.ts';
import type { FileOptions } from './contract.ts';

/* Untyped programs can pass anything: a value that is not a text must not become a model called "undefined". */

/** @throws SkulkError USAGE for an empty text or another type */
export function readText(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new SkulkError('USAGE', `${what} must be a non-empty string`);
}

/** @throws SkulkError USAGE for a value that is not a list of texts, which may be empty */
export function readArguments(value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every((one): one is string => typeof one === 'string')) return value;
  throw new SkulkError('USAGE', 'the arguments of the program must be a list of strings');
}

/** @throws SkulkError USAGE for a value that is not `inherit`, `ignore` or a listener */
export function readOutput(value: unknown): ProgramOutput {
  if (value === undefined || value === 'inherit') return 'inherit';
  if (value === 'ignore' || typeof value === 'function') return value as ProgramOutput;
  throw new SkulkError('USAGE', "output must be 'inherit', 'ignore' or a function");
}

/** @throws SkulkError USAGE, BAD_MODEL_ID */
export const readModelId = (value: unknown): ModelId => parseModelId(readText(value, 'the id of a model'));

/** @throws SkulkError USAGE, BAD_MODEL_ID, BAD_PATH */
export const readModelRef = (value: unknown): ModelRef => parseModelRef(readText(value, 'a model'));

/** @throws SkulkError USAGE */
export const readRevision = (value: unknown): string | undefined =>
  value === undefined ? undefined : parseRevision(readText(value, 'revision'));

/** @throws SkulkError USAGE, BAD_PATH */
export function readGgufFile(value: unknown): RelativePath | undefined {
  if (value === undefined) return undefined;
  const path = readText(value, 'ggufFile');
  if (/\.gguf$/i.test(path)) return parseRelativePath(path);
  throw new SkulkError('USAGE', `"${path.slice(0, 100)}" is not a .gguf file`, { hint: 'give its path in the repo, e.g. Foo-Q5_K_M.gguf' });
}

/**
 * The requested files of a repo.
 * @throws SkulkError USAGE for a value of a wrong type, BAD_REQUEST, BAD_PATH
 */
export function readFileOptions({ weights, include, exclude, whole, mmproj }: FileOptions): WantedFiles {
  for (const patterns of [include, exclude]) if (patterns !== undefined) readArguments(patterns);
  if (whole !== undefined && typeof whole !== 'boolean') throw new SkulkError('USAGE', 'whole must be true or false');
  return parseWantedFiles({
    weights: weights === undefined ? null : (readText(weights, 'weights') as NonNullable<WantedFilesBody['weights']>),
    include: include ?? null,
    exclude: exclude ?? null,
    whole: whole ?? false,
    mmproj: mmproj === undefined ? null : readText(mmproj, 'mmproj'),
  });
}

/**
 * One model or a list of them.
 * @throws SkulkError USAGE for an empty list
 */
export function readList<T>(value: unknown, read: (one: unknown) => T): readonly T[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw new SkulkError('USAGE', 'the list of models is empty', { hint: 'name at least one model' });
  return list.map(read);
}

/** @throws SkulkError USAGE for a value that is not a number in the bounds */
export function readNumber(value: unknown, name: string, { from, to = Number.MAX_SAFE_INTEGER }: { from: number; to?: number }): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to) return value;
  throw new SkulkError('USAGE', `${name} must be a whole number from ${from}${to === Number.MAX_SAFE_INTEGER ? '' : ` to ${to}`}`);
}
