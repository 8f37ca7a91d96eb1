import { parse, stringify, TomlError } from 'smol-toml';
import { type Card, type CardFault, type CardTable, cardOf } from './card-table.ts';

/** Parses the text of a card (TOML). */
export function parseCard(text: string): Card | CardFault {
  try {
    return cardOf(parse(text, { maxDepth: 64 }), (key) => lineOfKey(text, key));
  } catch (error) {
    if (error instanceof TomlError)
      return { line: error.line, says: error.message.split('\n')[0]?.replace('Invalid TOML document: ', '') ?? '' };
    return { line: 1, says: error instanceof Error ? error.message : String(error) };
  }
}

/** The text of a card (TOML). */
export const formatCard = (table: CardTable): string => stringify(table);

/** The line of a key or a section; 1 if it does not exist. */
function lineOfKey(text: string, key: string): number {
  const at = text.split('\n').findIndex((line) => new RegExp(`^\\s*(\\[\\s*)?["']?${key}["']?\\s*[=\\].]`).test(line));
  return at === -1 ? 1 : at + 1;
}
