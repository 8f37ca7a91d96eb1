import type { TSchema } from 'typebox';
import { clean } from './clean.ts';
import { gates } from './gates.ts';
import { type Shape, usualMaxLength } from './schema.ts';

/** The subset of JSON schema that the documents of this room use. */
interface Plain {
  readonly type?: string;
  readonly anyOf?: readonly Plain[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Plain>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, Plain>>;
  readonly items?: Plain;
  readonly isWhole?: boolean;
  readonly isDecisive?: boolean;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

/**
 * Decodes a value from another process or from a disk, by the schema of its document. Other versions of skulk, and other programs, may
 * write more or less than this version knows. So unknown keys are dropped, missing or invalid values get the schema's default, invalid
 * items are removed from lists, and texts are cleaned and cut. Never throws. Pure.
 * @returns undefined if the value is not such a document
 */
export const decode = <S extends TSchema>(schema: S, value: unknown): Shape<S> | undefined =>
  read(schema as Plain, value) as Shape<S> | undefined;

function read(schema: Plain, value: unknown): unknown {
  if (schema.anyOf !== undefined) return readFirst(schema.anyOf, value);
  if (schema.const !== undefined) return value === schema.const ? value : undefined;
  if (schema.enum !== undefined) return schema.enum.includes(value) ? value : undefined;
  switch (schema.type) {
    case 'object':
      return readObject(schema, value);
    case 'array':
      return readList(schema, value);
    case 'string':
      return readText(schema, value);
    case 'integer':
    case 'number':
      return readNumber(schema, value);
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined;
    case 'null':
      return value === null ? null : undefined;
    default:
      return value;
  }
}

function readFirst(schemas: readonly Plain[], value: unknown): unknown {
  for (const schema of schemas) {
    const found = read(schema, value);
    if (found !== undefined) return found;
  }
  return undefined;
}

function readObject({ properties, required = [], patternProperties }: Plain, value: unknown): object | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  if (properties === undefined) return readRecord(Object.values(patternProperties ?? {})[0] ?? {}, value);
  const result: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(properties)) {
    const given = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
    const found = given === undefined ? undefined : read(schema, given);
    if (found !== undefined) result[key] = found;
    else if (required.includes(key)) {
      if (schema.default === undefined) return undefined;
      result[key] = schema.default;
    } else if (given !== undefined && schema.isDecisive === true) return undefined;
  }
  return result;
}

/** A mapping with arbitrary keys. */
function readRecord(schema: Plain, value: object): object {
  const entries = Object.entries(value).flatMap(([key, given]) => {
    const found = read(schema, given);
    return found === undefined || key === '__proto__' ? [] : [[clean(key), found] as const];
  });
  return Object.fromEntries(entries);
}

function readList({ items = {}, isWhole = false, minItems = 0, maxItems = Number.POSITIVE_INFINITY }: Plain, value: unknown) {
  if (!Array.isArray(value) || (isWhole && value.length > maxItems)) return undefined;
  const result: unknown[] = [];
  for (const given of value) {
    if (result.length >= maxItems) break;
    const found = read(items, given);
    if (found !== undefined) result.push(found);
    else if (isWhole) return undefined;
  }
  return result.length < minItems ? undefined : result;
}

function readText({ format, pattern, minLength = 0, maxLength = usualMaxLength }: Plain, value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (format !== undefined)
    return value.length >= minLength && value.length <= maxLength && gates[format]?.(value) === true ? value : undefined;
  const result = clean(value, maxLength);
  return result.length < minLength || (pattern !== undefined && !new RegExp(pattern, 'u').test(result)) ? undefined : result;
}

function readNumber({ type, minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY }: Plain, value: unknown) {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < minimum || value > maximum) return undefined;
  return type === 'integer' && !Number.isInteger(value) ? undefined : value;
}
