import { type Document, isMap } from 'yaml';
import { SkulkError } from '../kernel/errors.ts';
import { parseAsPyYaml } from './pyyaml.ts';
import { parseConfig, type ReadConfig } from './read-file.ts';

/** Keys and their new values, nested as in the file; null removes a key, so that its default applies. */
export type ConfigChange = Readonly<Record<string, unknown>>;

const isTree = (value: unknown): value is ConfigChange => typeof value === 'object' && value !== null && !Array.isArray(value);

/** No setting is nested deeper. */
const deepest = 8;

/** Every value in a change with its path of keys; ignores an empty mapping. @throws SkulkError BAD_REQUEST if it is nested too deep */
export function leavesOf(
  change: ConfigChange,
  above: readonly string[] = [],
): readonly (readonly [keys: readonly string[], value: unknown])[] {
  return Object.entries(change).flatMap(([key, value]) => {
    const keys = [...above, key];
    if (keys.length > deepest)
      throw new SkulkError('BAD_REQUEST', `${keys.slice(0, 3).join('.')}… is nested deeper than any setting`, {
        hint: 'GET /config shows the settings',
      });
    return isTree(value) ? leavesOf(value, keys) : [[keys, value] as const];
  });
}

/** The value of a tree at a path of keys; undefined if there is none. */
export function valueAt(tree: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? (at as Record<string, unknown>)[key] : undefined),
    tree,
  );
}

/**
 * Writes values into the text of a configuration file. Everything else stays, including comments; in a JSON file, only the content stays.
 * Pure.
 * @param text the current content of the file; empty if there is none
 * @param path its name, for messages and for its format
 * @throws SkulkError CONFIG if the result would be an invalid configuration
 */
export function changeConfigText(
  text: string,
  path: string,
  leaves: readonly (readonly [keys: readonly string[], value: unknown])[],
): { readonly text: string; readonly read: ReadConfig } {
  const document: Document = parseAsPyYaml(text, { path });
  if (!isMap(document.contents)) document.contents = document.createNode({});
  for (const [keys, value] of leaves) {
    if (value === null) removeKey(document, keys);
    else setKey(document, keys, value);
  }
  const changed = path.endsWith('.json')
    ? `${JSON.stringify(document.toJS({ maxAliasCount: 100 }), undefined, 2)}\n`
    : document.toString({ lineWidth: 0 });
  return { text: changed, read: parseConfig(changed, path) };
}

function setKey(document: Document, keys: readonly string[], value: unknown): void {
  // A section without content is null there.
  for (let depth = 1; depth < keys.length; depth += 1) {
    const section = keys.slice(0, depth);
    if (!isMap(document.getIn(section, true))) document.setIn(section, document.createNode({}));
  }
  document.setIn(keys, typeof value === 'object' ? document.createNode(value) : value);
}

function removeKey(document: Document, keys: readonly string[]): void {
  for (let depth = 1; depth < keys.length; depth += 1) if (!isMap(document.getIn(keys.slice(0, depth), true))) return;
  document.deleteIn(keys);
}
