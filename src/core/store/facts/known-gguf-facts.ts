import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withGgufKinds } from '../../catalog/contents/gguf-kind.ts';
import { type GgufFacts, parseGgufFacts } from '../../catalog/gguf-facts.ts';
import { type KindFile, kindOf } from '../../catalog/selection/file-kind.ts';
import { loadableGguf } from '../../catalog/selection/groups.ts';
import { writeFileDurably } from '../../kernel/files/durable-file.ts';
import { forEachYielding } from '../../kernel/flow/yielding.ts';
import { decode } from '../../protocol/decode.ts';
import { type SideKind, sideKind } from '../../protocol/manifest.ts';
import type { RegistryEntry } from '../../protocol/models/entries.ts';
import { readFingerprintSync } from '../../transfer/fingerprint.ts';
import { jsonFileOf, type StoreLayout } from '../layout.ts';
import { readGgufFacts } from './read-gguf-facts.ts';

/** Increase it when the same file would result in other facts. */
const edition = 3;

/** Data from the GGUF files of a model. */
export interface KnownGguf {
  /** Facts of the file that a program loads; undefined if it is unreadable. */
  readonly facts: GgufFacts | undefined;
  /** All files of the model. Files that are not weights, despite their names, have a kind. */
  readonly files: readonly KindFile[];
}

/**
 * Reads the data from a model's GGUF files once, and saves it beside the manifests until a file changes. Undefined for a model without
 * GGUF files.
 * @param sides the files that the model's manifest marks as no weights
 */
export async function knownGguf(
  layout: StoreLayout,
  { model_id, store_path, files }: RegistryEntry,
  sides: ReadonlyMap<string, SideKind> = new Map(),
): Promise<KnownGguf | undefined> {
  // Most models have none, and some of those have very many files.
  if (!files.some((path) => /\.gguf/i.test(path))) return undefined;
  const named = files.filter((path) => kindOf(path) === 'gguf');
  const absoluteOf = (path: string): string => join(layout.root, store_path, path);
  const prints: string[] = [];
  await forEachYielding(named, (path) => void prints.push(JSON.stringify([path, readFingerprintSync(absoluteOf(path))])));
  const hash = createHash('sha256').update(prints.join('\n')).digest('hex');
  const file = jsonFileOf(layout.facts, model_id);
  const cached = await readCache(file);
  const kinds = cached.kindsStamp === stampOf(hash) ? asKinds(cached.kinds) : await readKinds(named, absoluteOf);
  const described = files.map((path) => withKind(path, kinds.get(path) ?? sides.get(path)));
  const name = loadableGguf(described);
  const fingerprint = name === undefined ? undefined : readFingerprintSync(absoluteOf(name));
  if (name === undefined || fingerprint === undefined) return { facts: undefined, files: described };
  const stamp = stampOf(name, fingerprint);
  if (cached.stamp === stamp && cached.kindsStamp === stampOf(hash)) return { facts: parseGgufFacts(cached.facts), files: described };
  const facts = (await readGgufFacts(absoluteOf(name))) ?? {};
  // On a read-only store, the file is read again each time.
  const text = JSON.stringify({ stamp, facts, kindsStamp: stampOf(hash), kinds: Object.fromEntries(kinds) });
  await writeFileDurably(file, text).catch(() => undefined);
  return { facts, files: described };
}

const stampOf = (...of: readonly unknown[]): string => JSON.stringify([edition, ...of]);

const withKind = (path: string, gguf_kind: SideKind | undefined): KindFile => (gguf_kind === undefined ? { path } : { path, gguf_kind });

async function readKinds(paths: readonly string[], absoluteOf: (path: string) => string): Promise<ReadonlyMap<string, SideKind>> {
  const found: readonly KindFile[] = await withGgufKinds(
    paths.map((path) => ({ path })),
    absoluteOf,
  );
  return asKinds(Object.fromEntries(found.map(({ path, gguf_kind }) => [path, gguf_kind])));
}

/** Drops invalid kinds: the file may have been edited by hand. */
function asKinds(value: unknown): ReadonlyMap<string, SideKind> {
  const kinds = new Map<string, SideKind>();
  for (const [path, one] of Object.entries((value ?? {}) as object)) {
    const kind = decode(sideKind, one);
    if (kind !== undefined) kinds.set(path, kind);
  }
  return kinds;
}

interface Cache {
  readonly stamp?: unknown;
  readonly facts?: unknown;
  readonly kindsStamp?: unknown;
  readonly kinds?: unknown;
}

/** A damaged or missing file counts as empty. */
async function readCache(file: string): Promise<Cache> {
  try {
    return (JSON.parse(await readFile(file, 'utf8')) ?? {}) as Cache;
  } catch {
    return {};
  }
}
