import { expect, test } from 'vitest';
import { listen } from '../../src/core/server/app/listen.ts';
import { stopApp } from '../../src/core/server/app/stop-app.ts';
import { createStoreApp } from '../../src/core/server/app/store-app.ts';
import { atEnd, forWholeFile } from '../helpers/at-end.ts';
import { directoryStore } from '../helpers/directory-store.ts';
import { hubAsker } from '../helpers/hub-answers.ts';
import { talk } from '../helpers/raw-http.ts';

/** Requests that no Hub client sends: double escapes, absurd ranges, and lines that two programs read differently. */

const size = 300_000;
const file = '/org/m/resolve/main/config.json';
const served = forWholeFile(async () => {
  const store = await directoryStore({ 'org/m': { 'config.json': '{}', 'w.gguf': Buffer.alloc(size, 7) } });
  const app = await createStoreApp({ store, version: '1', logLevel: 'silent' });
  const { url } = await listen(app, { host: '127.0.0.1', port: 0 });
  atEnd(() => store[Symbol.asyncDispose]());
  atEnd(() => stopApp(app, { graceMs: 100 }));
  return { url, get: hubAsker(url) };
});

test.each([
  '/org/m/resolve/main/%252e%252e/%252e%252e/config.json',
  '/org/m/resolve/%252e%252e/config.json',
  '/org%252Fm/resolve/main/config.json',
  '/org/m/resolve/main/%2563onfig.json',
  '/org/m/resolve/main/config.json;x',
  '/org/m/resolve/main/config.json#x',
  '/org/m/resolve/main/%c0%ae%c0%ae/config.json',
])('escapes of escapes are decoded once: %s is not there', async (target) => {
  const { get } = served();
  for (const method of ['GET', 'HEAD']) expect([method, (await get(target, { method })).status]).toEqual([method, 404]);
});

const many = Array.from({ length: 1000 }, (_, index) => `${index}-${index}`).join(',');
test.each([
  ['a thousand ranges', `bytes=${many}`, 200, size],
  ['overlapping ranges', `bytes=${Array.from({ length: 500 }, () => '0-').join(',')}`, 200, size],
  ['an end beyond every number', `bytes=299999-${'9'.repeat(400)}`, 206, 1],
  ['a start beyond every number', `bytes=${'9'.repeat(400)}-`, 416, 0],
  ['a suffix beyond every number', `bytes=-${'9'.repeat(400)}`, 206, size],
  ['a negative start', 'bytes=--5', 200, size],
  ['a hexadecimal number', 'bytes=0x1-0x2', 200, size],
  ['an end before its start', 'bytes=9-3', 200, size],
])('%s gets the whole file, one part, or none', async (_, range, status, length) => {
  const { get } = served();
  const answer = await get('/org/m/resolve/main/w.gguf', { headers: { Range: range } });
  expect([answer.status, answer.body.length]).toEqual([status, length]);
});

test('a Range header that is larger than all headers may be is refused before it is read', async () => {
  const { url } = served();
  const text = await talk(url, `GET ${file} HTTP/1.1\r\nHost: localhost\r\nRange: bytes=${'0-0,'.repeat(10_000)}\r\n\r\n`);
  expect(text).toMatch(/^HTTP\/1\.1 431 /);
});

test.each([
  ['two Host headers', `GET ${file} HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n`, 400],
  ['two Host headers in other letters', `GET ${file} HTTP/1.1\r\nHost: localhost\r\nhost: evil.example\r\n`, 400],
  ['no Host header', `GET ${file} HTTP/1.1\r\n`, 400],
  ['another host in the target', `GET http://evil.example${file} HTTP/1.1\r\nHost: localhost\r\n`, 403],
  ['a carriage return in a header', `GET ${file} HTTP/1.1\r\nHost: localhost\r\nX: a\rSet-Cookie: b\r\n`, 400],
  ['lines that end without one', `GET ${file} HTTP/1.1\nHost: localhost\n`, 400],
  ['a NUL in a header', `GET ${file} HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n`, 400],
  ['a length beside chunks', `POST ${file} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n`, 400],
  ['HTTP/1.0', `GET ${file} HTTP/1.0\r\nHost: localhost\r\n`, 200],
  ['HTTP/1.0 without a host', `GET ${file} HTTP/1.0\r\n`, 200],
  ['another method', `TRACE ${file} HTTP/1.1\r\nHost: localhost\r\n`, 405],
  ['a method of WebDAV', `PROPFIND ${file} HTTP/1.1\r\nHost: localhost\r\n`, 405],
  ['a method that nobody knows', `BREW ${file} HTTP/1.1\r\nHost: localhost\r\n`, 400],
])('a request with %s gets one answer', async (_, head, status) => {
  const { url } = served();
  const text = await talk(url, `${head}Connection: close\r\n\r\n`);
  expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual([`HTTP/1.1 ${status}`]);
  expect(text).not.toMatch(/set-cookie/i);
});
