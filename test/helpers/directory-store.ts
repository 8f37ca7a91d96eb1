import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Companion } from '../../src/core/catalog/companions.ts';
import { makeManifest } from '../../src/core/catalog/manifest.ts';
import { deriveTraits } from '../../src/core/catalog/traits.ts';
import { chunkSize } from '../../src/core/kernel/chunk-size.ts';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import type { RelativePath } from '../../src/core/kernel/files/relative-path.ts';
import { directoryName, parseModelId } from '../../src/core/kernel/model-id.ts';
import type { Sha256 } from '../../src/core/kernel/sha256.ts';
import type { Manifest, ManifestFile } from '../../src/core/protocol/manifest.ts';
import type { LocalStore } from '../../src/core/store/local-store.ts';

/** Models by id, files by path. */
export type Models = Readonly<Record<string, Readonly<Record<string, string | Uint8Array>>>>;

/** A store over a temporary directory of real files; tests override single methods. */
export async function directoryStore(
  models: Models,
  overrides: Partial<LocalStore> = {},
): Promise<
  LocalStore & {
    readonly manifests: ReadonlyMap<string, Manifest>;
    readonly companions: Map<string, readonly Companion[]>;
  } & AsyncDisposable
> {
  const root = await mkdtemp(join(tmpdir(), 'skulk-directory-store-'));
  const manifests = new Map<string, Manifest>();
  for (const [id, files] of Object.entries(models)) manifests.set(id, await writeModel(root, id, files));
  const companions = new Map<string, readonly Companion[]>();
  const companionsOf = (id: string): readonly Companion[] => companions.get(id) ?? [];
  const find = (id: string): Manifest => {
    const manifest = manifests.get(id);
    if (manifest === undefined) throw new SkulkError('MODEL_NOT_FOUND', `${id} is not in the store`);
    return manifest;
  };
  const entries = () =>
    [...manifests.values()].map(({ model_id, files, created_at }) => ({
      model_id,
      store_path: directoryName(model_id),
      files: files.map(({ path }) => path),
      downloaded_at: created_at,
      total_bytes: files.reduce((sum, { size }) => sum + size, 0),
      repo_has_projector: null,
    }));
  const refuse = (): never => {
    throw new SkulkError('CONFLICT', 'this store takes nothing in');
  };
  return {
    root,
    requireDisk: async () => {},
    location: root,
    manifests,
    companions,
    health: async () => ({
      store_path: root,
      free_bytes: 3,
      total_bytes: 5,
      used_bytes: 2,
      models: manifests.size,
      version: '1.2.3',
      node_id: 'n1',
      hostname: 'kite3',
      time: '2026-01-02T03:04:05.000Z',
      instance: null,
      advertised: null,
      upstream: null,
      replaces: null,
    }),
    listModels: async () => entries(),
    listDescribed: async () => entries().map((entry) => ({ ...entry, ...deriveTraits({ modelId: entry.model_id, files: entry.files }) })),
    manifest: async (id, { knownDigest } = {}) =>
      find(id).digest === knownDigest
        ? { state: 'unchanged', companions: companionsOf(id) }
        : { state: 'ready', manifest: find(id), companions: companionsOf(id) },
    readPiece: refuse,
    requirePlace: async () => {},
    publish: async () => refuse(),
    extend: async () => refuse(),
    identify: async (id) => find(id),
    upstream: async () => undefined,
    ggufHeader: async () => undefined,
    cardOf: async () => undefined,
    lacksProjector: async () => false,
    findPlace: async () => undefined,
    adopt: async () => refuse(),
    remove: async (id) => {
      const { files } = find(id);
      manifests.delete(id);
      await rm(join(root, directoryName(id)), { recursive: true });
      return { freedBytes: files.reduce((sum, { size }) => sum + size, 0) };
    },
    planRemoval: async () => refuse(),
    removeQuantization: async () => refuse(),
    verify: async () => ({ ok: true, models: [] }),
    has: async (id) => manifests.has(id),
    listLost: async () => [],
    listFiles: async (id) => find(id).files.map(({ path }) => path),
    openFile: async (id, path) => {
      const file = find(id).files.find((known) => known.path === path);
      if (file === undefined) throw new SkulkError('FILE_NOT_FOUND', `${id} has no file ${JSON.stringify(path)}`);
      const handle = await open(join(root, directoryName(id), path));
      return { handle, size: file.size, sha256: file.sha256, [Symbol.asyncDispose]: () => handle.close() };
    },
    hashInBackground: () => {},
    onRemoved: () => {},
    onChange: () => () => {},
    close: async () => {},
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
    ...overrides,
  };
}

async function writeModel(root: string, id: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<Manifest> {
  const modelId = parseModelId(id);
  const list: ManifestFile[] = [];
  for (const [path, content] of Object.entries(files)) {
    const target = join(root, directoryName(modelId), path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
    const bytes = await readFile(target);
    const chunks = Array.from({ length: Math.ceil(bytes.length / chunkSize) }, (_, index) =>
      sha256(bytes.subarray(index * chunkSize, (index + 1) * chunkSize)),
    );
    list.push({
      path: path as RelativePath,
      size: (await stat(target)).size,
      sha256: sha256(bytes),
      hub_id: createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex'),
      ...(chunks.length > 1 && { chunks }),
    });
  }
  return makeManifest(modelId, list, { source: 'add', createdAt: new Date('2026-01-02T03:04:05Z') });
}

/** The sha256 of some bytes. */
export const sha256 = (bytes: Uint8Array | string): Sha256 => createHash('sha256').update(bytes).digest('hex') as Sha256;
