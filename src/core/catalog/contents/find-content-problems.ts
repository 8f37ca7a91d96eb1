import { constants, type FileHandle, open } from 'node:fs/promises';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { quote } from '../../kernel/files/relative-path.ts';
import { mapConcurrently, maxOpenFiles } from '../../kernel/flow/concurrency.ts';
import type { FileKind } from '../selection/file-kind.ts';
import { listGroups, type SizedFile } from '../selection/groups.ts';
import { kindsInTurns } from '../selection/kinds-in-turns.ts';
import type { Finding } from './finding.ts';
import { problemOfTensors } from './gguf-tensors.ts';
import { headBytes, isGguf, isWorthALook, problemOfHead } from './problem-of-head.ts';
import { type ContentProblem, problemsOfList } from './problems-of-list.ts';

export type { ContentProblem } from './problems-of-list.ts';

/** A file of a model, and its path on the disk. */
export interface FileOnDisk extends SizedFile {
  readonly absolute: string;
}

/** The index of a model with 10,000 shards has some megabytes. */
const maxIndexBytes = 32 * 1024 * 1024;

/**
 * Finds files that cannot be part of a model, whatever their hashes are: pointers of Git LFS, web pages, empty or damaged weights, and
 * missing shards. Reads at most `headBytes` of each file, the headers of GGUF files, and indexes of shards. Skips unreadable files.
 * @returns at most one problem per file, in the order of the files
 */
export async function findContentProblems(files: readonly FileOnDisk[], signal: AbortSignal): Promise<readonly ContentProblem[]> {
  const kinds = await kindsInTurns(files.map(({ path }) => path));
  const cut = listGroups(files, kinds).filter((group) => group.cut === 'unknown' || group.cut === 'bytes');
  const parts = new Set(cut.flatMap((group) => group.files.map(({ path }) => path)));
  const laterParts = new Set(cut.flatMap((group) => group.files.slice(group.cut === 'bytes' ? 1 : 0).map(({ path }) => path)));
  const indexes = new Map<string, readonly string[]>();
  const ofHeads = await mapConcurrently(files, maxOpenFiles, async ({ path, size, absolute }): Promise<Finding | undefined> => {
    if (signal.aborted) throw signal.reason;
    const kind: FileKind = kinds.get(path) ?? 'plain';
    if (!isWorthALook({ path, kind, size })) return undefined;
    return withFile(absolute, async (file) => {
      const head = await readHead(file, kind === 'weights-index' ? Math.min(size, maxIndexBytes) : headBytes);
      const shards = kind === 'weights-index' ? parseIndex(head) : undefined;
      if (shards !== undefined) indexes.set(path, shards);
      const found = problemOfHead({ path, kind, size, head, isLaterPart: laterParts.has(path) });
      return found ?? (isGguf({ path, kind }) && !parts.has(path) ? problemOfTensors(file, { size, signal }) : undefined);
    });
  });
  const problems = new Map(problemsOfList(files, kinds, (path) => indexes.get(path)).map((one) => [one.path, one]));
  return files.flatMap(({ path }, index) => {
    const found = ofHeads[index] ?? problems.get(path);
    return found === undefined ? [] : [{ ...found, path }];
  });
}

/** A sentence for the user: `"a.gguf" cannot be used: it is empty`. */
export const describeProblem = ({ path, reason }: ContentProblem): string => `${quote(path)} cannot be used: ${reason}`;

const maxDescribed = 5;

/** A few of many problems, as warnings. @param of the owner of the files, e.g. a model's id */
export function describeProblems(problems: readonly ContentProblem[], of: string): readonly string[] {
  const more = problems.length - maxDescribed;
  return [
    ...problems.slice(0, maxDescribed).map((one) => `${of}: ${describeProblem(one)}`),
    ...(more > 0 ? [`${of}: ${more} more files cannot be used`] : []),
  ];
}

/** Rejects a model with problems. Throws INTEGRITY. */
export function requireUsable(problems: readonly ContentProblem[], of: string): void {
  const [first] = problems;
  if (first === undefined) return;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  throw new SkulkError('INTEGRITY', `${of} is refused: ${describeProblem(first)}${more}`, {
    hint: 'without --strict it is accepted with a warning',
  });
}

async function withFile<T>(path: string, read: (file: FileHandle) => Promise<T>): Promise<T | undefined> {
  let file: FileHandle;
  try {
    // Do not wait for a pipe.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EACCES', 'EPERM', 'ENOTDIR', 'ENXIO', 'EISDIR')) return undefined;
    throw error;
  }
  try {
    return await read(file);
  } finally {
    await file.close();
  }
}

async function readHead(file: FileHandle, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(length, (await file.stat()).size));
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** The shards in an index, without duplicates. */
function parseIndex(bytes: Buffer): readonly string[] | undefined {
  try {
    const { weight_map } = JSON.parse(bytes.toString('utf8')) as { weight_map?: unknown };
    if (typeof weight_map !== 'object' || weight_map === null) return undefined;
    return [...new Set(Object.values(weight_map).filter((name): name is string => typeof name === 'string'))].toSorted();
  } catch {
    return undefined;
  }
}
