/** How Ollama formats a conversation for a model. */
export interface OllamaTemplate {
  /** In Go's template format. */
  readonly template: string;
  /** The texts that end an answer. */
  readonly stop: readonly string[];
}

/** A registry's data about a GGUF file; undefined if the file does not have it. */
export interface GgufHeader {
  readonly architecture?: string | undefined;
  /** The number of parameters in this file's own tensors. */
  readonly parameters?: number | undefined;
  /** As its author wrote it: `8B`, `8x7B`. */
  readonly sizeLabel?: string | undefined;
  /** The type of most of its tensors, in upper case: `Q4_K_M`. */
  readonly fileType?: string | undefined;
  /** The number of tokens for which the model was made. */
  readonly contextLength?: number | undefined;
  /** Its unmodified chat template. */
  readonly chat?: ChatTemplate | undefined;
  /** The converted chat template; undefined without one, and for one that cannot be converted. */
  readonly ollama?: OllamaTemplate | undefined;
}

/** The input of a template's conversion. */
export interface ChatTemplate {
  readonly chat_template: string;
  readonly bos_token?: string;
  readonly eos_token?: string;
}

const longestTemplate = 1024 * 1024;
const longestName = 200;
const maxStops = 64;

/** Extracts a registry's data from a file's metadata, which comes from outside and may be anything. Pure. */
export function toGgufHeader(
  metadata: unknown,
  { parameters, nameOfType }: { readonly parameters: number; readonly nameOfType: (type: number) => string | undefined },
): Omit<GgufHeader, 'ollama' | 'chat'> {
  const get = fieldsOf(metadata);
  const type = get('general.file_type');
  const architecture = shortText(get('general.architecture'));
  return {
    architecture,
    contextLength: countOf(get(`${architecture}.context_length`)),
    parameters: Number.isSafeInteger(parameters) && parameters > 0 ? parameters : undefined,
    sizeLabel: shortText(get('general.size_label')),
    fileType: typeof type === 'number' ? nameOfType(type) : undefined,
  };
}

/** The chat template of a file with the tokens it may use; undefined without one. Pure. */
export function chatTemplateOf(metadata: unknown): ChatTemplate | undefined {
  const get = fieldsOf(metadata);
  const template = get('tokenizer.chat_template');
  if (typeof template !== 'string' || template === '' || template.length > longestTemplate) return undefined;
  const tokens = get('tokenizer.ggml.tokens');
  const token = (key: string): string | undefined => {
    const id = get(key);
    return Array.isArray(tokens) && typeof id === 'number' ? shortText(tokens[id]) : undefined;
  };
  const bos = token('tokenizer.ggml.bos_token_id');
  const eos = token('tokenizer.ggml.eos_token_id');
  return { chat_template: template, ...(bos !== undefined && { bos_token: bos }), ...(eos !== undefined && { eos_token: eos }) };
}

/** Validates a converted template from another thread or a cache file; undefined for an invalid one. Pure. */
export function parseOllamaTemplate(value: unknown): OllamaTemplate | undefined {
  const { template, stop } = (value ?? {}) as Record<string, unknown>;
  if (typeof template !== 'string' || template === '' || template.length > longestTemplate) return undefined;
  const stops = Array.isArray(stop) ? stop.filter((one) => shortText(one) !== undefined) : [];
  return { template, stop: [...new Set(stops as string[])].slice(0, maxStops) };
}

/** Validates a header from JSON in a cache file. Pure. */
export function parseGgufHeader(value: unknown): GgufHeader {
  const { architecture, parameters, sizeLabel, fileType, contextLength, chat, ollama } = (value ?? {}) as Record<string, unknown>;
  return {
    architecture: shortText(architecture),
    parameters: typeof parameters === 'number' ? parameters : undefined,
    sizeLabel: shortText(sizeLabel),
    fileType: shortText(fileType),
    contextLength: countOf(contextLength),
    chat: parseChatTemplate(chat),
    ollama: parseOllamaTemplate(ollama),
  };
}

function parseChatTemplate(value: unknown): ChatTemplate | undefined {
  const { chat_template: template, bos_token, eos_token } = (value ?? {}) as Record<string, unknown>;
  if (typeof template !== 'string' || template === '' || template.length > longestTemplate) return undefined;
  const [bos, eos] = [shortText(bos_token), shortText(eos_token)];
  return { chat_template: template, ...(bos !== undefined && { bos_token: bos }), ...(eos !== undefined && { eos_token: eos }) };
}

function fieldsOf(metadata: unknown): (key: string) => unknown {
  const fields = (typeof metadata === 'object' && metadata !== null ? metadata : {}) as Readonly<Record<string, unknown>>;
  return (key) => (Object.hasOwn(fields, key) ? fields[key] : undefined);
}

/** Counts of 64 bits are bigint. */
const countOf = (value: unknown): number | undefined => {
  const count = typeof value === 'bigint' ? Number(value) : value;
  return typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : undefined;
};

const shortText = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && value.length <= longestName ? value : undefined;
