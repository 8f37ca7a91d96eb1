import { Ajv, type ValidateFunction } from 'ajv';

/** A JSON schema as `GET /openapi.json` has it, as far as the tests look into it. */
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

/** A check that lets no key pass that the schema does not name. */
export const strictCheckOf = (schema: DescribedSchema): ValidateFunction =>
  new Ajv({ allErrors: true, strict: false, validateFormats: false }).compile(closed(schema));

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

/** Whether a schema says nothing: any value will do, any object, or a list of anything. */
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
