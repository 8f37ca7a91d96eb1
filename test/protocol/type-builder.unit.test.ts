import { Type as TypeBox } from 'typebox';
import { expect, test } from 'vitest';
import { Type } from '../../src/core/protocol/type-builder.ts';

/** A document with every constructor of the room. */
const build = (type: typeof Type) =>
  type.Object(
    {
      text: type.String({ maxLength: 3, description: 'a text' }),
      amount: type.Optional(type.Number({ minimum: 0 })),
      count: type.Integer(),
      flag: type.Optional(type.Boolean({ default: false })),
      nothing: type.Null(),
      anything: type.Unknown({ description: 'anything' }),
      gated: type.Unsafe<string>({ type: 'string', format: 'model-id' }),
      choice: type.Union([type.Literal('a'), type.Literal(1), type.Literal(true)], { default: 'a' }),
      list: type.Array(type.String(), { minItems: 1 }),
      byName: type.Record(type.String(), type.Unknown(), { description: 'by name' }),
      byPattern: type.Record(type.String({ pattern: '^a' }), type.Integer()),
      inner: type.Object({ maybe: type.Optional(type.String()) }),
      empty: type.Object({}),
    },
    { additionalProperties: false },
  );

test('a schema is equal to the one of TypeBox, whose types it has', () => {
  expect(JSON.stringify(build(Type))).toBe(JSON.stringify(build(TypeBox)));
});

test('the properties of a document can be included in another, with their optional keys', () => {
  const first = Type.Object({ a: Type.String(), b: Type.Optional(Type.String()) });
  expect(Type.Object({ ...first.properties, c: Type.Optional(Type.Null()) })).toMatchObject({ required: ['a'] });
});
