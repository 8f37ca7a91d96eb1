/** The part of JSON schema that the schema of the settings uses. */
export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly anyOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly description?: string;
  readonly default?: unknown;
}

/** The schema of one setting, by its keys from the top; undefined if the schema has none. */
export const schemaAt = (schema: Schema, keys: readonly string[]): Schema | undefined =>
  keys.reduce<Schema | undefined>((at, key) => at?.properties?.[key], schema);

/** The reason why a value is invalid, as a sentence, or undefined if it is valid. The server checks what the schema cannot. Pure. */
export function checkValue(schema: Schema, value: unknown): string | undefined {
  if (schema.anyOf !== undefined) {
    const problems = schema.anyOf.map((one) => checkValue(one, value));
    return problems.includes(undefined) ? undefined : problems[0];
  }
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY, minLength = 0, maxLength, pattern } = schema;
  switch (schema.type) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'This is either on or off.';
    case 'null':
      return value === null ? undefined : 'This must be empty.';
    case 'integer':
    case 'number':
      if (typeof value !== 'number' || !Number.isFinite(value)) return 'This must be a number.';
      if (schema.type === 'integer' && !Number.isInteger(value)) return 'This must be a whole number.';
      if (value >= minimum && value <= maximum) return undefined;
      return Number.isFinite(maximum) ? `This must be from ${minimum} to ${maximum}.` : `This must be ${minimum} or more.`;
    case 'string':
      if (typeof value !== 'string') return 'This must be text.';
      if (value.length < minLength) return minLength === 1 ? 'This must not be empty.' : `This needs ${minLength} characters or more.`;
      if (maxLength !== undefined && value.length > maxLength) return `This takes ${maxLength} characters at most.`;
      return pattern === undefined || new RegExp(pattern).test(value) ? undefined : 'This contains characters that are not allowed here.';
    default:
      return undefined;
  }
}
