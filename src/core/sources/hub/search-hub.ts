import type { ModelId } from '../../kernel/model-id.ts';
import type { FoundModel } from '../../protocol/models.ts';
import { aboutOf } from './about.ts';

/** What the Hub's library lists of a model. Nothing of it is certain, as it comes from the wire. */
interface ListedModel {
  readonly name?: unknown;
  readonly downloads?: unknown;
  readonly updatedAt?: unknown;
  readonly gated?: unknown;
  readonly private?: unknown;
  readonly tags?: unknown;
  readonly library_name?: unknown;
  readonly safetensors?: unknown;
}

/** The kinds of weights that a tag of the Hub names. */
const formats = ['gguf', 'safetensors', 'mlx', 'onnx'] as const;

/**
 * What is shown of a model that a search of the Hub found. Undefined for an unusable name, and for a private model: the search uses the
 * owner's token, and everyone on the LAN sees its result. Pure.
 */
export function foundModelOf(listed: ListedModel, isModelId: (text: string) => text is ModelId): Omit<FoundModel, 'in_store'> | undefined {
  const { name, downloads, safetensors } = listed;
  if (typeof name !== 'string' || !isModelId(name) || (listed.private !== undefined && listed.private !== false)) return undefined;
  const { isRestricted, lastModified, tags = [] } = aboutOf(listed);
  const license = tags.find((tag) => tag.startsWith('license:'))?.slice('license:'.length);
  return {
    model_id: name,
    downloads: countOf(downloads),
    updated_at: lastModified ?? null,
    license: license ?? null,
    gated: isRestricted,
    formats: formats.filter((format) => tags.includes(format)),
    parameters: countOf((safetensors as { readonly total?: unknown } | null | undefined)?.total),
  };
}

const countOf = (value: unknown): number | null => (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null);
