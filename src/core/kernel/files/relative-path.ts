import { SkulkError } from '../errors.ts';

/** A file's path inside a model, `/` between its parts, that passed `parseRelativePath`. */
export type RelativePath = string & { readonly brand: 'RelativePath' };

const maxPathLength = 4096;
const maxPartBytes = 255;
/** What a staged copy keeps of its own beside the model's files. */
const takenAtTheTop = new Set(['.last_used', '.skulk.json', '.skulk']);

/**
 * The gate for every file path from outside: manifests, requests, registries, archives.
 * It can name a file below a root and nothing else.
 * @throws SkulkError BAD_PATH
 */
export function parseRelativePath(text: string): RelativePath {
  const problem = findProblem(text);
  if (problem === undefined) return text as RelativePath;
  throw new SkulkError('BAD_PATH', `${quote(text)} is not a valid path of a model file: ${problem}`, {
    hint: 'use a relative path inside the model, with "/" as the separator',
  });
}

/** Whether `parseRelativePath` would let a text pass. */
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

/** What some disks leave out of a name, and the short names that FAT gives to those of skulk. */
const leftOut = /\p{Default_Ignorable_Code_Point}|[. ]+$|:.*$/gsu;
const shortName = /^(?:skulk|last_u)~\d/;

/** Whether some disk takes a name for one of skulk's own: it may ignore case and compatibility forms, dots at the end, or what cannot be seen. */
function mayMeanOwn(name: string): boolean {
  const folded = name.normalize('NFKC').toUpperCase().toLowerCase().replaceAll(leftOut, '');
  return takenAtTheTop.has(folded) || shortName.test(folded);
}

/** A text from outside, safe to show on one line of a terminal. */
export function quote(text: string): string {
  const shown = JSON.stringify(text.length > 200 ? `${text.slice(0, 197)}…` : text);
  return shown.replaceAll(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Some of many texts from outside, and how many more there are. */
export function quoteSome(texts: readonly string[]): string {
  const shown = texts.slice(0, maxQuoted).map(quote).join(', ');
  return texts.length > maxQuoted ? `${shown} and ${texts.length - maxQuoted} more` : shown;
}

const maxQuoted = 5;
