import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseManifest } from '../../catalog/manifest.ts';
import { parseUpstream, type Upstream } from '../../catalog/upstream.ts';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { writeFileDurably } from '../../kernel/files/durable-file.ts';
import { namesIn } from '../../kernel/files/if-present.ts';
import { parseRelativePath } from '../../kernel/files/relative-path.ts';
import { jsonParts } from '../../kernel/flow/json-parts.ts';
import { type ModelId, parseModelId } from '../../kernel/model-id.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { RegistryEntry } from '../../protocol/models/entries.ts';
import type { Seen } from '../ingest/seen.ts';
import { jsonFileOf, type StoreLayout } from '../layout.ts';

/*
 * Replacing or deleting a model takes several renames and writes. So the change is recorded first. If there is a record after a crash,
 * the next writer finishes the change. Every step may be repeated.
 */

/** Publishes a model, or replaces its previous version. */
export interface PublishIntent {
  readonly op: 'publish';
  readonly entry: RegistryEntry;
  readonly manifest: Manifest;
  /** The source's files at that commit. */
  readonly upstream?: Upstream | undefined;
  readonly seen: Seen;
  /** The name in `incoming/`; null if the files are already in place. */
  readonly incoming: string | null;
  /** The files to add to an existing model, whose own files stay; absent if the whole directory is replaced. */
  readonly added?: readonly string[] | undefined;
}

/** Deletes a model. */
export interface RemoveIntent {
  readonly op: 'remove';
  readonly modelId: ModelId;
  readonly storePath: string;
  /** The model's own files in its directory. Other files there stay. */
  readonly files: readonly string[];
}

/** Removes one quantization of a model. */
export interface RemoveQuantizationIntent {
  readonly op: 'remove-quantization';
  readonly modelId: ModelId;
  readonly storePath: string;
  /** The files of this quantization only. */
  readonly files: readonly string[];
  /** The registry entry without this quantization. */
  readonly entry: RegistryEntry;
  /** The manifest without it; null if the model has no readable manifest. */
  readonly manifest: Manifest | null;
  readonly upstream?: Upstream | undefined;
  readonly seen: Seen;
}

/** A change that has been decided. */
export type Intent = PublishIntent | RemoveIntent | RemoveQuantizationIntent;

/** The model of a change. */
export const modelOf = (intent: Intent): ModelId => (intent.op === 'publish' ? intent.entry.model_id : intent.modelId);

/** Records a change. */
export const writeIntent = ({ intents }: StoreLayout, intent: Intent): Promise<void> =>
  writeFileDurably(jsonFileOf(intents, modelOf(intent)), jsonParts(intent));

/** Removes the record of a finished change. */
export const clearIntent = ({ intents }: StoreLayout, intent: Intent): Promise<void> =>
  rm(jsonFileOf(intents, modelOf(intent)), { force: true });

/** The changes that a dead process left. */
export async function readIntents({ intents }: StoreLayout): Promise<readonly Intent[]> {
  const names = await namesIn(intents);
  const found: Intent[] = [];
  for (const name of names.filter((file) => file.endsWith('.json') && !file.startsWith('.'))) {
    try {
      found.push(parseIntent(await readFile(join(intents, name), 'utf8')));
    } catch (error) {
      // skulk writes a record by rename, so a directory or an incomplete file is not skulk's. It is ignored and stays.
      if (!(error instanceof SyntaxError || error instanceof SkulkError || isSystemError(error, 'EISDIR'))) throw error;
    }
  }
  return found;
}

/** Validates a record like any other data from a disk. Throws SyntaxError or SkulkError. */
function parseIntent(text: string): Intent {
  const intent = (JSON.parse(text) ?? {}) as Partial<Intent>;
  if (intent.op === 'remove' || intent.op === 'remove-quantization') {
    parseModelId(String(intent.modelId));
    parseRelativePath(String(intent.storePath));
    for (const path of Array.isArray(intent.files) ? intent.files : [undefined]) parseRelativePath(String(path));
    return intent.op === 'remove' ? (intent as RemoveIntent) : parseQuantization(intent as Partial<RemoveQuantizationIntent>);
  }
  if (intent.op === 'publish') {
    parseModelId(String(intent.entry?.model_id));
    parseRelativePath(String(intent.entry?.store_path));
    parseManifest(intent.manifest, 'an interrupted change');
    if (intent.incoming !== null) parseRelativePath(String(intent.incoming));
    for (const path of intent.added ?? []) parseRelativePath(String(path));
    return { ...(intent as PublishIntent), upstream: parseUpstream(intent.upstream) };
  }
  throw new SyntaxError('no such change');
}

function parseQuantization(intent: Partial<RemoveQuantizationIntent>): RemoveQuantizationIntent {
  const { modelId, storePath, entry, manifest } = intent;
  if (entry?.model_id !== modelId || entry?.store_path !== storePath) throw new SyntaxError('the entry belongs to another model');
  if (manifest !== null && parseManifest(manifest, 'an interrupted change').model_id !== modelId)
    throw new SyntaxError('the manifest belongs to another model');
  return { ...(intent as RemoveQuantizationIntent), upstream: parseUpstream(intent.upstream) };
}
