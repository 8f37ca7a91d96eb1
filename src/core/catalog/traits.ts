import type { Tag, Traits } from '../protocol/models/entries.ts';
import type { Card } from './card-table.ts';
import { type GgufFacts, thinkingMarkers } from './gguf-facts.ts';
import { asRecord, embeds, type Fields, sees, tensorOf } from './model-kinds.ts';
import type { FoundCard } from './read-card.ts';
import type { ReadmeFacts } from './readme-facts.ts';
import type { KindFile } from './selection/file-kind.ts';
import { loadableGguf } from './selection/groups.ts';
import { labelOfPath } from './selection/label.ts';

/** The sources of traits. Their content comes from outside and is not trusted. */
export interface TraitSources {
  readonly modelId: string;
  readonly files: readonly string[];
  /** The same files with their kinds, as far as they are known. */
  readonly kinds?: readonly KindFile[] | undefined;
  readonly card?: (Card & Partial<Pick<FoundCard, 'from'>>) | undefined;
  /** The parsed `config.json`. */
  readonly config?: unknown;
  readonly chatTemplate?: string | undefined;
  /** The metadata of its GGUF file. */
  readonly gguf?: GgufFacts | undefined;
  /** The front matter of its README. */
  readonly readme?: ReadmeFacts | undefined;
  /** The number of parameters in its safetensors files. */
  readonly parameters?: number | undefined;
}

/** Derives a model's traits. The card has priority; missing fields, and everything without a card, are derived from the files. Pure. */
export function deriveTraits(sources: TraitSources): Traits {
  const { modelId, card, gguf } = sources;
  const config = asRecord(sources.config);
  const capabilities = card?.capabilities ?? capabilitiesOf(sources, config);
  const quantization =
    card?.quantization ?? quantizationOf(config) ?? quantizationOfGguf(sources.kinds ?? sources.files.map((path) => ({ path })));
  const supportsTensor = card?.supportsTensor ?? tensorOf(config);
  const tags: Tag[] = [];
  for (const tag of ['vision', 'thinking', 'embedding'] as const) if (capabilities.includes(tag)) tags.push(tag);
  if (supportsTensor === true) tags.push('tensor');
  if (/optiq/i.test(modelId) || /optiq/i.test(quantization ?? '')) tags.push('optiq');
  return {
    tags,
    capabilities,
    supports_tensor: supportsTensor,
    base_model: card?.baseModel ?? sources.readme?.baseModel ?? gguf?.baseModel ?? null,
    quantization,
    family: card?.family ?? asText(config['model_type']) ?? gguf?.architecture ?? null,
    context_length: card?.contextLength ?? contextOf(config) ?? gguf?.contextLength ?? null,
    parameters: sources.parameters ?? gguf?.parameters ?? null,
    license: sources.readme?.license ?? gguf?.license ?? null,
    card: card?.from ?? null,
  };
}

const asText = (value: unknown): string | null => (typeof value === 'string' && value !== '' && value.length <= 200 ? value : null);
const asCount = (value: unknown): number | null => (Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : null);

function capabilitiesOf(sources: TraitSources, config: Fields): readonly string[] {
  if (embeds(sources, config)) return ['embedding'];
  const thinks = thinkingMarkers.test(sources.chatTemplate ?? '') || sources.gguf?.thinks === true;
  return ['text', ...(sees(sources, config) ? ['vision'] : []), ...(thinks ? ['thinking'] : [])];
}

function quantizationOf(config: Fields): string | null {
  const own = asRecord(config['quantization'] ?? config['quantization_config']);
  const bits = asCount(own['bits']);
  return bits === null ? asText(own['quant_method']) : `${bits}bit`;
}

function quantizationOfGguf(files: readonly KindFile[]): string | null {
  const gguf = loadableGguf(files);
  return gguf === undefined ? null : (labelOfPath(gguf)?.text ?? null);
}

/** The names in different architectures. */
const contextKeys = ['max_position_embeddings', 'n_positions', 'seq_length', 'max_seq_len', 'n_ctx', 'max_sequence_length'] as const;

function contextOf(config: Fields): number | null {
  for (const one of [config, asRecord(config['text_config']), asRecord(config['llm_config']), asRecord(config['language_config'])])
    for (const key of contextKeys) if (asCount(one[key]) !== null) return asCount(one[key]);
  return null;
}
