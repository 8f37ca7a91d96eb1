import { createHash } from 'node:crypto';
import { chunkSize } from '../kernel/chunk-size.ts';
import { SkulkError } from '../kernel/errors.ts';
import { parseRelativePath, type RelativePath } from '../kernel/files/relative-path.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { isModelId } from '../kernel/model-id.ts';
import { isSha256, type Sha256 } from '../kernel/sha256.ts';
import { decode } from '../protocol/decode.ts';
import { type Manifest, type ManifestFile, type ManifestGroup, type Provenance, provenance, sideKind } from '../protocol/manifest.ts';
import { listGroups } from './selection/groups.ts';

/** The sum of the files' sizes, in bytes. */
export const totalBytes = (files: readonly { readonly size: number }[]): number => files.reduce((sum, { size }) => sum + size, 0);

/** Whether a model came with a commit and a full listing: from Hugging Face, or from an upstream store. */
export const isDownloaded = ({ source }: Pick<Manifest, 'source'>): boolean => source === 'hub' || source === 'store';

/** The digest of a set of files: sha256 over one `path NUL size NUL sha256 LF` line per file, sorted by path. */
export function digestFiles(files: readonly Pick<ManifestFile, 'path' | 'size' | 'sha256'>[]): Sha256 {
  const hash = createHash('sha256');
  let lines = '';
  for (const { path, size, sha256 } of files.toSorted(byPath)) {
    lines += `${path}\0${size}\0${sha256}\n`;
    if (lines.length < 16_384) continue;
    hash.update(lines);
    lines = '';
  }
  hash.update(lines);
  return hash.digest('hex') as Sha256;
}

/** Builds a manifest; files are sorted by path. */
export function makeManifest(
  modelId: ModelId,
  files: readonly ManifestFile[],
  facts: {
    revision?: string | null;
    commit?: string | null;
    source: string;
    createdAt: Date;
    provenance?: Provenance | undefined;
  },
): Manifest {
  const sorted = files.toSorted(byPath);
  return {
    version: 1,
    model_id: modelId,
    digest: digestFiles(sorted),
    revision: facts.revision ?? null,
    commit: facts.commit ?? null,
    source: facts.source,
    created_at: facts.createdAt.toISOString(),
    chunk_size: chunkSize,
    ...(facts.provenance !== undefined && { provenance: facts.provenance }),
    files: sorted,
    ...namingGroups(sorted),
  };
}

/** The quantizations of some files, best choice first; the digests cover only their own files. */
export function groupsOf(files: readonly ManifestFile[]): readonly ManifestGroup[] {
  // Most models have none, and some of those have very many files.
  if (!files.some(({ path }) => /\.gguf/i.test(path))) return [];
  return listGroups(files).map(({ selector, files: own }) => ({ selector, files: own.map(({ path }) => path), digest: digestFiles(own) }));
}

const namingGroups = (files: readonly ManifestFile[]): Pick<Manifest, 'groups'> => {
  const groups = groupsOf(files);
  return groups.length === 0 ? {} : { groups };
};

/** A manifest without some files: the same model from the same source, with another digest. */
export function withoutFiles(manifest: Manifest, gone: ReadonlySet<string>): Manifest {
  const { groups: _, ...rest } = manifest;
  const files = manifest.files.filter(({ path }) => !gone.has(path));
  return { ...rest, digest: digestFiles(files), files, ...namingGroups(files) };
}

/** Orders by code unit, so that every machine sorts the same way. */
const byPath = (a: { readonly path: string }, b: { readonly path: string }): number => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

/** More files than any model has; a manifest with more is hostile. */
const maxFiles = 200_000;
const maxBytes = 2 ** 50;

/**
 * Validates a manifest from a disk or from the network: every path is safe, no path is a directory of another, sizes are possible, chunk
 * lists match the sizes, and the digest matches the files.
 * @param from its source, for the message
 * @throws SkulkError INTEGRITY
 */
export function parseManifest(value: unknown, from: string): Manifest {
  const refuse = (why: string, cause?: unknown): never => {
    throw new SkulkError('INTEGRITY', `the manifest from ${from} cannot be used: ${why}`, {
      hint: 'run `skulk verify --repair` on the store host',
      cause,
    });
  };
  const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);
  if (!isObject(value)) return refuse('it is not an object');
  if (value['version'] !== 1) return refuse(`its version is ${JSON.stringify(value['version'])}, but this skulk reads version 1`);
  const { model_id, digest, files, chunk_size, source, created_at } = value;
  if (typeof model_id !== 'string' || !isModelId(model_id)) return refuse('it has no model id');
  if (!isSha256(digest)) return refuse('it has no digest');
  if (chunk_size !== chunkSize) return refuse(`its chunks are not ${chunkSize} bytes`);
  if (!Array.isArray(files)) return refuse('it has no file list');
  if (files.length > maxFiles) return refuse(`it lists ${files.length} files, more than ${maxFiles}`);
  const parsed = files.map((file: unknown, index): ManifestFile => {
    if (!isObject(file)) return refuse(`file ${index} is not an object`);
    const { path, size, sha256, chunks, hub_id } = file;
    const kind = decode(sideKind, file['gguf_kind']);
    if (typeof path !== 'string') return refuse(`file ${index} has no path`);
    try {
      parseRelativePath(path);
    } catch (error) {
      return refuse((error as Error).message, error);
    }
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || size > maxBytes)
      return refuse(`the size of file ${index} is impossible`);
    if (!isSha256(sha256)) return refuse(`file ${index} has no sha256`);
    const expected = size > chunkSize ? Math.ceil(size / chunkSize) : undefined;
    if (chunks !== undefined && (!Array.isArray(chunks) || !chunks.every(isSha256))) return refuse(`file ${index} has bad chunks`);
    if (chunks?.length !== expected) return refuse(`file ${index} has ${chunks?.length ?? 'no'} chunks for ${size} bytes`);
    return {
      path: path as RelativePath,
      size,
      sha256,
      ...(chunks !== undefined && { chunks: chunks as readonly Sha256[] }),
      ...(typeof hub_id === 'string' && { hub_id }),
      ...(kind !== undefined && { gguf_kind: kind }),
    };
  });
  const clash = findClash(parsed.map(({ path }) => path));
  if (clash !== undefined) return refuse(clash);
  if (totalBytes(parsed) > maxBytes) return refuse('its size is impossible');
  if (digestFiles(parsed) !== digest) return refuse('its digest does not match its files');
  return {
    version: 1,
    model_id,
    digest,
    revision: textOrNull(value['revision']),
    commit: textOrNull(value['commit']),
    source: typeof source === 'string' ? source : 'add',
    created_at: typeof created_at === 'string' ? created_at : '',
    chunk_size: chunkSize,
    ...provenanceIn(value['provenance']),
    files: parsed,
    // The groups in the manifest itself are for other programs; skulk always names them by its own rule.
    ...namingGroups(parsed),
  };
}

/** Nothing depends on it, so an invalid one is ignored. */
function provenanceIn(value: unknown): Pick<Manifest, 'provenance'> {
  const found = value === undefined ? undefined : decode(provenance, value);
  return found === undefined ? {} : { provenance: found };
}

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** Why a set of paths cannot be on one disk together; undefined if it can. */
export function findClash(paths: readonly string[]): string | undefined {
  const seen = new Set<string>();
  const directories = new Set<string>();
  let last = '';
  for (const path of paths) {
    if (seen.has(path)) return `it lists ${JSON.stringify(path)} twice`;
    seen.add(path);
    // Most files are in the same directory as the previous one.
    const directory = path.slice(0, path.lastIndexOf('/') + 1);
    if (directory === last) continue;
    last = directory;
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) directories.add(path.slice(0, end));
  }
  for (const path of paths) if (directories.has(path)) return `it lists ${JSON.stringify(path)} both as a file and as a directory`;
  return undefined;
}
