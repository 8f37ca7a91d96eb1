import { constants, open } from 'node:fs/promises';
import { join } from 'node:path';
import { collectTraits, maxSmallBytes } from '../../catalog/collect-traits.ts';
import type { GgufFacts } from '../../catalog/gguf-facts.ts';
import type { FoundCard } from '../../catalog/read-card.ts';
import type { KindFile } from '../../catalog/selection/file-kind.ts';
import type { RegistryEntry, Traits } from '../../protocol/models/entries.ts';
import type { StoreLayout } from '../layout.ts';

/** Reads a model's card and small files. Ignores missing, too large and invalid ones. */
export function readTraits(
  { root }: Pick<StoreLayout, 'root'>,
  { model_id, store_path, files }: RegistryEntry,
  card: FoundCard | undefined,
  { gguf, kinds }: { readonly gguf?: GgufFacts | undefined; readonly kinds?: readonly KindFile[] | undefined },
): Promise<Traits> {
  const pathOf = (name: string): string => join(root, store_path, name);
  return collectTraits(
    {
      text: (name) => readSmall(pathOf(name)),
      part: (name, start, length) => readPart(pathOf(name), Buffer.alloc(length), start).catch(() => undefined),
    },
    { modelId: model_id, files, kinds, card, gguf },
  );
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
      if (!info.isFile() || info.size > maxSmallBytes) return undefined;
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}
