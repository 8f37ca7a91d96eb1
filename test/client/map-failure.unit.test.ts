import { expect, test } from 'vitest';
import { mapNetworkError, mapRefusal } from '../../src/core/client/http/map-failure.ts';
import { isTransient } from '../../src/core/client/http/transient.ts';

test.each([
  [404, 'NOT_FOUND'],
  [405, 'BAD_REQUEST'],
])('an answer %i of the port of the page and the API names the port of the store, and is not tried again', (status, code) => {
  const refusal = { status, body: { detail: 'not found', code }, location: null, retryAfter: null };
  const error = mapRefusal(refusal, 'http://10.0.0.1:52415');
  expect(error.code).toBe('STORE_UNREACHABLE');
  expect(error.message).toBe('52415 is the port of the page and the API; the store is at http://10.0.0.1:58080');
  expect(isTransient(error)).toBe(false);
  expect(mapRefusal(refusal, 'http://10.0.0.1:58080').message).not.toContain('52415');
});

test.each([
  ['http://10.0.0.1:7001', 'http://10.0.0.9:7000', '7001 is the port of the page and the API; the store is at http://10.0.0.9:7000'],
  ['http://10.0.0.1:7001', 'http://127.0.0.1:7000', '7001 is the port of the page and the API; the store is at http://10.0.0.1:7000'],
  ['http://10.0.0.1:52415', 'http://10.0.0.9:7000', '52415 is the port of the page and the API; the store is at http://10.0.0.9:7000'],
  ['http://10.0.0.1:7001', null, '7001 is the port of the page and the API'],
  ['http://kite', 'javascript:alert(1)', '80 is the port of the page and the API; the store is at http://kite:58080'],
])('the API at %s that names the store %s is recognised by its answer', (url, store_url, message) => {
  for (const [status, code] of [
    [404, 'NOT_FOUND'],
    [405, 'BAD_REQUEST'],
  ] as const) {
    const error = mapRefusal({ status, body: { detail: 'not found', code, store_url }, location: null, retryAfter: null }, url);
    expect(error).toMatchObject({ code: 'STORE_UNREACHABLE', message });
    expect(isTransient(error)).toBe(false);
  }
});

test('a refused connection to the port of the page names the usual port of a store, and other ports do not', () => {
  const refused = Object.assign(new Error('no'), { code: 'ECONNREFUSED' });
  expect(mapNetworkError(refused, 'http://10.0.0.1:52415')).toMatchObject({ hint: expect.stringContaining('try http://10.0.0.1:58080') });
  expect(mapNetworkError(refused, 'http://10.0.0.1:7000')).toMatchObject({ hint: expect.not.stringContaining('58080') });
});
