import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { directoryName, type ModelId } from '../kernel/model-id.ts';
import type { Card } from './card.ts';

/** A real card has a few kilobytes. */
const maxBytes = 1024 * 1024;

/**
 * Finds a model's card, `<org>--<name>.toml`, in the first directory with a valid one.
 * @param onBad called with an invalid card, as a sentence with file and line
 */
export async function readCard(
  directories: readonly string[],
  modelId: ModelId,
  onBad: (message: string) => void,
): Promise<Card | undefined> {
  for (const directory of directories) {
    const path = join(directory, `${directoryName(modelId)}.toml`);
    const text = await readSmall(path, onBad);
    if (text === undefined) continue;
    const { parseCard } = await import('./card.ts');
    const card = parseCard(text);
    if ('says' in card) onBad(`${path}:${card.line}: ${card.says}; the card is ignored`);
    else if (card.modelId !== modelId) onBad(`${path}:1: it is the card of ${card.modelId}, not of ${modelId}; the card is ignored`);
    else return card;
  }
  return undefined;
}

async function readSmall(path: string, onBad: (message: string) => void): Promise<string | undefined> {
  try {
    const info = await stat(path);
    if (info.isFile() && info.size <= maxBytes) return await readFile(path, 'utf8');
    onBad(`${path}: it is ${info.isFile() ? `larger than ${maxBytes} bytes` : 'not a file'}; the card is ignored`);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') onBad(`${path} cannot be read (${code ?? String(error)}); the card is ignored`);
  }
  return undefined;
}
