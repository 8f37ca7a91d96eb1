import { configSchema } from './schema.ts';

/** The possible keys of the object at `path` in the schema, for suggestions. */
export function knownKeysAt(path: readonly string[]): readonly string[] {
  let node: unknown = configSchema;
  for (const key of path) {
    const { properties, patternProperties } = node as { properties?: Record<string, unknown>; patternProperties?: Record<string, unknown> };
    node = properties?.[key] ?? Object.values(patternProperties ?? {})[0];
    if (node === undefined) return [];
  }
  return Object.keys((node as { properties?: object }).properties ?? {});
}
