import { constants, copyFile, rm } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { kindsOfFiles } from '../catalog/selection/file-kind.ts';
import type { Ask, EnginePlan, EngineRequest, FoundEngine } from './contract.ts';
import { usualBitsOf } from './llama-types.ts';

/*
 * Importance matrices: files that list which columns of a tensor are important, so that few bits lose less. llama-imatrix creates them;
 * many repos with full weights contain one. Source: https://github.com/ggml-org/llama.cpp/tree/master/tools/imatrix
 */

/** An importance matrix of a model. */
export interface Matrix {
  /** The path in the source. */
  readonly path: string;
  /** The same file, as an absolute path. */
  readonly absolute: string;
  /** In bytes. */
  readonly size: number;
}

/** A repo has one matrix, at most one in each of the two formats. */
const maxTried = 3;

/** @returns the source's matrix that the program can read, and the paths of those that it cannot read */
export async function findMatrix(
  { program, abilities }: FoundEngine,
  { files, directory }: EngineRequest,
  ask: Ask,
): Promise<{ readonly matrix: Matrix | undefined; readonly unreadable: readonly string[] }> {
  const kinds = kindsOfFiles(files);
  const candidates = files.filter(({ path }) => kinds.get(path) === 'imatrix').toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const unreadable: string[] = [];
  for (const { path, size } of abilities.has('imatrix') ? candidates.slice(0, maxTried) : []) {
    const absolute = join(directory, path);
    // It reads the matrix before the weights, which do not exist.
    const { lines } = await ask(program, ['--imatrix', absolute, '/dev/null/no-such-model.gguf', '/dev/null/no-such-result.gguf', 'Q4_0']);
    if (lines.some((line) => /: loaded \d+ importance matrix entries/.test(line))) return { matrix: { path, absolute, size }, unreadable };
    unreadable.push(path);
  }
  return { matrix: undefined, unreadable };
}

/** Types of eight bits and more are made without a matrix. */
export const takesMatrix = (type: string): boolean => (usualBitsOf(type) ?? 0) < 8;

/** The program writes the path of the matrix into its result, so the name must be the same in every store. */
export const nameOfMatrix = ({ path }: Pick<Matrix, 'path'>): string => `imatrix${extname(path)}`;

/** Copies the matrix into the directory where the program will run. */
export async function placeMatrix({ matrix }: Pick<EnginePlan, 'matrix'>, work: string): Promise<void> {
  if (matrix === undefined) return;
  const to = join(work, nameOfMatrix(matrix));
  await rm(to, { force: true });
  await copyFile(matrix.absolute, to, constants.COPYFILE_FICLONE);
}
