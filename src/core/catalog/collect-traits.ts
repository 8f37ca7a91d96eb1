import type { Traits } from '../protocol/models/entries.ts';
import { readReadmeFacts } from './readme-facts.ts';
import { countTensors } from './safetensors-parameters.ts';
import { deriveTraits, type TraitSources } from './traits.ts';

/** The bytes of a model's files, wherever they are. Undefined for files that are missing, too large, or unreadable. */
export interface SmallFiles {
  /** A whole file as text, if it has at most `maxSmallBytes`. */
  text(path: string): Promise<string | undefined>;
  /** Exactly `length` bytes from `start`. */
  part(path: string, start: number, length: number): Promise<Buffer | undefined>;
}

/** A larger file is not a configuration: it is an attack, or has a wrong name. In bytes. */
export const maxSmallBytes = 4 * 1024 * 1024;

/** Reads a model's small files, and derives its traits. Ignores missing, too large and invalid ones. */
export async function collectTraits(
  { text, part }: SmallFiles,
  known: Pick<TraitSources, 'modelId' | 'files' | 'kinds' | 'card' | 'gguf'>,
): Promise<Traits> {
  const { files } = known;
  const has = new Set(files);
  const read = (name: string): Promise<string | undefined> => (has.has(name) ? text(name) : Promise.resolve(undefined));
  const [config, tokenizer, template, ofProcessor, readme, index] = await Promise.all([
    read('config.json'),
    read('tokenizer_config.json'),
    read('chat_template.jinja'),
    read('chat_template.json'),
    read('README.md'),
    read('model.safetensors.index.json'),
  ]);
  const templateIn = (json: string | undefined): unknown => (parse(json) as { chat_template?: unknown } | null)?.chat_template;
  const ofTokenizer = templateIn(tokenizer) ?? templateIn(ofProcessor);
  const chatTemplate = template ?? (ofTokenizer === undefined ? undefined : JSON.stringify(ofTokenizer));
  return deriveTraits({
    ...known,
    config: parse(config),
    chatTemplate,
    readme: readme === undefined ? undefined : readReadmeFacts(readme),
    parameters: await countParameters(part, files, parse(index)),
  });
}

/**
 * The number of parameters in safetensors files: from the index, or from a single header. Packed weights have fewer numbers than
 * parameters.
 */
async function countParameters(part: SmallFiles['part'], files: readonly string[], index: unknown): Promise<number | undefined> {
  const { metadata } = (index ?? {}) as { metadata?: { total_parameters?: unknown } | null };
  const total = metadata?.total_parameters;
  if (Number.isSafeInteger(total) && (total as number) > 0) return total as number;
  const [only, another] = files.filter((path) => path.endsWith('.safetensors'));
  return only === undefined || another !== undefined ? undefined : await parametersOfHead(part, only);
}

const lengthBytes = 8;

async function parametersOfHead(part: SmallFiles['part'], path: string): Promise<number | undefined> {
  const length = (await part(path, 0, lengthBytes))?.readBigUInt64LE();
  if (length === undefined || length > maxSmallBytes) return undefined;
  const head = await part(path, lengthBytes, Number(length));
  return head === undefined ? undefined : countTensors(parse(head.toString('utf8')));
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
