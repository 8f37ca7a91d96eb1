import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEventParser, type StreamEvent } from '../../src/core/kernel/flow/event-parser.ts';

describe('a stream of Server-Sent Events', () => {
  const parse = (pieces: readonly string[]): readonly StreamEvent[] => {
    const parser = createEventParser();
    return pieces.flatMap((piece) => parser(piece));
  };

  test('is parsed according to the standard', () => {
    const text =
      ': hello\n\nevent: a\ndata: {"x":1}\n\ndata: one\ndata:two\r\n\r\nevent: nothing\n\nid: 5\nretry: 10\ndata\n\n: \n\nevent: b\rdata: 3\r\r';
    expect(parse([`${text}data: cut`])).toEqual([
      { name: 'a', data: '{"x":1}' },
      { name: 'message', data: 'one\ntwo' },
      { name: 'message', data: '' },
      { name: 'b', data: '3' },
    ]);
  });

  test('is parsed the same in any pieces', () => {
    const line = fc.constantFrom('event: a', 'data: 1', 'data: {"ü": "x"}', '', ':', ': x', 'data', 'junk');
    const end = fc.constantFrom('\n', '\r\n', '\r');
    const stream = fc.array(fc.tuple(line, end)).map((lines) => `${lines.flat().join('')}\n\n`);
    fc.assert(
      fc.property(stream, fc.array(fc.nat(20), { minLength: 1 }), (text, cuts) => {
        const pieces: string[] = [];
        for (let [at, index] = [0, 0]; at < text.length; index += 1) {
          const length = 1 + (cuts[index % cuts.length] ?? 0);
          pieces.push(text.slice(at, at + length));
          at += length;
        }
        expect(parse(pieces)).toEqual(parse([text]));
      }),
    );
  });

  test('can have any JSON character in its data', () => {
    expect(parse(['data: "a\u2028b: c"\n\n'])).toEqual([{ name: 'message', data: '"a\u2028b: c"' }]);
  });

  test('is refused when a line is longer than the limit, in one piece or in many', () => {
    const parser = () => createEventParser({ maxLineLength: 8 });
    expect(parser()('data: 12\ndata: 34\n\n')).toEqual([{ name: 'message', data: '12\n34' }]);
    expect(() => parser()('data: 123\n')).toThrow(RangeError);
    const inPieces = parser();
    inPieces('data: ');
    expect(() => inPieces('123')).toThrow(RangeError);
  });
});
