import { Ajv, type ValidateFunction } from 'ajv';

/** The part of a JSON schema of `GET /openapi.json` that the tests read. */
export interface DescribedSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, DescribedSchema>>;
  readonly patternProperties?: Readonly<Record<string, DescribedSchema>>;
  readonly additionalProperties?: boolean | DescribedSchema;
  readonly items?: DescribedSchema | readonly DescribedSchema[];
  readonly anyOf?: readonly DescribedSchema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
}

const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false, addUsedSchema: false });
const checks = new Map<string, ValidateFunction>();

/** A check that accepts only keys in the schema. It is compiled once for equal schemas, as servers have most of them in common. */
export function strictCheckOf(schema: DescribedSchema): ValidateFunction {
  const text = JSON.stringify(schema);
  const check = checks.get(text) ?? ajv.compile(closed(schema));
  checks.set(text, check);
  return check;
}

function closed(schema: DescribedSchema): DescribedSchema {
  const { properties, patternProperties, additionalProperties, items, anyOf } = schema;
  const each = (some: Readonly<Record<string, DescribedSchema>>) =>
    Object.fromEntries(Object.entries(some).map(([key, value]) => [key, closed(value)]));
  return {
    ...schema,
    ...(properties !== undefined && {
      properties: each(properties),
      additionalProperties: typeof additionalProperties === 'object' ? closed(additionalProperties) : false,
    }),
    ...(patternProperties !== undefined && { patternProperties: each(patternProperties) }),
    ...(anyOf !== undefined && { anyOf: anyOf.map(closed) }),
    ...(items !== undefined && { items: Array.isArray(items) ? items.map(closed) : closed(items as DescribedSchema) }),
  };
}

/** Whether a schema allows any value, any object, or a list of anything. */
export function acceptsAnything({
  type,
  properties,
  patternProperties,
  additionalProperties,
  items,
  anyOf,
  ...rest
}: DescribedSchema): boolean {
  if (rest.const !== undefined || rest.enum !== undefined) return false;
  if (anyOf !== undefined) return anyOf.some(acceptsAnything);
  const types = [type ?? []].flat();
  if (types.includes('array')) return items === undefined || (!Array.isArray(items) && acceptsAnything(items as DescribedSchema));
  if (types.includes('object'))
    return properties === undefined && patternProperties === undefined && typeof additionalProperties !== 'object';
  return types.length === 0;
}
