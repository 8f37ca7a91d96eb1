/** How Ollama is to write a conversation for a model. */
export interface OllamaTemplate {
  /** In the format of Go's templates. */
  readonly template: string;
  /** What ends an answer. */
  readonly stop: readonly string[];
}

/** What a registry says of a GGUF file; undefined for what the file does not say. */
export interface GgufHeader {
  readonly architecture?: string | undefined;
  /** How many parameters the tensors of this very file have. */
  readonly parameters?: number | undefined;
  /** As its maker wrote it: `8B`, `8x7B`. */
  readonly sizeLabel?: string | undefined;
  /** How most of its tensors are stored, in upper case: `Q4_K_M`. */
  readonly fileType?: string | undefined;
  /** How many tokens the model was made for. */
  readonly contextLength?: number | undefined;
  /** Its chat template as it stands in the file. */
  readonly chat?: ChatTemplate | undefined;
  /** Of its chat template; undefined without one, and for one that has no counterpart. */
  readonly ollama?: OllamaTemplate | undefined;
}

/** What a template is converted from. */
export interface ChatTemplate {
  readonly chat_template: string;
  readonly bos_token?: string;
  readonly eos_token?: string;
}

const longestTemplate = 1024 * 1024;
const longestName = 200;
const maxStops = 64;

/** Picks what a registry says out of a file's metadata, which comes from outside and may be anything. Pure. */
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

/** The chat template of a file with the tokens that it may name; undefined without one. Pure. */
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

/** Reads a converted template that came from another thread or a cache file; undefined for anything else. Pure. */
export function parseOllamaTemplate(value: unknown): OllamaTemplate | undefined {
  const { template, stop } = (value ?? {}) as Record<string, unknown>;
  if (typeof template !== 'string' || template === '' || template.length > longestTemplate) return undefined;
  const stops = Array.isArray(stop) ? stop.filter((one) => shortText(one) !== undefined) : [];
  return { template, stop: [...new Set(stops as string[])].slice(0, maxStops) };
}

/** A header from a cache file, where it lies as JSON. Pure. */
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

/** Counts of 64 bits come as bigint. */
const countOf = (value: unknown): number | undefined => {
  const count = typeof value === 'bigint' ? Number(value) : value;
  return typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : undefined;
};

const shortText = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && value.length <= longestName ? value : undefined;
