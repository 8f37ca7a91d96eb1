import { readFile, stat } from 'node:fs/promises';
import type { TSchema } from 'typebox';
import { type Document, isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { describeProblems } from '../kernel/describe-problems.ts';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { describeFailure } from '../kernel/explain-system-error.ts';

/*
 * Two small files beside skulk.yaml contain settings that only skulk has: policy.yaml of a store and machine.yaml of a machine. Both are
 * YAML mappings with a schema. Most machines have neither, and then only a `stat` is done.
 */

/** Such a file: its name in messages, and its schema. */
export interface SettingsFile<T> {
  readonly path: string;
  readonly schema: TSchema;
  /** Converts a content that passed the schema. */
  readonly read: (content: Readonly<Record<string, unknown>>) => T;
}

const largest = 64 * 1024;

/**
 * The text of such a file; undefined if there is none.
 * @throws SkulkError CONFIG
 */
export async function readSettingsText(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > largest)
      throw new SkulkError('CONFIG', `${path} has ${size} bytes; it may have at most ${largest}`, {
        hint: 'check that it is the right file',
      });
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    if (isSystemError(error, 'EACCES', 'EPERM', 'EISDIR', 'ELOOP'))
      throw new SkulkError('CONFIG', describeFailure(`cannot read ${path}`, error), {
        hint: 'check its owner and mode',
        cause: error,
      });
    throw error;
  }
}

/**
 * Validates a text with the schema of a settings file.
 * @throws SkulkError CONFIG with the file, the line and the key
 */
export async function parseSettingsText<T>(text: string, { path, schema, read }: SettingsFile<T>): Promise<T> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [fault] = document.errors;
  if (fault !== undefined) {
    const { line, col } = lines.linePos(fault.pos[0]);
    throw new SkulkError('CONFIG', `${path}:${line}:${col}: not YAML: ${fault.message}`, { hint: 'correct that line' });
  }
  const content = toContent(document, path);
  const { validatorOf } = await import('../kernel/validate.ts');
  const problems = validatorOf(schema)(content);
  if (problems.length === 0) return read(content);
  const { message, hint } = describeProblems(problems, {
    path,
    lineOf: (keys) => lineOf(document, keys, lines),
    knownKeysAt: (keys) => knownKeysIn(schema, keys),
    usualHint: problems.length === 1 ? 'correct that line' : 'correct these lines',
  });
  throw new SkulkError('CONFIG', message, { hint });
}

/**
 * Writes values into the text of a settings file and validates the result. Comments stay.
 * @param changes values by their path of keys; undefined removes the key, so that its default applies
 * @throws SkulkError CONFIG if the result would be invalid
 */
export async function changeSettingsText<T>(
  text: string,
  changes: readonly (readonly [keys: readonly string[], value: unknown])[],
  file: SettingsFile<T>,
): Promise<{ readonly text: string; readonly settings: T }> {
  await parseSettingsText(text, file);
  const document: Document = parseDocument(text);
  if (!isMap(document.contents)) document.contents = document.createNode({});
  for (const [keys, value] of changes) {
    if (value === undefined) {
      if (document.hasIn(keys)) document.deleteIn(keys);
      continue;
    }
    for (let depth = 1; depth < keys.length; depth += 1)
      if (!isMap(document.getIn(keys.slice(0, depth), true))) document.setIn(keys.slice(0, depth), document.createNode({}));
    document.setIn(keys, typeof value === 'object' ? document.createNode(value) : value);
  }
  const isEmpty = isMap(document.contents) && document.contents.items.length === 0;
  const changed = isEmpty ? text.replace(/^(?!\s*#).*$/gm, '').trimStart() : document.toString({ lineWidth: 0 });
  return { text: changed, settings: await parseSettingsText(changed, file) };
}

function toContent(document: Document, path: string): Readonly<Record<string, unknown>> {
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (value === null || value === undefined) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  throw new SkulkError('CONFIG', `${path}:1: it must be a mapping of keys, such as "name: value"`, {
    hint: 'correct the file, or remove it',
  });
}

/** The line of a key, or of the nearest one above it in the tree. */
function lineOf(document: Document, keys: readonly string[], lines: LineCounter): number | undefined {
  for (let depth = keys.length; depth > 0; depth -= 1) {
    const parent = depth === 1 ? document.contents : document.getIn(keys.slice(0, depth - 1), true);
    if (!isMap(parent)) continue;
    const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === keys[depth - 1]);
    if (isScalar(pair?.key) && pair.key.range) return lines.linePos(pair.key.range[0]).line;
  }
  return undefined;
}

function knownKeysIn(schema: TSchema, keys: readonly string[]): readonly string[] {
  let node: unknown = schema;
  for (const key of keys) node = (node as { properties?: Record<string, unknown> } | undefined)?.properties?.[key];
  return Object.keys((node as { properties?: object } | undefined)?.properties ?? {});
}
