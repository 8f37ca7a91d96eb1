import { isProjector } from './selection/projectors.ts';
import type { TraitSources } from './traits.ts';

/** A JSON object from outside. */
export type Fields = Readonly<Record<string, unknown>>;

/** Any value as an object; empty if it is not one. */
export const asRecord = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** The architectures in a `config.json`. */
const architecturesOf = (config: Fields): readonly string[] => {
  const { architectures } = config;
  return Array.isArray(architectures) ? architectures.filter((name) => typeof name === 'string') : [];
};

/** Source: the architectures that the Python program splits across machines. */
const splittable: ReadonlySet<string> = new Set([
  'Glm4MoeLiteForCausalLM',
  'GlmMoeDsaForCausalLM',
  'DeepseekV32ForCausalLM',
  'DeepseekV3ForCausalLM',
  'Qwen3NextForCausalLM',
  'Qwen3MoeForCausalLM',
  'Qwen3_5MoeForConditionalGeneration',
  'Qwen3_5ForConditionalGeneration',
  'MiniMaxM2ForCausalLM',
  'LlamaForCausalLM',
  'GptOssForCausalLM',
  'Step3p5ForCausalLM',
  'NemotronHForCausalLM',
]);

/** Whether a model can be split across machines by its tensors; null if its configuration has no architecture. Pure. */
export function tensorOf(config: Fields): boolean | null {
  const ofText = architecturesOf(asRecord(config['text_config']));
  const names = ofText.length > 0 ? ofText : architecturesOf(config);
  return names.length === 0 ? null : names.some((name) => splittable.has(name));
}

const poolingFiles = /(^|\/)1_Pooling\/config\.json$|(^|\/)config_sentence_transformers\.json$/;
const encoders =
  /^(?:(?:Jina|Distil|Nomic|Modern|XLMRo|Ro|Xlm)?Bert|MPNet|New|XLMRoberta|Roberta|DistilBert|NomicBert|ModernBert|JinaBert)Model$/;

/** Whether a model computes vectors instead of text. Pure. */
export function embeds({ modelId, files, gguf }: TraitSources, config: Fields): boolean {
  const architectures = architecturesOf(config);
  if (files.some((path) => poolingFiles.test(path)) || (gguf?.poolingType ?? 0) > 0) return true;
  if (/(?:^|-)bert(?:-|$)/.test(gguf?.architecture ?? '')) return true;
  if (architectures.some((name) => name.includes('Embedding') || encoders.test(name))) return true;
  // A decoder whose last state is the vector looks like a model for text; only its name shows the difference.
  const isNamed = /embedding/i.test(modelId.slice(modelId.indexOf('/') + 1));
  return isNamed && (architectures.some((name) => name.endsWith('ForCausalLM')) || gguf?.architecture !== undefined);
}

const seeing = /Vision|VLFor|Llava|^(?:Phi3V|Phi4MM|Molmo|Fuyu|Ovis|CogVLM|CogAgent|Moondream|HfMoondream|Chameleon|Emu3)/;
const imageTokens = ['image_token_id', 'image_token_index', 'image_token'] as const;
const nestedIn = ['thinker_config'] as const;

/** Whether a model accepts images. Pure. */
export function sees({ files, kinds }: TraitSources, config: Fields): boolean {
  if (files.some(isProjector) || kinds?.some(({ gguf_kind }) => gguf_kind === 'projector') === true) return true;
  const isTower = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isTower(config['vision_config']) || nestedIn.some((key) => isTower(asRecord(config[key])['vision_config']))) return true;
  const hasImageTokens = imageTokens.some((key) => config[key] !== undefined && config[key] !== null);
  return architecturesOf(config).some(
    (name) =>
      seeing.test(name) ||
      (name === 'QWenLMHeadModel' && isTower(config['visual'])) ||
      (name.endsWith('ForConditionalGeneration') && hasImageTokens),
  );
}
