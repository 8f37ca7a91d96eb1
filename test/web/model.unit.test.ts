import { expect, test } from 'vitest';
import { findEndpoint } from '../../web/pages/model/find-endpoint.ts';
import { findReadme } from '../../web/pages/model/find-readme.ts';
import { modelOfPath } from '../../web/parts/model-path.ts';

test.each([
  ['/org/name', 'org/name'],
  ['/name', 'name'],
  ['/org%2Fname', 'org/name'],
  ['/org/name/tree/main', 'org/name'],
  ['/org/name/blob/main/a/b.json', 'org/name'],
  ['/org/name/other', undefined],
  ['/org/.name', undefined],
  ['/org/%E0%A4%A', undefined],
  ['/a/b/c', undefined],
  ['/', undefined],
])('the path %s is that of the model %s', (path, id) => expect(modelOfPath(path)).toBe(id));

test.each([
  ['http://127.0.0.1:52415', '192.168.1.10', 'node', { address: 'http://192.168.1.10:52415', needsToken: false }],
  ['http://localhost:52415', null, 'read', { address: 'http://localhost:52415', needsToken: false }],
  ['http://kite:52415', '192.168.1.10', 'none', { address: 'http://kite:52415', needsToken: true }],
  ['https://models.lan', '192.168.1.10', 'node', { address: 'https://models.lan', needsToken: false }],
] as const)('at %s the page shows programs an address of the server that works elsewhere', (url, preferred_address, lan, endpoint) => {
  expect(findEndpoint(new URL(url), { preferred_address }, { lan })).toEqual(endpoint);
});

test('the README of a model is the best match at its top level', () => {
  const named = (...paths: readonly string[]) => findReadme(paths.map((path) => ({ path, size: 1, sha256: null })))?.path;
  expect(named('docs/README.md', 'README', 'readme.md')).toBe('readme.md');
  expect(named('docs/README.md', 'a.gguf')).toBe(undefined);
});
