/** What the metadata of a GGUF file says of its model; undefined for what it does not say. */
export interface GgufFacts {
  readonly architecture?: string | undefined;
  /** In tokens. */
  readonly contextLength?: number | undefined;
  readonly baseModel?: string | undefined;
  readonly poolingType?: number | undefined;
  /** Whether the chat template has a switch or a marker for thinking. */
  readonly thinks?: boolean | undefined;
}

/** Source: the switches that chat templates of reasoning models have. */
export const thinkingMarkers = /<think>|enable_thinking|reasoning_content|<\|channel\|>analysis/;

const longest = 4 * 1024 * 1024;

/** Picks what matters out of a file's metadata, which comes from outside and may be anything. Pure. */
export function toGgufFacts(metadata: unknown): GgufFacts {
  const fields = (typeof metadata === 'object' && metadata !== null ? metadata : {}) as Readonly<Record<string, unknown>>;
  const get = (key: string): unknown => (Object.hasOwn(fields, key) ? fields[key] : undefined);
  const text = (key: string): string | undefined => {
    const value = get(key);
    return typeof value === 'string' && value !== '' && value.length <= 200 ? value : undefined;
  };
  const count = (key: string): number | undefined => {
    const value = get(key);
    const number = typeof value === 'bigint' ? Number(value) : value;
    return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
  };
  const architecture = text('general.architecture');
  const template = get('tokenizer.chat_template');
  return {
    architecture,
    contextLength: count(`${architecture}.context_length`),
    poolingType: count(`${architecture}.pooling_type`),
    baseModel: text('general.base_model.0.repo_url')?.replace(/^https:\/\/huggingface\.co\//, ''),
    thinks: typeof template === 'string' && template.length <= longest ? thinkingMarkers.test(template) : undefined,
  };
}

/** The same from a cache file, where it lies as JSON. */
export function parseGgufFacts(value: unknown): GgufFacts {
  const { architecture, contextLength, baseModel, poolingType, thinks } = (
    typeof value === 'object' && value !== null ? value : {}
  ) as Record<string, unknown>;
  return {
    architecture: typeof architecture === 'string' ? architecture : undefined,
    contextLength: typeof contextLength === 'number' ? contextLength : undefined,
    baseModel: typeof baseModel === 'string' ? baseModel : undefined,
    poolingType: typeof poolingType === 'number' ? poolingType : undefined,
    thinks: typeof thinks === 'boolean' ? thinks : undefined,
  };
}
