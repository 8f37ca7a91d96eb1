import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createHeadCollector } from '../../../src/core/client/wire/head-collector.ts';
import { maxHeadBytes, parseResponseHead, UnreadableResponse } from '../../../src/core/client/wire/response-head.ts';
import { anyText } from '../../helpers/any-text.ts';
import { rounds, testSeed } from '../../helpers/seeded.ts';

const head = 'HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nETag: "abc"\r\nX-Empty:\r\nx-odd: a  b\t c \r\n\r\n';

describe('the head of an HTTP answer', () => {
  test('is read with any case and white space in its headers', () => {
    const { status, headers, length, isKept } = parseResponseHead(head.slice(0, -4));
    expect({ status, length, isKept }).toEqual({ status: 206, length: 5, isKept: true });
    expect(Object.fromEntries(headers)).toEqual({ 'content-length': '5', etag: '"abc"', 'x-empty': '', 'x-odd': 'a  b\t c' });
  });

  test.each([
    ['HTTP/1.1 200', { status: 200, length: undefined }],
    ['HTTP/1.1 200 ', { status: 200, length: undefined }],
    ['HTTP/1.1 204 No Content', { status: 204, length: 0 }],
    ['HTTP/1.1 304 Not Modified', { status: 304, length: 0 }],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0', { status: 200, length: 0 }],
    ['HTTP/1.1 200 OK\r\ncontent-length:\t7\t', { status: 200, length: 7 }],
    ['HTTP/1.1 200 OK\r\nContent-Length: 000123', { status: 200, length: 123 }],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked', { status: 200, length: undefined }],
    ['HTTP/1.1 200 OK\r\nConnection: close', { isKept: false }],
    ['HTTP/1.1 200 OK\r\nConnection: x, CLOSE , y', { isKept: false }],
    ['HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nConnection: close', { isKept: false }],
    ['HTTP/1.1 200 OK\r\nConnection: closed', { isKept: true }],
  ])('%j is accepted', (text, expected) => {
    expect(parseResponseHead(text)).toMatchObject(expected);
  });

  test.each([
    '',
    'HTTP/1.0 200 OK',
    'HTTP/2 200',
    'http/1.1 200 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1 100 Continue',
    'HTTP/1.1 99 No',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 600 No',
    'HTTP/1.1 200\tOK',
    'HTTP/1.1 200 O\u0000K',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 200 OK\r\nno colon',
    'HTTP/1.1 200 OK\r\n: no name',
    'HTTP/1.1 200 OK\r\nname : space before the colon',
    'HTTP/1.1 200 OK\r\n folded: yes',
    'HTTP/1.1 200 OK\r\nA: b\r\n folded',
    'HTTP/1.1 200 OK\r\nA: b\nB: c',
    'HTTP/1.1 200 OK\r\nA: b\rB: c',
    'HTTP/1.1 200 OK\r\nA: \u0000',
    'HTTP/1.1 200 OK\r\nA: b\u007f',
    'HTTP/1.1 200 OK\r\nContent-Length: -1',
    'HTTP/1.1 200 OK\r\nContent-Length: +1',
    'HTTP/1.1 200 OK\r\nContent-Length: 1.5',
    'HTTP/1.1 200 OK\r\nContent-Length: 0x10',
    'HTTP/1.1 200 OK\r\nContent-Length: 1 2',
    'HTTP/1.1 200 OK\r\nContent-Length:',
    'HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999',
    'HTTP/1.1 200 OK\r\nContent-Length: 5, 5',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-length: 6',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked',
    'HTTP/1.1 206 OK\r\nContent-Range: bytes 0-4/5\r\nContent-Range: bytes 1-5/6',
    `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(101)}Z: z`,
  ])('%j is refused', (text) => {
    expect(() => parseResponseHead(text)).toThrow(UnreadableResponse);
  });

  test('is parsed or refused for any input', () => {
    const piece = fc.constantFrom(
      'HTTP/1.1 200 OK',
      'HTTP/1.1 ',
      '\r\n',
      '\n',
      '\r',
      ': ',
      'Content-Length',
      '5',
      'close',
      '\u0000',
      'ÿ',
      ' ',
      '\t',
    );
    const anything = fc.oneof(
      fc.array(piece, { maxLength: 12 }).map((all) => all.join('')),
      anyText({ maxLength: 80 }),
    );
    fc.assert(
      fc.property(anything, (text) => {
        try {
          const { status, length } = parseResponseHead(text);
          expect(status).toBeGreaterThanOrEqual(200);
          expect(status).toBeLessThan(600);
          expect(length === undefined || Number.isSafeInteger(length)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadableResponse);
        }
      }),
      { numRuns: rounds({ few: 1000, many: 20_000 }), seed: testSeed },
    );
  });
});

describe('the head of an HTTP answer that arrives in parts', () => {
  const body = 'BODY';
  const bytes = Buffer.from(head + body, 'latin1');

  test('is the same wherever it is cut, and the next one on that connection is too', () => {
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const collector = createHeadCollector();
      for (let again = 0; again < 2; again += 1) {
        // The bytes are in the middle of a larger buffer, as after an earlier body.
        const buffer = Buffer.concat([Buffer.from('old'), bytes]);
        const first = collector.take(buffer, 3, 3 + cut);
        const found = first ?? collector.take(buffer, 3 + cut, buffer.length);
        expect([cut, found?.head.length, found?.bodyStart]).toEqual([cut, 5, 3 + head.length]);
      }
    }
  });

  test('is the same when it arrives byte by byte', () => {
    const collector = createHeadCollector();
    for (let at = 0; at < head.length - 1; at += 1) expect(collector.take(bytes, at, at + 1)).toBeUndefined();
    expect(collector.take(bytes, head.length - 1, bytes.length)).toMatchObject({ bodyStart: head.length });
  });

  test('is the same when it arrives in any parts', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 40 }), (sizes) => {
        const collector = createHeadCollector();
        let at = 0;
        for (let turn = 0; at < bytes.length; turn += 1) {
          const end = Math.min(bytes.length, at + (sizes[turn % sizes.length] ?? 1));
          const found = collector.take(bytes, at, end);
          if (found !== undefined) {
            expect(found.bodyStart).toBe(head.length);
            return;
          }
          at = end;
        }
        throw new Error('never found');
      }),
      { seed: testSeed },
    );
  });

  test('is refused when it is too long, or when its beginning or a later part is invalid', () => {
    const collector = createHeadCollector();
    const endless = Buffer.from(`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(maxHeadBytes)}`);
    expect(() => collector.take(endless, 0, endless.length)).toThrow(/more than/);
    for (const noise of ['S', 'HTTP/1.1\n', 'HTTP/2', '\r\n\r\n', '\u0000', 'HTTP/1.1 200 OK\nA: b\n\n', '\u0016\u0003\u0001']) {
      const wrong = Buffer.from(noise, 'latin1');
      expect(() => createHeadCollector().take(wrong, 0, wrong.length), JSON.stringify(noise)).toThrow(UnreadableResponse);
    }
  });

  test('is accepted when it is long but within the limit, and no head is searched behind a too long one', () => {
    const long = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: ${'x'.repeat(maxHeadBytes - 50)}\r\n\r\n`);
    expect(createHeadCollector().take(long, 0, long.length)?.bodyStart).toBe(long.length);
    const late = Buffer.from(`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(maxHeadBytes * 4)}\r\n\r\n`);
    expect(() => createHeadCollector().take(late, 0, late.length)).toThrow(/more than/);
  });
});
