import { describe, expect, test } from 'vitest';
import { parseRange, planFileResponse } from '../../src/core/server/files/plan-file-response.ts';
import { sha256 } from '../helpers/directory-store.ts';

const digest = sha256('x');
const etag = `"${digest}"`;
const file = { size: 10, sha256: digest };
const plan = (request: object, of: { size: number; sha256: typeof digest | null } = file) =>
  planFileResponse({ method: 'GET', ...request }, of);

describe('the answer to a Range header', () => {
  test.each([
    ['bytes=0-4', { start: 0, end: 5 }],
    ['bytes=5-', { start: 5, end: 10 }],
    ['bytes=5-99', { start: 5, end: 10 }],
    ['bytes=9-9', { start: 9, end: 10 }],
    ['bytes=-3', { start: 7, end: 10 }],
    ['bytes=-99', { start: 0, end: 10 }],
    ['BYTES = 0-0', { start: 0, end: 1 }],
    [`bytes=0-${'9'.repeat(400)}`, { start: 0, end: 10 }],
    ['bytes=10-', 'unsatisfiable'],
    [`bytes=${'9'.repeat(400)}-`, 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=4-2', undefined],
    ['bytes=0-1,3-4', undefined],
    ['bytes=-', undefined],
    ['bytes=a-b', undefined],
    ['lines=0-1', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s', (header, expected) => expect(parseRange(header, 10)).toEqual(expected));

  test('is correct for an empty file', () => {
    expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable');
    expect(parseRange('bytes=-5', 0)).toBeUndefined();
  });
});

describe('the answer to conditional headers', () => {
  test('is 304 without a body for If-None-Match', () => {
    expect(plan({ ifNoneMatch: etag })).toMatchObject({ status: 304, range: null });
    expect(plan({ ifNoneMatch: `"a", W/${etag}` }).status).toBe(304);
    expect(plan({ ifNoneMatch: '*' }).status).toBe(304);
    expect(plan({ ifNoneMatch: '"other"' }).status).toBe(200);
  });

  test('is 412 for If-Match', () => {
    expect(plan({ ifMatch: '"other"' }).status).toBe(412);
    expect(plan({ ifMatch: `W/${etag}` }).status).toBe(412);
    expect(plan({ ifMatch: etag }).status).toBe(200);
  });

  test('is the whole file for If-Range with other content', () => {
    expect(plan({ range: 'bytes=1-2', ifRange: etag }).status).toBe(206);
    expect(plan({ range: 'bytes=1-2', ifRange: '"other"' })).toMatchObject({ status: 200, range: { start: 0, end: 10 } });
    expect(plan({ range: 'bytes=1-2', ifRange: `W/${etag}` }).status).toBe(200);
    expect(plan({ range: 'bytes=1-2', ifRange: 'Wed, 21 Oct 2026 07:28:00 GMT' }).status).toBe(200);
    expect(plan({ range: 'bytes=99-', ifRange: '"other"' }).status).toBe(200);
  });

  test('has no ETag for a file that is not hashed yet', () => {
    const { status, headers } = plan({ range: 'bytes=1-2', ifRange: etag }, { size: 10, sha256: null });
    expect(status).toBe(200);
    expect(headers).not.toHaveProperty('ETag');
  });
});

test('the answer to HEAD has the headers of the whole file and no body', () => {
  expect(plan({ method: 'HEAD', range: 'bytes=1-2' })).toMatchObject({
    status: 200,
    range: null,
    headers: { 'Content-Length': '10', ETag: etag },
  });
});
