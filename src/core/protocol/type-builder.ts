import type { Type as TypeBox } from 'typebox';

/*
 * The TypeBox constructors that this room uses, for their types only: at run time they create a JSON schema as plain data. Loading the
 * package would cost every command some milliseconds, and a `stage` runs before each start of a model. A test compares the two.
 */

type Plain = Readonly<Record<string, unknown>>;

/** Marks a property that may be missing. Not enumerable, because it is not part of the schema. */
const optional = Symbol('optional');

const make = (schema: Plain, options: Plain = {}): Plain => ({ ...schema, ...options });

const builder = {
  String: (options?: Plain) => make({ type: 'string' }, options),
  Number: (options?: Plain) => make({ type: 'number' }, options),
  Integer: (options?: Plain) => make({ type: 'integer' }, options),
  Boolean: (options?: Plain) => make({ type: 'boolean' }, options),
  Null: (options?: Plain) => make({ type: 'null' }, options),
  Unknown: (options?: Plain) => make({}, options),
  Unsafe: (schema: Plain) => make(schema),
  Literal: (value: unknown, options?: Plain) => make({ type: typeof value, const: value }, options),
  Union: (anyOf: readonly Plain[], options?: Plain) => make({ anyOf }, options),
  Array: (items: Plain, options?: Plain) => make({ type: 'array', items }, options),
  Record: ({ pattern = '^.*$' }: { readonly pattern?: string }, value: Plain, options?: Plain) =>
    make({ type: 'object', patternProperties: { [pattern]: value } }, options),
  Object: (properties: Readonly<Record<string, Plain>>, options?: Plain) => {
    const required = Object.keys(properties).filter((key) => !(optional in (properties[key] as Plain)));
    return make({ type: 'object', ...(required.length > 0 && { required }), properties }, options);
  },
  Optional: (schema: Plain) => Object.defineProperty({ ...schema }, optional, { value: true }),
};

/** Builds schemas: `Type.String()`, `Type.Object({…})`. */
export const Type = builder as unknown as Pick<typeof TypeBox, keyof typeof builder>;
