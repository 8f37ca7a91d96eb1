import { readFile, rm, stat } from 'node:fs/promises';
import { parseManifest } from '../../catalog/manifest.ts';
import { parseUpstream, type Upstream } from '../../catalog/upstream.ts';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { writeFileDurably } from '../../kernel/files/durable-file.ts';
import { statIfPresent } from '../../kernel/files/if-present.ts';
import { jsonParts } from '../../kernel/flow/json-parts.ts';
import { mapYielding } from '../../kernel/flow/yielding.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { Manifest, ManifestFile } from '../../protocol/manifest.ts';
import { parseSeen, type Seen } from '../ingest/seen.ts';
import { jsonFileOf, type StoreLayout } from '../layout.ts';
import { readLargeManifest, readLargeUpstream } from './read-large-manifest.ts';

/** A manifest in the store's memory. */
export interface KnownManifest {
  readonly manifest: Manifest;
  readonly byPath: ReadonlyMap<string, ManifestFile>;
  readonly seen: Seen;
}

interface Cached {
  readonly stamp: string;
  readonly known: KnownManifest;
}

const maxCached = 128;
/** A larger manifest is read on a thread; in bytes. */
const largeBytes = 256 * 1024;

/** The manifests of a store's models with the fingerprints of their files. The most recently used ones stay in memory. */
export interface ModelRecords {
  /** Undefined if the model has not been hashed. Throws INTEGRITY if the manifest's file is unusable. */
  read(modelId: ModelId): Promise<KnownManifest | undefined>;
  /** Writes the fingerprints first: a manifest without them only costs new hashing, but the other order would vouch for unhashed files. */
  write(manifest: Manifest, beside: { readonly seen: Seen; readonly upstream?: Upstream | undefined }): Promise<void>;
  /** The source's files at the model's commit. They are only in the manifest's file, because there may be far more than the model's own. */
  upstream(modelId: ModelId): Promise<Upstream | undefined>;
  /** Saves new fingerprints for the files of this manifest; does nothing if the model has another one by now. */
  writeSeen(manifest: Manifest, seen: Seen): Promise<void>;
  remove(modelId: ModelId): Promise<void>;
}

/** The records in a store's `manifests/` and `seen/`. */
export function createModelRecords(layout: StoreLayout): ModelRecords {
  const cache = new Map<ModelId, Cached>();
  /** Calls during a read of the same manifest wait for its result. */
  const reading = new Map<ModelId, { readonly stamp: string; readonly known: Promise<KnownManifest | undefined> }>();
  const manifestFile = (modelId: ModelId): string => jsonFileOf(layout.manifests, modelId);
  const seenFile = (modelId: ModelId): string => jsonFileOf(layout.seen, modelId);
  const read = async (modelId: ModelId): Promise<KnownManifest | undefined> => {
    const stamp = await stampOf(manifestFile(modelId), seenFile(modelId));
    if (stamp === undefined) return undefined;
    const cached = cache.get(modelId);
    if (cached?.stamp === stamp) return cached.known;
    const under = reading.get(modelId);
    if (under?.stamp === stamp) return under.known;
    const known = readBoth({ manifest: manifestFile(modelId), seen: seenFile(modelId) }, modelId).then((read) =>
      read === undefined ? undefined : remember(stamp, read),
    );
    const mine = { stamp, known };
    reading.set(modelId, mine);
    return known.finally(() => reading.get(modelId) === mine && reading.delete(modelId));
  };
  const remember = async (stamp: string, { manifest, seen }: Pick<KnownManifest, 'manifest' | 'seen'>): Promise<KnownManifest> => {
    const { model_id, files } = manifest;
    const known = { manifest, byPath: new Map(await mapYielding(files, (file) => [file.path, file] as const)), seen };
    cache.delete(model_id);
    cache.set(model_id, { stamp, known });
    if (cache.size > maxCached) cache.delete(cache.keys().next().value ?? model_id);
    return known;
  };
  const writeSeen = (manifest: Manifest, seen: Seen): Promise<void> =>
    writeFileDurably(seenFile(manifest.model_id), jsonParts({ digest: manifest.digest, files: seen }));
  return {
    read,
    write: async (manifest, { seen, upstream }) => {
      await writeSeen(manifest, seen);
      await writeFileDurably(manifestFile(manifest.model_id), jsonParts(upstream === undefined ? manifest : { ...manifest, upstream }));
      // The next call need not read it from the disk again.
      const stamp = await stampOf(manifestFile(manifest.model_id), seenFile(manifest.model_id));
      const files = await mapYielding(manifest.files, asWritten);
      if (stamp !== undefined) await remember(stamp, { manifest: { ...manifest, files }, seen });
    },
    upstream: async (modelId) => {
      const file = manifestFile(modelId);
      if ((await sizeOf(file)) > largeBytes) return readLargeUpstream(file);
      const text = await readIfThere(file);
      return text === undefined ? undefined : parseUpstream((parseJson(text) as { upstream?: unknown } | undefined)?.upstream);
    },
    writeSeen: async (manifest, seen) => {
      if ((await read(manifest.model_id))?.manifest.digest === manifest.digest) await writeSeen(manifest, seen);
    },
    remove: async (modelId) => {
      cache.delete(modelId);
      await rm(manifestFile(modelId), { force: true });
      await rm(seenFile(modelId), { force: true });
    },
  };
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

/** Changes whenever one of the files is replaced; undefined without a manifest. @throws the disk's errors: a model with a manifest is not hashed again */
async function stampOf(manifestFile: string, seenFile: string): Promise<string | undefined> {
  const [manifest, seen] = await Promise.all([manifestFile, seenFile].map(statIfPresent));
  if (manifest === undefined) return undefined;
  return [manifest, seen].map((info) => (info === undefined ? '' : `${info.ino}:${info.mtimeNs}:${info.size}`)).join(' ');
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    if (isSystemError(error, 'EISDIR'))
      throw new SkulkError('INTEGRITY', `${path} is a directory, and should be a file`, {
        hint: 'move it away, then run `skulk verify --repair`',
      });
    // Errors of reading do not name their file.
    throw Object.assign(error as Error, { path });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The entry as it would be read from the manifest's file: the hashing may know more about a file. */
const asWritten = ({ path, size, sha256, chunks, hub_id, gguf_kind }: ManifestFile): ManifestFile => ({
  path,
  size,
  sha256,
  ...(chunks !== undefined && { chunks }),
  ...(hub_id !== undefined && { hub_id }),
  ...(gguf_kind !== undefined && { gguf_kind }),
});

async function readBoth(
  { manifest: file, seen: seenFile }: { readonly manifest: string; readonly seen: string },
  modelId: ModelId,
): Promise<Pick<KnownManifest, 'manifest' | 'seen'> | undefined> {
  if ((await sizeOf(file)) > largeBytes) return checkId(await readLargeManifest({ manifest: file, seen: seenFile }), modelId, file);
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  const manifest = parseManifest(parseJson(text), file);
  return checkId({ manifest, seen: parseSeen(await readIfThere(seenFile), manifest.digest) }, modelId, file);
}

function checkId<T extends Pick<KnownManifest, 'manifest'>>(read: T, modelId: ModelId, file: string): T {
  const { manifest } = read;
  if (manifest.model_id === modelId) return read;
  throw new SkulkError('INTEGRITY', `the manifest in ${file} belongs to ${manifest.model_id}, not to ${modelId}`, {
    hint: 'run `skulk verify --repair`',
  });
}
