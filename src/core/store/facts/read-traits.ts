import { constants, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { GgufFacts } from '../../catalog/gguf-facts.ts';
import type { FoundCard } from '../../catalog/read-card.ts';
import { readReadmeFacts } from '../../catalog/readme-facts.ts';
import { countTensors } from '../../catalog/safetensors-parameters.ts';
import type { KindFile } from '../../catalog/selection/file-kind.ts';
import { deriveTraits } from '../../catalog/traits.ts';
import type { RegistryEntry, Traits } from '../../protocol/models.ts';
import type { StoreLayout } from '../layout.ts';

/** A larger file is not a configuration: it is an attack, or has a wrong name. */
const maxBytes = 4 * 1024 * 1024;

/** Reads a model's card and small files. Ignores missing, too large and invalid ones. */
export async function readTraits(
  { root }: Pick<StoreLayout, 'root'>,
  { model_id, store_path, files }: RegistryEntry,
  card: FoundCard | undefined,
  { gguf, kinds }: { readonly gguf?: GgufFacts | undefined; readonly kinds?: readonly KindFile[] | undefined },
): Promise<Traits> {
  const has = new Set(files);
  const read = (name: string): Promise<string | undefined> =>
    has.has(name) ? readSmall(join(root, store_path, name)) : Promise.resolve(undefined);
  const [config, tokenizer, template, ofProcessor, readme, index] = await Promise.all([
    read('config.json'),
    read('tokenizer_config.json'),
    read('chat_template.jinja'),
    read('chat_template.json'),
    read('README.md'),
    read('model.safetensors.index.json'),
  ]);
  const templateIn = (text: string | undefined): unknown => (parse(text) as { chat_template?: unknown } | null)?.chat_template;
  const ofTokenizer = templateIn(tokenizer) ?? templateIn(ofProcessor);
  const chatTemplate = template ?? (ofTokenizer === undefined ? undefined : JSON.stringify(ofTokenizer));
  return deriveTraits({
    modelId: model_id,
    files,
    kinds,
    card,
    config: parse(config),
    chatTemplate,
    gguf,
    readme: readme === undefined ? undefined : readReadmeFacts(readme),
    parameters: await countParameters(join(root, store_path), files, parse(index)),
  });
}

/**
 * The number of parameters in safetensors files: from the index, or from a single header. Packed weights have fewer numbers than
 * parameters.
 */
async function countParameters(directory: string, files: readonly string[], index: unknown): Promise<number | undefined> {
  const { metadata } = (index ?? {}) as { metadata?: { total_parameters?: unknown } | null };
  const total = metadata?.total_parameters;
  if (Number.isSafeInteger(total) && (total as number) > 0) return total as number;
  const [only, another] = files.filter((path) => path.endsWith('.safetensors'));
  return only === undefined || another !== undefined ? undefined : await parametersOfHead(join(directory, only));
}

async function parametersOfHead(path: string): Promise<number | undefined> {
  const length = Buffer.alloc(8);
  const head = await readPart(path, length, 0)
    .then(
      async () => {
        const size = Number(length.readBigUInt64LE());
        return size > maxBytes ? undefined : await readPart(path, Buffer.alloc(size), length.length);
      },
      () => undefined,
    )
    .catch(() => undefined);
  return head === undefined ? undefined : countTensors(parse(head.toString('utf8')));
}

async function readPart(path: string, buffer: Buffer, at: number): Promise<Buffer | undefined> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    if (!(await file.stat()).isFile()) return undefined;
    return (await file.read(buffer, 0, buffer.length, at)).bytesRead === buffer.length ? buffer : undefined;
  } finally {
    await file.close();
  }
}

async function readSmall(path: string): Promise<string | undefined> {
  try {
    // Do not follow a link, which may lead anywhere, and do not wait for a pipe.
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
