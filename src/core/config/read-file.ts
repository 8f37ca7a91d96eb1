import { readFile, stat } from 'node:fs/promises';
import { type Document, isMap, isNode, isScalar, LineCounter, type YAMLMap } from 'yaml';
import { describeProblems } from '../kernel/describe-problems.ts';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { checkConfig } from './check-config.ts';
import { knownKeysAt } from './known-keys.ts';
import { refuseLostIndentation } from './lost-indentation.ts';
import { parseAsPyYaml } from './pyyaml.ts';
import type { ConfigFile } from './schema.ts';
import { laterSections } from './shared-keys.ts';

const maxBytes = 1024 * 1024;

/** A configuration file's content, and the positions of its keys. */
export interface ReadConfig {
  readonly content: ConfigFile;
  /** The line, from 1, of a key such as `model_store.store_path`. */
  readonly lineOf: (key: string) => number | undefined;
  /** Accepted but unused keys. */
  readonly notes: readonly string[];
}

/**
 * Reads and validates one configuration file, YAML or JSON. Nothing in it is executed.
 * @throws SkulkError CONFIG with the file, the line, the key and a hint
 */
export async function readConfigFile(path: string): Promise<ReadConfig> {
  return parseConfig(await readText(path), path);
}

async function readText(path: string): Promise<string> {
  try {
    const info = await stat(path);
    if (info.isDirectory())
      throw new SkulkError('CONFIG', `${path} is a directory, not a configuration file`, {
        hint: `name the file, e.g. ${path}/skulk.yaml`,
      });
    if (info.size > maxBytes)
      throw new SkulkError('CONFIG', `${path} has ${info.size} bytes; a configuration file may have at most ${maxBytes}`, {
        hint: 'check that it is the right file',
      });
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT'))
      throw new SkulkError('CONFIG', `${path} does not exist`, {
        hint: 'check --config and SKULK_CONFIG, or run `skulk config init`',
        cause: error,
      });
    if (isSystemError(error, 'EACCES', 'EPERM'))
      throw new SkulkError('CONFIG', `${path} cannot be read: permission denied`, { hint: 'check its owner and mode', cause: error });
    throw error;
  }
}

/**
 * Parses the text of a configuration file; JSON is YAML too.
 * @param path the file, for messages
 * @throws SkulkError CONFIG
 */
export function parseConfig(text: string, path: string): ReadConfig {
  refuseBinary(text, path);
  const lines = new LineCounter();
  const document = parseAsPyYaml(text, { path, lineCounter: lines });
  refuseTab(document, path, lines);
  refuseLostIndentation(document, { text, path, lines });
  refuseFault(document, path, lines);
  const value: unknown = expandDocument(document, path);
  if (value === null || value === undefined) return { content: {}, lineOf: () => undefined, notes: [] };
  if (!isMap(document.contents))
    throw new SkulkError('CONFIG', `${path}:1: it must be a mapping of keys, such as "model_store:"`, {
      hint: '`skulk config init --print` prints an example',
    });
  refuseDuplicates(document.contents, [], { path, lines });
  const notes = takeLaterSections(value, (key) => lineOf(key.split('.'), document, lines), path);
  dropEmptySections(value, []);
  const problems = checkConfig(value);
  if (problems.length > 0) {
    const usualHint = '`man 5 skulk-config` describes every key';
    const { message, hint } = describeProblems(problems, { path, lineOf: (keys) => lineOf(keys, document, lines), knownKeysAt, usualHint });
    throw new SkulkError('CONFIG', message, { hint });
  }
  let known: ReadonlyMap<string, number> | undefined;
  const lineOfKey = (key: string): number | undefined => {
    known ??= linesOf(document.contents, lines, '');
    return known.get(key);
  };
  return { content: value as ConfigFile, lineOf: lineOfKey, notes };
}

/** A text editor does not write such a file. */
function refuseBinary(text: string, path: string): void {
  const at = text.indexOf('\0');
  if (at === -1) return;
  const line = text.slice(0, at).split('\n').length;
  throw new SkulkError('CONFIG', `${path}:${line}: it contains a NUL character, so it is not UTF-8 text`, {
    hint: 'save it as UTF-8, or check that it is the right file',
  });
}

function refuseTab({ errors }: Document.Parsed, path: string, lines: LineCounter): void {
  const tab = errors.find(({ code }) => code === 'TAB_AS_INDENT');
  if (tab === undefined) return;
  throw new SkulkError('CONFIG', `${path}:${lines.linePos(tab.pos[0]).line}: a tab is used for indentation, which YAML does not allow`, {
    hint: 'indent with two spaces for each level',
  });
}

function refuseFault({ errors }: Document.Parsed, path: string, lines: LineCounter): void {
  const [fault] = errors;
  if (fault === undefined) return;
  const { line, col } = lines.linePos(fault.pos[0]);
  if (fault.code === 'MULTIPLE_DOCS')
    throw new SkulkError('CONFIG', `${path}:${line}: it contains several YAML documents`, {
      hint: 'keep one of them, without the line "---" between them',
    });
  const kind = path.endsWith('.json') ? 'JSON' : 'YAML';
  throw new SkulkError('CONFIG', `${path}:${line}:${col}: not ${kind}: ${fault.message}`, {
    hint: 'correct that line; `skulk config validate` checks the file again',
  });
}

/** PyYAML silently uses the last of two equal keys, which is not what the user wanted. Other programs' sections are not checked. */
function refuseDuplicates(map: YAMLMap, above: readonly string[], file: { readonly path: string; readonly lines: LineCounter }): void {
  const seen = new Map<string, number>();
  const { path, lines } = file;
  for (const { key, value } of map.items) {
    if (!isScalar(key)) continue;
    const name = String(key.value);
    const keys = [...above, name];
    if (above.length === 0 && !knownKeysAt([]).includes(name)) continue;
    const line = key.range ? lines.linePos(key.range[0]).line : 0;
    const first = seen.get(name);
    if (first !== undefined)
      throw new SkulkError('CONFIG', `${path}:${line}: ${keys.join('.')} appears twice, on lines ${first} and ${line}`, {
        hint: 'keep one of them',
      });
    seen.set(name, line);
    if (isMap(value)) refuseDuplicates(value, keys, file);
  }
}

/** Removes sections that only later releases of the Python program support. */
function takeLaterSections(value: unknown, lineOfKey: (key: string) => number | undefined, path: string): readonly string[] {
  const store = (value as { model_store?: unknown }).model_store;
  if (!isObject(store)) return [];
  return laterSections.flatMap((name) => {
    if (!Object.hasOwn(store, name)) return [];
    delete store[name];
    const key = `model_store.${name}`;
    return [`${path}:${lineOfKey(key) ?? 1}: ${key} is a section of the Python program; skulk ignores it`];
  });
}

/** A section without content is null; then its defaults apply. */
function dropEmptySections(value: unknown, above: readonly string[]): void {
  if (!isObject(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    const keys = [...above, key];
    if (!isSection(keys)) continue;
    if (inner === null) delete value[key];
    else dropEmptySections(inner, keys);
  }
}

/** Whether the file may have a mapping there: a section, or the settings of one machine. */
const isSection = (keys: readonly string[]): boolean =>
  (knownKeysAt(keys).length > 0 && (knownKeysAt(keys.slice(0, -1)).includes(keys.at(-1) ?? '') || keys.at(-2) === 'node_overrides')) ||
  keys.join('.') === 'model_store.node_overrides';

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function expandDocument(document: Document, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    const { message } = error as Error;
    const fault = message.startsWith('Excessive alias count') ? 'its YAML aliases expand to too many values' : message;
    throw new SkulkError('CONFIG', `${path}: ${fault}`, { hint: 'remove the YAML aliases', cause: error });
  }
}

/** The line of a key, or of the nearest one above it in the tree. */
function lineOf(keys: readonly string[], document: Document, lines: LineCounter): number | undefined {
  for (let depth = keys.length; depth > 0; depth -= 1) {
    const parent = depth === 1 ? document.contents : document.getIn(keys.slice(0, depth - 1), true);
    if (!isMap(parent)) continue;
    const pair = parent.items.find(({ key }) => String(isNode(key) && 'value' in key ? key.value : key) === keys[depth - 1]);
    const range = isNode(pair?.key) ? pair.key.range : undefined;
    if (range) return lines.linePos(range[0]).line;
  }
  return undefined;
}

/** Lines by dotted key. A dot inside a key stays, as in the requested keys. */
function linesOf(node: unknown, lines: LineCounter, prefix: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  if (!isMap(node)) return found;
  for (const { key, value } of node.items) {
    if (!isScalar(key) || !key.range) continue;
    const name = `${prefix}${String(key.value)}`;
    found.set(name, lines.linePos(key.range[0]).line);
    for (const [below, line] of linesOf(value, lines, `${name}.`)) found.set(below, line);
  }
  return found;
}
