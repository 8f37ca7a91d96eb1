import { mapYielding } from './yielding.ts';

/** Lists and objects are split down to this depth. It reaches a file in the list of a manifest in a change record. */
const deepest = 3;
/** Parts are joined up to about this many characters. */
const partLength = 16 * 1024;

/**
 * Yields the text that `JSON.stringify` makes of plain data, in parts. Other work can use the event loop between two parts.
 * @param indent spaces per level; 0 for a single line
 */
export function* jsonParts(value: unknown, indent = 0): Generator<string> {
  let part = '';
  for (const token of tokens(value, { depth: 0, indent })) {
    part += token;
    if (part.length < partLength) continue;
    yield part;
    part = '';
  }
  yield part;
}

/** The same text as one buffer of bytes. */
export async function jsonYielding(value: unknown): Promise<Buffer> {
  return Buffer.concat(await mapYielding(jsonParts(value), (part) => Buffer.from(part)));
}

function* tokens(value: unknown, { depth, indent }: { readonly depth: number; readonly indent: number }): Generator<string> {
  const gap = (levels: number): string => (indent === 0 ? '' : `\n${' '.repeat(indent * levels)}`);
  if (typeof value !== 'object' || value === null || depth === deepest || Object.keys(value).length === 0) {
    yield JSON.stringify(value, undefined, indent).replaceAll('\n', gap(depth) || '\n');
    return;
  }
  const isList = Array.isArray(value);
  const inner = { depth: depth + 1, indent };
  const colon = indent === 0 ? ':' : ': ';
  yield isList ? '[' : '{';
  let isFirst = true;
  for (const key of isList ? value.keys() : Object.keys(value)) {
    const item: unknown = (value as Record<string | number, unknown>)[key];
    if (item === undefined && !isList) continue;
    yield `${isFirst ? '' : ','}${gap(depth + 1)}${isList ? '' : `${JSON.stringify(key)}${colon}`}`;
    yield* tokens(item ?? null, inner);
    isFirst = false;
  }
  yield `${isFirst ? '' : gap(depth)}${isList ? ']' : '}'}`;
}
