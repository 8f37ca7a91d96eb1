import type { ModelId } from '../../kernel/model-id.ts';
import type { FoundModel } from '../../protocol/models/found-models.ts';
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
    weights_bytes: weightsOf((safetensors as { readonly parameters?: unknown } | null | undefined)?.parameters),
  };
}

/** Bytes of one number of a data type of safetensors files. */
const bytesOf: Readonly<Record<string, number>> = {
  ...{ F64: 8, I64: 8, U64: 8, F32: 4, I32: 4, U32: 4, BF16: 2, F16: 2, I16: 2, U16: 2 },
  ...{ I8: 1, U8: 1, BOOL: 1, F8_E4M3: 1, F8_E5M2: 1, F8_E8M0: 1 },
};

/** The size of weights, in bytes; null for a data type of unknown size. Pure. */
function weightsOf(parameters: unknown): number | null {
  if (typeof parameters !== 'object' || parameters === null) return null;
  const sizes = Object.entries(parameters).map(([type, count]) => (countOf(count) ?? Number.NaN) * (bytesOf[type] ?? Number.NaN));
  return sizes.length === 0 ? null : countOf(sizes.reduce((sum, size) => sum + size, 0));
}

const countOf = (value: unknown): number | null => (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null);
