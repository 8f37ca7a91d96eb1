import { constants, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Card } from '../../catalog/card.ts';
import type { GgufFacts } from '../../catalog/gguf-facts.ts';
import { deriveTraits } from '../../catalog/traits.ts';
import type { RegistryEntry, Traits } from '../../protocol/models.ts';
import type { StoreLayout } from '../layout.ts';

/** Larger ones are nobody's configuration: a bomb, or not what the name says. */
const maxBytes = 4 * 1024 * 1024;

/** Looks at a model's card and small files. What is missing, too large or not what it should be tells nothing, and breaks nothing. */
export async function readTraits(
  { root }: Pick<StoreLayout, 'root'>,
  { model_id, store_path, files }: RegistryEntry,
  card: Card | undefined,
  gguf: GgufFacts | undefined,
): Promise<Traits> {
  const has = new Set(files);
  const read = (name: string): Promise<string | undefined> =>
    has.has(name) ? readSmall(join(root, store_path, name)) : Promise.resolve(undefined);
  const [config, tokenizer, template] = await Promise.all([
    read('config.json'),
    read('tokenizer_config.json'),
    read('chat_template.jinja'),
  ]);
  const ofTokenizer = (parse(tokenizer) as { chat_template?: unknown } | null)?.chat_template;
  const chatTemplate = template ?? (ofTokenizer === undefined ? undefined : JSON.stringify(ofTokenizer));
  return deriveTraits({ modelId: model_id, files, card, config: parse(config), chatTemplate, gguf });
}

async function readSmall(path: string): Promise<string | undefined> {
  try {
    // Neither a link, which may lead anywhere, nor a pipe, which would be waited for.
    const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    try {
      const info = await file.stat();
      if (!info.isFile() || info.size > maxBytes) return undefined;
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
