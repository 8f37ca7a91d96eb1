import { constants, open } from 'node:fs/promises';
import { join } from 'node:path';
import { SkulkError } from '../kernel/errors.ts';
import { isThere } from '../kernel/files/is-there.ts';
import { directoryName, type ModelId } from '../kernel/model-id.ts';
import type { CardPlace } from '../protocol/models/entries.ts';
import { type Card, type CardFault, parseInstalledCard } from './card-table.ts';

/** A real card has a few kilobytes. */
const maxBytes = 1024 * 1024;

/** A card and its place. */
export interface FoundCard extends Card {
  readonly from: CardPlace;
}

/** The places of model cards. */
export interface CardPlaces {
  /** The directory of `cards_path`. */
  readonly cardsPath?: string | undefined;
  /** Where the store keeps cards beside its manifests. */
  readonly manifests?: string | undefined;
  /** The directory of the model, and its files. */
  readonly model?: { readonly directory: string; readonly files: readonly string[] } | undefined;
}

/** The names of a card among the files of its model: as text, and as a record of the Python program. */
export const cardNames = (modelId: ModelId): { readonly text: string; readonly record: string } => ({
  text: `${directoryName(modelId)}.toml`,
  record: `${directoryName(modelId)}.card.json`,
});

/** The path of that record in the directory of a model, in later releases of the Python program. */
export const installedCard = join('.skulk', 'installed-card.json');

/**
 * Finds a model's card in the first place with a valid one: `cards_path`, the store, the model itself.
 * @param onBad called with an invalid card, as a sentence with file and line
 */
export async function readCard(places: CardPlaces, modelId: ModelId, onBad: (message: string) => void): Promise<FoundCard | undefined> {
  const { text: name, record } = cardNames(modelId);
  const { cardsPath, manifests, model } = places;
  const candidates: readonly (readonly [CardPlace, string | undefined, string])[] = [
    ['cards_path', cardsPath, name],
    ['store', manifests, name],
    ...[name, record].flatMap((file): [CardPlace, string, string][] =>
      model?.files.includes(file) === true ? [['model', model.directory, file]] : [],
    ),
    ['python', model?.directory, installedCard],
  ];
  for (const [from, directory, file] of candidates) {
    if (directory === undefined) continue;
    const path = join(directory, file);
    const card = await readCardFile(path, { isOfModel: from === 'model' || from === 'python' });
    if (card === undefined) continue;
    if ('says' in card) onBad(`${path}${card.line === 0 ? '' : `:${card.line}`}: ${card.says}; the card is ignored`);
    else if (card.modelId !== modelId) onBad(`${path}:1: it is the card of ${card.modelId}, not of ${modelId}; the card is ignored`);
    else return { ...card, from };
  }
  return undefined;
}

/**
 * Reads a card that the user names, as text or as a record of the Python program.
 * @throws SkulkError FILE_NOT_FOUND; USAGE for an invalid card, or the card of another model
 */
export async function requireCard(path: string, modelId: ModelId): Promise<Card> {
  const card = await readCardFile(path, { isOfModel: false });
  const refuse = (why: string): SkulkError => new SkulkError('USAGE', `${path} is not a card of ${modelId}: ${why}`, { hint: cardHint });
  if (card === undefined) {
    if (!(await isThere(path))) throw new SkulkError('FILE_NOT_FOUND', `${path} does not exist`, { hint: 'check the path' });
    throw refuse('it is of a companion');
  }
  if ('says' in card) throw refuse(card.line > 1 ? `line ${card.line}: ${card.says}` : card.says);
  if (card.modelId !== modelId) throw refuse(`its model_id is ${card.modelId}`);
  return card;
}

const cardHint = 'a card is a TOML file with model_id, or an installed-card.json of the Python program';

/** @returns undefined if there is no card; line 0 for a fault of the whole file */
async function readCardFile(path: string, { isOfModel }: { readonly isOfModel: boolean }): Promise<Card | CardFault | undefined> {
  const text = await readSmall(path, isOfModel);
  if (typeof text !== 'string') return text;
  if (path.endsWith('.json')) return parseInstalledCard(text);
  const { parseCard } = await import('./card.ts');
  return parseCard(text);
}

/** @param isOfModel whether another user may have put a link or a pipe there */
async function readSmall(path: string, isOfModel: boolean): Promise<string | CardFault | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (isOfModel ? (constants.O_NOFOLLOW ?? 0) : 0));
    try {
      const info = await file.stat();
      if (info.isFile() && info.size <= maxBytes) return await file.readFile('utf8');
      return { line: 0, says: `it is ${info.isFile() ? `larger than ${maxBytes} bytes` : 'not a file'}` };
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    return { line: 0, says: `it cannot be read (${code ?? String(error)})` };
  }
}
