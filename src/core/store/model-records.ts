import { readFile, rm, stat } from 'node:fs/promises';
import { type Manifest, type ManifestFile, parseManifest } from '../catalog/manifest.ts';
import { writeFileDurably } from '../kernel/durable-file.ts';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { Fingerprint } from '../transfer/fingerprint.ts';
import { jsonFileOf, type StoreLayout } from './layout.ts';

/** What each file looked like when it was hashed, by path. */
export type Seen = Readonly<Record<string, Fingerprint>>;

/** A manifest as the store holds it in memory. */
export interface KnownManifest {
  readonly manifest: Manifest;
  readonly byPath: ReadonlyMap<string, ManifestFile>;
  readonly seen: Seen;
}

interface Cached {
  readonly stamp: string;
  readonly known: KnownManifest;
}

const mostCached = 128;

/** The manifests of a store's models with what was seen of their files; the last ones used stay in memory. */
export interface ModelRecords {
  /**
   * Undefined when the model has not been hashed.
   * Throws INTEGRITY when the manifest's file cannot be used.
   */
  read(modelId: ModelId): Promise<KnownManifest | undefined>;
  /** What was seen goes first: a manifest without it costs a new hashing, the other order would vouch for unseen files. */
  write(manifest: Manifest, seen: Seen): Promise<void>;
  /** Says how the files of this manifest look now; nothing happens when the model has another one meanwhile. */
  writeSeen(manifest: Manifest, seen: Seen): Promise<void>;
  remove(modelId: ModelId): Promise<void>;
}

/** The records in a store's `manifests/` and `seen/`. */
export function createModelRecords(layout: StoreLayout): ModelRecords {
  const cache = new Map<ModelId, Cached>();
  const manifestFile = (modelId: ModelId): string => jsonFileOf(layout.manifests, modelId);
  const seenFile = (modelId: ModelId): string => jsonFileOf(layout.seen, modelId);
  const read = async (modelId: ModelId): Promise<KnownManifest | undefined> => {
    const stamp = await stampOf(manifestFile(modelId), seenFile(modelId));
    if (stamp === undefined) return undefined;
    const cached = cache.get(modelId);
    if (cached?.stamp === stamp) return cached.known;
    const text = await readIfThere(manifestFile(modelId));
    if (text === undefined) return undefined;
    const manifest = parseOwnManifest(text, modelId, manifestFile(modelId));
    const known = {
      manifest,
      byPath: new Map(manifest.files.map((file) => [file.path, file])),
      seen: parseSeen(await readIfThere(seenFile(modelId)), manifest),
    };
    cache.delete(modelId);
    cache.set(modelId, { stamp, known });
    if (cache.size > mostCached) cache.delete(cache.keys().next().value ?? modelId);
    return known;
  };
  const writeSeen = (manifest: Manifest, seen: Seen): Promise<void> =>
    writeFileDurably(seenFile(manifest.model_id), JSON.stringify({ digest: manifest.digest, files: seen }));
  return {
    read,
    write: async (manifest, seen) => {
      await writeSeen(manifest, seen);
      await writeFileDurably(manifestFile(manifest.model_id), JSON.stringify(manifest));
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

/** Changes whenever one of the files is replaced. */
async function stampOf(manifestFile: string, seenFile: string): Promise<string | undefined> {
  const [manifest, seen] = await Promise.all([manifestFile, seenFile].map((file) => stat(file, { bigint: true }).catch(() => undefined)));
  if (manifest === undefined) return undefined;
  return [manifest, seen].map((info) => (info === undefined ? '' : `${info.ino}:${info.mtimeNs}:${info.size}`)).join(' ');
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Only what was seen of the very files that the manifest is about: the two files are not replaced at one moment. */
function parseSeen(text: string | undefined, { digest }: Manifest): Seen {
  const value = text === undefined ? undefined : parseJson(text);
  if (typeof value !== 'object' || value === null) return {};
  const { digest: of, files } = value as { readonly digest?: unknown; readonly files?: unknown };
  return of === digest && typeof files === 'object' && files !== null ? (files as Seen) : {};
}

function parseOwnManifest(text: string, modelId: ModelId, file: string): Manifest {
  const manifest = parseManifest(parseJson(text), file);
  if (manifest.model_id === modelId) return manifest;
  throw new SkulkError('INTEGRITY', `the manifest in ${file} is of ${manifest.model_id}, not of ${modelId}`, {
    hint: 'run `skulk verify --repair`',
  });
}
