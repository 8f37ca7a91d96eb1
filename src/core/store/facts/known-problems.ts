import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findContentProblems } from '../../catalog/contents/find-content-problems.ts';
import { withGgufKinds } from '../../catalog/contents/gguf-kind.ts';
import { findUnloadable, mayPreventLoading } from '../../catalog/contents/unloadable.ts';
import type { SizedFile } from '../../catalog/selection/groups.ts';
import { kindsInTurns } from '../../catalog/selection/kinds-in-turns.ts';
import { writeFileDurably } from '../../kernel/files/durable-file.ts';
import { createSerialQueue } from '../../kernel/flow/serial-queue.ts';
import { forEachYielding } from '../../kernel/flow/yielding.ts';
import { decode } from '../../protocol/decode.ts';
import { type ModelProblem, modelProblem, type RegistryEntry } from '../../protocol/models/entries.ts';
import { list } from '../../protocol/schema.ts';
import { readFingerprintSync } from '../../transfer/fingerprint.ts';
import { jsonFileOf, type StoreLayout } from '../layout.ts';

/** Increase it when the same files would result in other problems. */
const edition = 1;
const problemList = list(modelProblem);

/** Finds out why no program can load a model; empty for a good one, and if its files cannot be read. */
export type ProblemReader = (entry: RegistryEntry) => Promise<readonly ModelProblem[]>;

/**
 * Reads the heads of a model's weights once, and saves what they tell beside the manifests until a file changes. One model is read at a
 * time.
 */
export function createProblemReader(layout: StoreLayout, signal: AbortSignal): ProblemReader {
  /** A registry that is read again has new entries. */
  const known = new WeakMap<RegistryEntry, Promise<readonly ModelProblem[]>>();
  const reads = createSerialQueue();
  const readInTurn = (files: readonly FileInPlace[]): Promise<readonly ModelProblem[]> => reads.run(() => readProblems(files, signal));
  return (entry) => {
    const before = known.get(entry);
    if (before !== undefined) return before;
    const found = knownProblems(entry, { layout, signal, readInTurn }).catch(() => {
      known.delete(entry);
      return [];
    });
    known.set(entry, found);
    return found;
  };
}

/** A file of a model, on the disk of its store. */
type FileInPlace = SizedFile & { readonly absolute: string };

async function knownProblems(
  { model_id, store_path, files }: RegistryEntry,
  {
    layout,
    signal,
    readInTurn,
  }: {
    readonly layout: StoreLayout;
    readonly signal: AbortSignal;
    readonly readInTurn: (files: readonly FileInPlace[]) => Promise<readonly ModelProblem[]>;
  },
): Promise<readonly ModelProblem[]> {
  const kinds = await kindsInTurns(files);
  const relevant: FileInPlace[] = [];
  const hash = createHash('sha256');
  await forEachYielding(
    files.filter((path) => mayPreventLoading(path, kinds.get(path))),
    (path) => {
      const absolute = join(layout.root, store_path, path);
      const fingerprint = readFingerprintSync(absolute);
      hash.update(`${JSON.stringify([path, fingerprint])}\n`);
      // `verify` reports lost files.
      if (fingerprint !== undefined || kinds.get(path) !== 'weights-index') relevant.push({ path, absolute, size: fingerprint?.size ?? 1 });
    },
  );
  if (relevant.length === 0) return [];
  const stamp = JSON.stringify([edition, hash.digest('hex')]);
  const file = jsonFileOf(layout.problems, model_id);
  const cached = await readCache(file);
  if (cached.stamp === stamp) return decode(problemList, cached.problems) ?? [];
  const problems = await readInTurn(relevant);
  // On a read-only store, the files are read again each time.
  if (!signal.aborted) await writeFileDurably(file, JSON.stringify({ stamp, problems })).catch(() => undefined);
  return problems;
}

async function readProblems(files: readonly FileInPlace[], signal: AbortSignal): Promise<readonly ModelProblem[]> {
  signal.throwIfAborted();
  const problems = await findContentProblems(files, signal);
  if (problems.length === 0) return [];
  const absoluteOf = new Map(files.map(({ path, absolute }) => [path, absolute]));
  return findUnloadable(await withGgufKinds(files, (path) => absoluteOf.get(path) ?? path), problems);
}

/** A damaged or missing file counts as empty. */
async function readCache(file: string): Promise<{ readonly stamp?: unknown; readonly problems?: unknown }> {
  try {
    return Object(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return {};
  }
}
