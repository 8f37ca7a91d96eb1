import fc from 'fast-check';

/** Any character of Unicode, like fast-check's unit `binary`; that one builds a table of all 1.1 million, two seconds in each process. */
const character = fc.oneof(
  fc.integer({ min: 0, max: 0xd7ff }),
  fc.integer({ min: 0, max: 0xff }),
  fc.integer({ min: 0xe000, max: 0x10ffff }),
);

/** Texts of any characters, and some of the names that objects inherit. */
export const anyText = (limits: { readonly maxLength?: number } = {}): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.string({ ...limits, unit: character.map((point) => String.fromCodePoint(point)) }) },
    fc.string(limits),
  );
