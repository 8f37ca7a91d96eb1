import { SkulkError } from '../../kernel/errors.ts';
import { isRelativePath, parseRelativePath, quote } from '../../kernel/files/relative-path.ts';
import { isModelId, type ModelId, parseModelId } from '../../kernel/model-id.ts';

/** One interpretation of a URL: a model, and one of its files. */
export interface ModelTarget {
  readonly modelId: ModelId;
  /** The possible names, most likely first: decoded, then as received. Empty for the model itself. */
  readonly paths: readonly string[];
  /** Why the URL does not mean `org/name`, if the store does not have this model either. */
  readonly refusal?: unknown;
}

/** What only a model has: a URL that ends so names a model of one or two segments. */
const listings: ReadonlySet<string> = new Set(['files', 'manifest', 'download/status']);

/** The part of a request target before its query, without a scheme and host, which a proxy may have left in it. */
export const pathOf = (target: string): string => target.replace(/^https?:\/\/[^/?]*/i, '').replace(/\?.*$/s, '');

/**
 * Makes a target safe for a router that decodes it: a `%` that starts no escape and a `#` are escaped, because a client that does not
 * escape file names means them literally. Pure.
 */
export function escapeStrays(target: string): string {
  const path = pathOf(target);
  const query = target.slice(target.indexOf(path) + path.length);
  return path.replaceAll(/%(?![0-9a-f]{2})/gi, '%25').replaceAll('#', '%23') + query;
}

/**
 * Interprets the part after `/models/`: an id of one segment (`org%2Fname`, `name`) or two (`org/name`), then a file's path, escaped or
 * not. Two plain segments have two interpretations; both are returned, `org/name` first. Pure.
 * @param target the request target as received
 * @throws SkulkError BAD_MODEL_ID, BAD_PATH if no interpretation is a path inside a model
 */
export function parseModelUrl(target: string): readonly ModelTarget[] {
  const segments = pathOf(target)
    .replace(/^\/models\//, '')
    .split('/');
  const first = decode(segments[0] ?? '');
  const second = segments.length > 1 ? decode(segments[1] ?? '') : '';
  const readings: ModelTarget[] = [];
  let refusal: unknown;
  const attempt = (id: string, rest: readonly string[]): void => {
    if (!isModelId(id)) {
      if (listings.has(rest.join('/'))) refusal ??= explainBadId(id);
      return;
    }
    try {
      readings.push({ modelId: id, paths: parsePaths(rest.join('/')), ...(refusal === undefined ? {} : { refusal }) });
    } catch (error) {
      refusal ??= error;
    }
  };
  if (!first.includes('/') && second !== '') attempt(`${first}/${second}`, segments.slice(2));
  attempt(first, segments.slice(1));
  if (readings.length > 0) return readings;
  throw refusal ?? explainBadId(first);
}

function explainBadId(id: string): unknown {
  try {
    return new SkulkError('BAD_MODEL_ID', `${quote(parseModelId(id))} is not followed by a file path`);
  } catch (error) {
    return error;
  }
}

function parsePaths(raw: string): readonly string[] {
  if (raw === '') return [];
  if (raw === 'files/' || raw === 'manifest/') return [raw.slice(0, -1)];
  const decoded = parseRelativePath(decode(raw));
  return raw !== decoded && isRelativePath(raw) ? [decoded, raw] : [decoded];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll(/%(?![0-9a-f]{2})/gi, '%25'));
  } catch (cause) {
    throw new SkulkError('BAD_PATH', `${quote(text)} has escapes that are not UTF-8`, {
      hint: 'percent-encode the UTF-8 bytes of the name',
      cause,
    });
  }
}
