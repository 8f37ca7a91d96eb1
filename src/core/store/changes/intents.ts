import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseManifest } from '../../catalog/manifest.ts';
import { parseUpstream, type Upstream } from '../../catalog/upstream.ts';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { writeFileDurably } from '../../kernel/files/durable-file.ts';
import { parseRelativePath } from '../../kernel/files/relative-path.ts';
import { jsonParts } from '../../kernel/flow/json-parts.ts';
import { type ModelId, parseModelId } from '../../kernel/model-id.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { RegistryEntry } from '../../protocol/models.ts';
import type { Seen } from '../ingest/seen.ts';
import { jsonFileOf, type StoreLayout } from '../layout.ts';

/*
 * Replacing or removing a model takes several renames and writes. What is going to happen is written down first; whoever
 * finds such a note after a crash carries it out to its end. Every step may be done twice.
 */

/** A model takes its place, or the place of what it was before. */
export interface PublishIntent {
  readonly op: 'publish';
  readonly entry: RegistryEntry;
  readonly manifest: Manifest;
  /** What the source had at that commit. */
  readonly upstream?: Upstream | undefined;
  readonly seen: Seen;
  /** Name in `incoming/`; null when the files are already in their place. */
  readonly incoming: string | null;
  /** Only these files come, beside those that are there and stay as they are; absent where the whole directory takes the place. */
  readonly added?: readonly string[] | undefined;
}

/** A model goes. */
export interface RemoveIntent {
  readonly op: 'remove';
  readonly modelId: ModelId;
  readonly storePath: string;
  /** The model's own in its directory; what else is there stays. */
  readonly files: readonly string[];
}

/** One quantization of a model goes; the model stays. */
export interface RemoveQuantizationIntent {
  readonly op: 'remove-quantization';
  readonly modelId: ModelId;
  readonly storePath: string;
  /** Those of the quantization alone. */
  readonly files: readonly string[];
  /** What the model is without it. */
  readonly entry: RegistryEntry;
  /** The same; null for a model without a manifest that can be read. */
  readonly manifest: Manifest | null;
  readonly upstream?: Upstream | undefined;
  readonly seen: Seen;
}

/** A change that is decided. */
export type Intent = PublishIntent | RemoveIntent | RemoveQuantizationIntent;

/** The model that a change is about. */
export const modelOf = (intent: Intent): ModelId => (intent.op === 'publish' ? intent.entry.model_id : intent.modelId);

/** Writes a change down. */
export const writeIntent = ({ intents }: StoreLayout, intent: Intent): Promise<void> =>
  writeFileDurably(jsonFileOf(intents, modelOf(intent)), jsonParts(intent));

/** Strikes a change off that was carried out. */
export const clearIntent = ({ intents }: StoreLayout, intent: Intent): Promise<void> =>
  rm(jsonFileOf(intents, modelOf(intent)), { force: true });

/** Changes that a dead process left. */
export async function readIntents({ intents }: StoreLayout): Promise<readonly Intent[]> {
  const names = await readdir(intents).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  });
  const found: Intent[] = [];
  for (const name of names.filter((file) => file.endsWith('.json') && !file.startsWith('.'))) {
    try {
      found.push(parseIntent(await readFile(join(intents, name), 'utf8')));
    } catch (error) {
      // A note is a file that is written by rename, so what is no file, or torn, is not ours: nothing follows from it, and it stays.
      if (!(error instanceof SyntaxError || error instanceof SkulkError || isSystemError(error, 'EISDIR'))) throw error;
    }
  }
  return found;
}

/** The same gates as for anything else from a disk. Throws SyntaxError or SkulkError. */
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
