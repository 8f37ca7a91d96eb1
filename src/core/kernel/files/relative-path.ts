import { SkulkError } from '../errors.ts';

/** A file's path inside a model, with `/` between its parts. Made by `parseRelativePath`. */
export type RelativePath = string & { readonly brand: 'RelativePath' };

const maxPathLength = 4096;
const maxPartBytes = 255;
/** Names that skulk itself uses in a staged copy, beside the model's files. */
const takenAtTheTop = new Set(['.last_used', '.skulk.json', '.skulk']);

/**
 * Validates every file path from outside: from manifests, requests, registries and archives. The result can only name a file below a
 * root.
 * @throws SkulkError BAD_PATH
 */
export function parseRelativePath(text: string): RelativePath {
  const problem = findProblem(text);
  if (problem === undefined) return text as RelativePath;
  throw new SkulkError('BAD_PATH', `${quote(text)} is not a valid path of a model file: ${problem}`, {
    hint: 'use a relative path inside the model, with "/" as the separator',
  });
}

/** Whether `parseRelativePath` accepts a text. */
export const isRelativePath = (text: string): text is RelativePath => findProblem(text) === undefined;

function findProblem(text: string): string | undefined {
  if (text === '') return 'it is empty';
  if (text.length > maxPathLength) return `it is longer than ${maxPathLength} characters`;
  if (text.includes('\0')) return 'it has a NUL character';
  if (text.startsWith('/')) return 'it is absolute';
  if (text.includes('\\')) return 'it has a backslash';
  if (/^[A-Za-z]:/.test(text)) return 'it begins with a drive letter';
  if (!text.isWellFormed()) return 'it is not valid Unicode';
  const parts = text.split('/');
  for (const part of parts) {
    if (part === '') return 'a part of it is empty';
    if (part === '.' || part === '..') return `"${part}" is a part of it`;
    if (Buffer.byteLength(part) > maxPartBytes) return `a part of it is longer than ${maxPartBytes} bytes`;
  }
  if (mayMeanOwn(parts[0] ?? '')) return `${quote(parts[0] ?? '')} belongs to skulk`;
  return undefined;
}

/** Characters that some disks drop from a name, and the short names that FAT gives to skulk's files. */
const leftOut = /\p{Default_Ignorable_Code_Point}|[. ]+$|:.*$/gsu;
const shortName = /^(?:skulk|last_u)~\d/;

/**
 * Whether some disk treats a name as one of skulk's own. A disk may ignore case, compatibility forms, trailing dots, or invisible
 * characters.
 */
function mayMeanOwn(name: string): boolean {
  const folded = name.normalize('NFKC').toUpperCase().toLowerCase().replaceAll(leftOut, '');
  return takenAtTheTop.has(folded) || shortName.test(folded);
}

/** Quotes a text from outside, so that it is safe on one line of a terminal. */
export function quote(text: string): string {
  const shown = JSON.stringify(text.length > 200 ? `${text.slice(0, 197)}…` : text);
  return shown.replaceAll(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Quotes a few of many texts from outside, and says how many more there are. */
export function quoteSome(texts: readonly string[]): string {
  const shown = texts.slice(0, maxQuoted).map(quote).join(', ');
  return texts.length > maxQuoted ? `${shown} and ${texts.length - maxQuoted} more` : shown;
}

const maxQuoted = 5;
