import { type Document, isMap, isScalar, type LineCounter, type Pair, type YAMLMap } from 'yaml';
import { SkulkError } from '../kernel/errors.ts';
import { knownKeysAt } from './known-keys.ts';

/** A section that is empty because the lines below it lost their indentation. */
interface LostIndentation {
  /** The section's name. */
  readonly section: string;
  /** Its depth. */
  readonly depth: number;
  /** The pairs that belong into it. */
  readonly lost: readonly Pair[];
}

/** Spaces from a web page, which YAML treats as part of the key. */
const webSpaces = /^[\u00a0\u2000-\u200b\u202f\u3000\ufeff]+/;

/**
 * Detects a file that was copied from a web page or a chat: an empty `model_store:`, followed by its keys at the same depth.
 * @throws SkulkError CONFIG with the first two lines as they should be
 */
export function refuseLostIndentation(document: Document, { text, path, lines }: { text: string; path: string; lines: LineCounter }): void {
  const found = isMap(document.contents) ? find(document.contents, []) : undefined;
  if (found === undefined) return;
  const { section, depth, lost } = found;
  const all = text.split('\n');
  const lineOf = (pair: Pair): number => (isScalar(pair.key) && pair.key.range ? lines.linePos(pair.key.range[0]).line : 0);
  const [first] = lost;
  const indent = '  '.repeat(depth);
  const shown = lost.slice(0, 2).map((pair) => `${indent}  ${(all[lineOf(pair) - 1] ?? '').replace(webSpaces, '').trim()}`);
  throw new SkulkError('CONFIG', `${path}:${first === undefined ? 1 : lineOf(first)}: the lines below "${section}:" must be indented`, {
    hint: `write:\n${indent}${section}:\n${shown.join('\n')}`,
  });
}

function find(map: YAMLMap, above: readonly string[]): LostIndentation | undefined {
  const own = knownKeysAt(above);
  for (const [index, { key, value }] of map.items.entries()) {
    const name = nameOf(key);
    const within = knownKeysAt([...above, name]);
    if (!own.includes(name) || within.length === 0) continue;
    const deeper = isMap(value) ? find(value, [...above, name]) : undefined;
    if (deeper !== undefined) return deeper;
    if (!isEmpty(value)) continue;
    const rest = map.items.slice(index + 1);
    const end = rest.findIndex((pair) => !within.includes(nameOf(pair.key)));
    const lost = end === -1 ? rest : rest.slice(0, end);
    // A key that exists on both levels, such as `enabled`, decides nothing.
    if (lost.some((pair) => !own.includes(nameOf(pair.key)) || hasWebSpace(pair.key))) return { section: name, depth: above.length, lost };
  }
  return undefined;
}

const isEmpty = (value: unknown): boolean => value === null || (isScalar(value) && value.value === null);

const nameOf = (key: unknown): string => (isScalar(key) ? String(key.value).replace(webSpaces, '') : '');

const hasWebSpace = (key: unknown): boolean => isScalar(key) && webSpaces.test(String(key.value));
