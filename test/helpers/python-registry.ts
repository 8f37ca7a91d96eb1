import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bytesOf } from './fake-hub.ts';
import { sha256 } from './model-files.ts';

/** The first releases have a plain object of entries; the later ones a version and their own keys. */
export type PythonRelease = 'first' | 'later';

/** An entry as the Python program reads it. */
export type PythonEntry = Readonly<Record<string, unknown>> & { readonly model_id: string; readonly store_path: string };

const types: Readonly<Record<string, (value: unknown) => boolean>> = {
  model_id: isText,
  store_path: isText,
  files: (value) => Array.isArray(value) && value.every(isText),
  downloaded_at: isText,
  total_bytes: (value) => Number.isSafeInteger(value),
  repo_has_projector: (value) => value === null || typeof value === 'boolean',
};
const laterTypes: typeof types = {
  ...types,
  source_revision: (value) => value === null || isText(value),
  source_repository: (value) => value === null || isText(value),
  installed_card: (value) => value === null || typeof value === 'object',
};
const optional = new Set(['repo_has_projector', 'source_revision', 'source_repository', 'installed_card']);

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

/**
 * The registry of a store as the Python program reads and writes it. That program takes a file with one key that it does not know for
 * an empty one, and writes over it; here that fails the test.
 */
export function pythonRegistry(root: string, release: PythonRelease) {
  const path = join(root, 'registry.json');
  const known = release === 'first' ? types : laterTypes;
  const read = async (): Promise<Readonly<Record<string, PythonEntry>>> => {
    const text = await readFile(path, 'utf8').catch(() => '{}');
    const data = JSON.parse(text) as Record<string, unknown>;
    const isFramed = release === 'later' && ('schema_version' in data || 'entries' in data);
    if (isFramed && (data['schema_version'] !== 1 || Object.keys(data).length !== 2))
      throw new Error(`it is not the index of a later release: ${Object.keys(data).join(', ')}`);
    const entries = (isFramed ? data['entries'] : data) as Record<string, Record<string, unknown>>;
    for (const [id, entry] of Object.entries(entries)) {
      for (const key of Object.keys(entry)) if (known[key]?.(entry[key]) !== true) throw new Error(`${key} of ${id} is not accepted`);
      const missing = Object.keys(types).find((key) => !optional.has(key) && !(key in entry));
      if (missing !== undefined) throw new Error(`${missing} of ${id} is missing`);
    }
    return entries as Record<string, PythonEntry>;
  };
  const write = async (entries: Readonly<Record<string, object>>): Promise<void> => {
    const value = release === 'first' ? entries : { schema_version: 1, entries };
    await writeFile(path, JSON.stringify(value, undefined, 2));
  };
  return {
    read,
    /** Downloads a model and registers it. @param commit of later releases, which put it also into the name of the directory */
    register: async (id: string, files: Readonly<Record<string, string | Uint8Array>>, { commit = 'a'.repeat(40), card = {} } = {}) => {
      const isLater = release === 'later';
      const store_path = `${id.replace('/', '--')}${isLater ? `--revision-${commit}` : ''}`;
      const record = {
        schema_version: 1,
        installed_identity: `card_${'a'.repeat(52)}`,
        artifact_model_id: id,
        model_card: { model_id: id, storage_size: { in_bytes: 3 }, n_layers: 1, hidden_size: 1, supports_tensor: false, ...card },
        verification: 'registry_verified',
        artifact_role: 'base',
        artifact_repository: id,
        artifact_revision: commit,
        files: Object.entries(files).map(([name, content]) => ({
          path: name,
          size_bytes: bytesOf(content).length,
          sha256: sha256(bytesOf(content)),
        })),
      };
      const all: Record<string, string | Uint8Array> = {
        ...files,
        ...(isLater && { '.skulk-source-revision': `${commit}\n`, '.skulk/installed-card.json': JSON.stringify(record) }),
      };
      for (const [name, content] of Object.entries(all)) {
        await mkdir(dirname(join(root, store_path, name)), { recursive: true });
        await writeFile(join(root, store_path, name), content);
      }
      const entry = {
        model_id: id,
        store_path,
        files: Object.keys(all),
        downloaded_at: '2026-03-20T14:32:00+00:00',
        total_bytes: Object.values(files).reduce((sum, content) => sum + bytesOf(content).length, 0),
        ...(isLater && { source_revision: commit, source_repository: null }),
        repo_has_projector: null,
        ...(isLater && { installed_card: record }),
      };
      await write({ ...(await read()), [id]: entry });
      return entry;
    },
    /** Deletes a model with its directory. */
    remove: async (id: string): Promise<void> => {
      const { [id]: entry, ...others } = await read();
      if (entry === undefined) throw new Error(`${id} is not in the registry`);
      await rm(join(root, entry.store_path), { recursive: true });
      await write(others);
    },
  };
}
