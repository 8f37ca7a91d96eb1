import { constants } from 'node:fs';
import { copyFile, open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { whyNotModelFile } from '../../catalog/model-files.ts';
import { isSystemError } from '../../kernel/errors.ts';
import { syncDirectory, writeFileDurably } from '../../kernel/files/durable-file.ts';
import { namesIn } from '../../kernel/files/if-present.ts';
import { isRelativePath, quote } from '../../kernel/files/relative-path.ts';
import type { Emit } from '../../kernel/flow/events.ts';
import { jsonParts } from '../../kernel/flow/json-parts.ts';
import { createYielder } from '../../kernel/flow/yielding.ts';
import { directoryName, isModelId, type ModelId } from '../../kernel/model-id.ts';
import type { RegistryEntry } from '../../protocol/models/entries.ts';
import type { StoreLayout } from '../layout.ts';

/** The registry as read from its file. */
export interface Registry {
  readonly entries: ReadonlyMap<ModelId, RegistryEntry>;
  /** All entries of the file by id, including invalid ones, so that a rewrite loses nothing. */
  readonly raw: Readonly<Record<string, unknown>>;
  /** The keys beside the entries, in the form of later releases of the Python program; undefined for a plain object of entries. */
  readonly frame?: Readonly<Record<string, unknown>> | undefined;
  /** The Hugging Face commits that later releases of the Python program recorded. */
  readonly commits: ReadonlyMap<ModelId, string>;
  /** Unusable entries, with the reason. */
  readonly unusable: readonly { readonly key: string; readonly why: string }[];
}

/** Why the whole file is unusable. */
export interface DamagedRegistry {
  readonly damaged: string;
  /** Its content, as far as it is text. */
  readonly text?: string;
  /** The file is missing, although manifests show that there was one. */
  readonly isMissing?: true;
}

/**
 * Reads registry.json, which the Python Skulk writes too: an object of entries by model id, or, from its later releases,
 * `{schema_version, entries}`. An unusable entry does not affect the others.
 */
export async function readRegistry(layout: StoreLayout): Promise<Registry | DamagedRegistry> {
  const path = layout.registry;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) {
      if (await hasSettledManifest(layout)) return { damaged: 'it is missing, though the store has manifests', isMissing: true };
      return { entries: new Map(), raw: {}, commits: new Map(), unusable: [] };
    }
    if (isSystemError(error, 'EISDIR')) return { damaged: 'it is a directory' };
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return { damaged: 'it is not an object of entries', text };
    const whole = value as Record<string, unknown>;
    // A model may be named `schema_version`, but its entry is not a number.
    if (typeof whole['schema_version'] !== 'number') return await parseRegistry(whole);
    const { entries, ...frame } = whole;
    if (typeof entries !== 'object' || entries === null || Array.isArray(entries)) return { damaged: 'it has no entries', text };
    return { ...(await parseRegistry(entries as Record<string, unknown>)), frame };
  } catch (error) {
    return { damaged: text.trim() === '' ? 'it is empty' : `it is not JSON: ${(error as Error).message}`, text };
  }
}

/** Whether there is a manifest that is not part of a running change; such a change writes the registry last. */
async function hasSettledManifest({ manifests, intents }: StoreLayout): Promise<boolean> {
  const [settled, changing] = await Promise.all([manifests, intents].map(namesIn));
  return settled?.some((name) => /^[^.].*\.json$/.test(name) && changing?.includes(name) !== true) ?? false;
}

/** Separates a registry's usable entries from unusable ones. */
async function parseRegistry(raw: Record<string, unknown>): Promise<Registry> {
  const entries = new Map<ModelId, RegistryEntry>();
  const commits = new Map<ModelId, string>();
  const unusable: { key: string; why: string }[] = [];
  const turn = createYielder();
  for (const [key, value] of Object.entries(raw)) {
    const parsed = await parseEntry(key, value, turn);
    if (typeof parsed === 'string') unusable.push({ key, why: parsed });
    else {
      entries.set(parsed.model_id, parsed);
      const { source_revision, source_repository } = value as Record<string, unknown>;
      const isOfOther = typeof source_repository === 'string' && source_repository !== key;
      if (typeof source_revision === 'string' && /^[0-9a-f]{40}$/.test(source_revision) && !isOfOther)
        commits.set(parsed.model_id, source_revision);
    }
  }
  return { entries, raw, commits, unusable };
}

async function parseEntry(key: string, value: unknown, turn: ReturnType<typeof createYielder>): Promise<RegistryEntry | string> {
  if (!isModelId(key)) return 'its key is not a model id';
  if (typeof value !== 'object' || value === null) return 'it is not an object';
  const { model_id, store_path, files, downloaded_at, total_bytes, repo_has_projector } = value as Record<string, unknown>;
  if (model_id !== key) return 'its model_id is not its key';
  if (typeof store_path !== 'string' || !isRelativePath(store_path)) return 'its store_path is not a path below the store';
  if (store_path.toLowerCase() === 'registry.json') return 'its store_path is the registry';
  if (!Array.isArray(files) || !files.every((file) => typeof file === 'string')) return 'its files are not a list of names';
  const own: string[] = [];
  for (const file of files as string[]) {
    if (isRelativePath(file) && whyNotModelFile(file) === undefined) own.push(file);
    await turn();
  }
  return {
    model_id: key,
    store_path,
    files: own,
    downloaded_at: typeof downloaded_at === 'string' ? downloaded_at : new Date(0).toISOString(),
    total_bytes: typeof total_bytes === 'number' && total_bytes >= 0 ? total_bytes : 0,
    repo_has_projector: typeof repo_has_projector === 'boolean' ? repo_has_projector : null,
  };
}

/**
 * Writes the registry with one entry set or, if `entry` is undefined, removed. All others stay unchanged.
 * @param keepsContent whether the model only gains or loses files: then unknown keys of its entry stay
 */
export async function writeRegistryEntry(
  path: string,
  registry: Registry,
  modelId: ModelId,
  { entry, keepsContent = false }: { readonly entry: RegistryEntry | undefined; readonly keepsContent?: boolean },
): Promise<void> {
  // Without a prototype, so that a model named `__proto__` is an entry like any other.
  const next: Record<string, unknown> = Object.assign(Object.create(null), registry.raw);
  if (entry === undefined) delete next[modelId];
  else next[modelId] = keepsContent ? { ...keysOfOthers(registry.raw[modelId]), ...entry } : entry;
  await writeRegistry(path, registry.frame === undefined ? next : { ...registry.frame, entries: next });
}

/** Unknown keys of an entry. The Python program's card lists the files before the change, so it is dropped. */
function keysOfOthers(entry: unknown): object {
  const { installed_card: _, ...rest } = Object(entry) as Record<string, unknown>;
  return rest;
}

/** Writes a whole registry durably. */
export const writeRegistry = (path: string, raw: Readonly<Record<string, unknown>>): Promise<void> =>
  writeFileDurably(path, registryParts(raw));

function* registryParts(raw: Readonly<Record<string, unknown>>): Generator<string> {
  yield* jsonParts(raw, 2);
  yield '\n';
}

/**
 * Copies an unusable registry to another name. The file itself stays until the new one replaces it, so that a crash in between leaves no
 * store without a registry.
 * @returns the other name
 */
export async function keepDamagedRegistry(path: string, now: Date): Promise<string> {
  const aside = `${path}.damaged-${now.toISOString().replaceAll(/[:.]/g, '-')}`;
  if ((await stat(path)).isDirectory()) {
    await rename(path, aside);
  } else {
    await copyFile(path, aside, constants.COPYFILE_FICLONE);
    const copy = await open(aside, 'r');
    await copy.sync().finally(() => copy.close());
  }
  await syncDirectory(dirname(path));
  return aside;
}

/** Reports the unusable entries. */
export function reportUnusable({ unusable }: Registry, path: string, emit: Emit): void {
  for (const { key, why } of unusable) {
    emit({
      type: 'warning',
      message: `${path}: the entry ${quote(key)} is ignored: ${why}`,
      hint: 'it stays in the file; correct or remove it there',
    });
  }
}

/**
 * The entries that can be made again from directories whose names are ids.
 * @param describe what a directory holds, which may have the commit of its content in its name; undefined when nothing says that it is
 *   a model
 */
export async function rebuildEntries(
  root: string,
  describe: (
    modelId: ModelId,
    directory: string,
    commit: string | undefined,
  ) => Promise<{ files: readonly string[]; totalBytes: number } | undefined>,
  modelIdOf: (directory: string) => ModelId | undefined,
): Promise<Map<ModelId, RegistryEntry>> {
  const entries = new Map<ModelId, RegistryEntry>();
  for (const item of await readdir(root, { withFileTypes: true })) {
    // Later releases of the Python program append the commit to the name.
    const [, name = item.name, commit] = /^(.+)--revision-([0-9a-f]{40})$/.exec(item.name) ?? [];
    const modelId = item.isDirectory() ? modelIdOf(name) : undefined;
    if (modelId === undefined || directoryName(modelId) !== name) continue;
    const directory = join(root, item.name);
    const found = await describe(modelId, directory, commit);
    if (found === undefined) continue;
    entries.set(modelId, {
      model_id: modelId,
      store_path: item.name,
      files: found.files,
      downloaded_at: (await stat(directory)).mtime.toISOString(),
      total_bytes: found.totalBytes,
      repo_has_projector: null,
    });
  }
  return entries;
}
