/** Data from the metadata of a GGUF file; undefined if it is missing. */
export interface GgufFacts {
  readonly architecture?: string | undefined;
  /** In tokens. */
  readonly contextLength?: number | undefined;
  readonly baseModel?: string | undefined;
  readonly poolingType?: number | undefined;
  /** The total over all files, if the metadata has it, or there is only one file. */
  readonly parameters?: number | undefined;
  readonly license?: string | undefined;
  /** Whether the chat template has a switch or a marker for thinking. */
  readonly thinks?: boolean | undefined;
}

/** Source: the switches and markers in chat templates of reasoning models; some only have the end marker. */
export const thinkingMarkers =
  /<\/?think>|<\/?thought>|enable_thinking|reasoning_content|<\|START_THINKING\|>|\[THINK\]|<seed:think>|<\|channel\|>analysis/;

const longest = 4 * 1024 * 1024;

/**
 * Extracts the useful fields from a file's metadata, which comes from outside and may be anything. Pure.
 * @param parameters of the tensors of this file
 */
export function toGgufFacts(metadata: unknown, parameters?: number): GgufFacts {
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
    parameters: count('general.parameter_count') ?? ((count('split.count') ?? 1) > 1 ? undefined : parameters || undefined),
    license: text('general.license'),
    baseModel: text('general.base_model.0.repo_url')?.replace(/^https:\/\/huggingface\.co\//, ''),
    thinks: typeof template === 'string' && template.length <= longest ? thinkingMarkers.test(template) : undefined,
  };
}

/** The same from JSON in a cache file. */
export function parseGgufFacts(value: unknown): GgufFacts {
  const { architecture, contextLength, baseModel, poolingType, parameters, license, thinks } = (
    typeof value === 'object' && value !== null ? value : {}
  ) as Record<string, unknown>;
  return {
    architecture: typeof architecture === 'string' ? architecture : undefined,
    contextLength: typeof contextLength === 'number' ? contextLength : undefined,
    baseModel: typeof baseModel === 'string' ? baseModel : undefined,
    poolingType: typeof poolingType === 'number' ? poolingType : undefined,
    parameters: typeof parameters === 'number' ? parameters : undefined,
    license: typeof license === 'string' ? license : undefined,
    thinks: typeof thinks === 'boolean' ? thinks : undefined,
  };
}
