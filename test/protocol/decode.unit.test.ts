import { globSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode } from '../../src/core/protocol/decode.ts';
import { gates } from '../../src/core/protocol/gates.ts';
import {
  count,
  flag,
  list,
  modelId,
  object,
  oneOf,
  orNull,
  type Schema,
  text,
  textOrEmpty,
  time,
  wholeList,
} from '../../src/core/protocol/schema.ts';
import { Type } from '../../src/core/protocol/type-builder.ts';
import { anyText } from '../helpers/any-text.ts';
import { rounds, testSeed } from '../helpers/seeded.ts';

/** Every schema that the room exports, by its name. */
const documents = await exportedSchemas();

async function exportedSchemas(): Promise<readonly (readonly [name: string, schema: Schema])[]> {
  const room = join(import.meta.dirname, '../../src/core/protocol');
  const paths = ['*.ts', 'models/*.ts'].flatMap((pattern) => globSync(pattern, { cwd: room })).toSorted();
  const files = await Promise.all(paths.map(async (path) => (await import(join(room, path))) as Readonly<Record<string, unknown>>));
  return files.flatMap((exported) => Object.entries(exported)).filter((entry): entry is [string, Schema] => isSchema(entry[1]));
}

function isSchema(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ['type', 'anyOf', 'const', 'enum'].some((key) => Object.hasOwn(value, key));
}

const ajv = new Ajv({ strict: false, formats: gates as Record<string, (text: string) => boolean> });

/** The fields of a plain schema, if it has them, to generate values that nearly fit. */
interface Plain {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Plain>>;
  readonly items?: Plain;
  readonly anyOf?: readonly Plain[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
}

const anything = fc.jsonValue();

/** Values that partially fit a schema. */
function nearly(schema: Plain): fc.Arbitrary<unknown> {
  const own = (): fc.Arbitrary<unknown> => {
    if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(nearly));
    if (schema.const !== undefined) return fc.constant(schema.const);
    if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
    switch (schema.type) {
      case 'object':
        return fc.record(Object.fromEntries(Object.entries(schema.properties ?? {}).map(([key, value]) => [key, nearly(value)])), {
          requiredKeys: [],
        });
      case 'array':
        return fc.array(nearly(schema.items ?? {}), { maxLength: 4 });
      case 'string':
        return fc.oneof(fc.constantFrom('org/name', 'a'.repeat(64), '2026-01-01T00:00:00Z', 'a/b.gguf'), anyText());
      case 'integer':
        return fc.oneof(fc.nat(), fc.double(), fc.maxSafeInteger());
      default:
        return anything;
    }
  };
  return fc.oneof({ weight: 4, arbitrary: own() }, { weight: 1, arbitrary: anything });
}

describe('decoding a document of the wire', () => {
  const animal = object({
    id: modelId(),
    name: textOrEmpty(),
    legs: count({ default: 4 }),
    kind: oneOf(['cat', 'dog'], { default: 'dog' }),
    isTame: flag(),
    seen: time(),
    owner: orNull(text()),
    nick: Type.Optional(text({ maxLength: 10 })),
    friends: list(modelId()),
  });

  test('keeps known keys, drops unknown ones, and uses defaults for missing and invalid ones', () => {
    expect(decode(animal, { id: 'org/x', name: 7, kind: 'cow', seen: 'soon', friends: [], wings: 2, nick: 3 })).toEqual({
      id: 'org/x',
      name: '',
      legs: 4,
      kind: 'dog',
      isTame: false,
      seen: '',
      owner: null,
      friends: [],
    });
  });

  test('gives nothing for a value without a required key', () => {
    for (const value of [{ id: '../x', friends: [] }, { id: 'org/x' }, { id: 'org/x', friends: {} }, [], null, 'org/x', 1])
      expect(decode(animal, value)).toBeUndefined();
  });

  test('drops invalid items of a list, but not of a list with numbered items', () => {
    expect(decode(list(count()), [1, -1, 2.5, '3', null, 4])).toEqual([1, 4]);
    expect(decode(list(count(), { maxItems: 2 }), [1, 2, 3])).toEqual([1, 2]);
    expect(decode(list(count(), { minItems: 2 }), [1, 'x'])).toBeUndefined();
    expect(decode(wholeList(count()), [1, 4])).toEqual([1, 4]);
    expect(decode(wholeList(count()), [1, 'x', 4])).toBeUndefined();
    expect(decode(wholeList(count(), { maxItems: 2 }), [1, 2, 3])).toBeUndefined();
  });

  test('removes control characters from texts and cuts them, and keeps names unchanged', () => {
    expect(decode(text(), 'a\u001b[2Jb\u202ec\n')).toBe('a\uFFFD[2Jb\uFFFDc\uFFFD');
    expect(decode(text(), 'x'.repeat(5000))).toHaveLength(1000);
    expect(decode(text({ maxLength: 5 }), 'abcdefgh')).toBe('abcd…');
    expect(decode(modelId(), 'org/na\u001bme')).toBeUndefined();
    expect(decode(Type.Record(Type.String(), Type.Boolean()), { 'a\u001b': true, b: 1 })).toEqual({ 'a\uFFFD': true });
  });

  test('is not affected by inherited properties of objects', () => {
    expect(decode(object({ constructor: text(), toString: textOrEmpty() }), {})).toBeUndefined();
    expect(decode(Type.Record(Type.String(), Type.Unknown()), JSON.parse('{"__proto__":{"x":1},"y":2}'))).toEqual({ y: 2 });
  });

  test.each(documents)('never throws, and its result is %s', (_name, schema) => {
    const isValid = ajv.compile(schema);
    fc.assert(
      fc.property(fc.oneof(anything, nearly(schema as Plain)), (value) => {
        const found = decode(schema, value);
        if (found !== undefined && !isValid(found)) throw new Error(JSON.stringify([found, isValid.errors]));
        // A second pass changes nothing.
        if (found !== undefined && !isDeepStrictEqual(decode(schema, found), found)) expect(decode(schema, found)).toEqual(found);
      }),
      { numRuns: rounds({ few: 60, many: 2000 }), seed: testSeed },
    );
  });
});
