import type { Tag, Traits } from '../protocol/models.ts';
import type { Card } from './card.ts';
import { type GgufFacts, thinkingMarkers } from './gguf-facts.ts';
import { loadableGguf } from './selection/groups.ts';
import { labelOfPath } from './selection/label.ts';
import { isProjector } from './selection/projectors.ts';

/** What traits are derived from. The files' texts come from outside and are only looked at, never trusted. */
export interface TraitSources {
  readonly modelId: string;
  readonly files: readonly string[];
  readonly card?: Card | undefined;
  /** The parsed `config.json`. */
  readonly config?: unknown;
  readonly chatTemplate?: string | undefined;
  /** What the metadata of its GGUF file says. */
  readonly gguf?: GgufFacts | undefined;
}

/** A card says what it says; what it leaves out, and everything without one, follows from the files. Pure. */
export function deriveTraits(sources: TraitSources): Traits {
  const { modelId, card, gguf } = sources;
  const config = asRecord(sources.config);
  const capabilities = card?.capabilities ?? capabilitiesOf(sources, config);
  const quantization = card?.quantization ?? quantizationOf(config) ?? quantizationOfGguf(sources.files);
  const supportsTensor = card?.supportsTensor ?? null;
  const tags: Tag[] = [];
  for (const tag of ['vision', 'thinking', 'embedding'] as const) if (capabilities.includes(tag)) tags.push(tag);
  if (supportsTensor === true) tags.push('tensor');
  if (/optiq/i.test(modelId) || /optiq/i.test(quantization ?? '')) tags.push('optiq');
  return {
    tags,
    capabilities,
    supports_tensor: supportsTensor,
    base_model: card?.baseModel ?? gguf?.baseModel ?? null,
    quantization,
    family: card?.family ?? asText(config['model_type']) ?? gguf?.architecture ?? null,
    context_length: card?.contextLength ?? contextOf(config) ?? gguf?.contextLength ?? null,
  };
}

type Fields = Readonly<Record<string, unknown>>;

const asRecord = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const asText = (value: unknown): string | null => (typeof value === 'string' && value !== '' && value.length <= 200 ? value : null);
const asCount = (value: unknown): number | null => (Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : null);

function capabilitiesOf({ files, chatTemplate = '', gguf }: TraitSources, config: Fields): readonly string[] {
  const architectures = Array.isArray(config['architectures']) ? config['architectures'].filter((name) => typeof name === 'string') : [];
  const isEmbedding =
    files.some((path) => /(^|\/)1_Pooling\/config\.json$|(^|\/)config_sentence_transformers\.json$/.test(path)) ||
    (gguf?.poolingType ?? 0) > 0 ||
    /(?:^|-)bert$/.test(gguf?.architecture ?? '') ||
    architectures.some((name) => /Embedding|^(?:Bert|XLMRoberta|Roberta|NomicBert|ModernBert)Model$/.test(name));
  if (isEmbedding) return ['embedding'];
  const sees = files.some(isProjector) || 'vision_config' in config || architectures.some((name) => /Vision|VLFor|Llava/.test(name));
  const thinks = thinkingMarkers.test(chatTemplate) || gguf?.thinks === true;
  return ['text', ...(sees ? ['vision'] : []), ...(thinks ? ['thinking'] : [])];
}

function quantizationOf(config: Fields): string | null {
  const own = asRecord(config['quantization'] ?? config['quantization_config']);
  const bits = asCount(own['bits']);
  return bits === null ? asText(own['quant_method']) : `${bits}bit`;
}

function quantizationOfGguf(files: readonly string[]): string | null {
  const gguf = loadableGguf(files);
  return gguf === undefined ? null : (labelOfPath(gguf)?.text ?? null);
}

function contextOf(config: Fields): number | null {
  return asCount(config['max_position_embeddings']) ?? asCount(asRecord(config['text_config'])['max_position_embeddings']);
}
