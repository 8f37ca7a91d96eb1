import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openTokenBook } from '../../src/core/access/token-book.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

async function bookForTest() {
  const directory = await temporaryDirectory();
  const file = join(directory, 'tokens.json');
  const open = () => openTokenBook({ file, lock: join(directory, 'tokens-lock'), signal: new AbortController().signal });
  return { file, open };
}

const kept = { name: 'laptop', role: 'read', created_at: '2026-01-01T00:00:00.000Z', sha256: 'a'.repeat(64) };

test.each([
  ['no JSON', '{"tokens":['],
  ['no list', { tokens: {} }],
  ['a role that is unknown', { tokens: [{ ...kept, role: 'owner' }] }],
  ['a name that cannot be', { tokens: [{ ...kept, name: 'lap\ntop' }] }],
  ['no hash', { tokens: [{ ...kept, sha256: undefined }] }],
  ['no time', { tokens: [{ ...kept, created_at: 7 }] }],
  ['a token that is none', { tokens: [null] }],
])('a token file with %s beside a valid token gives nobody access and is not overwritten', async (_, content) => {
  const { file, open } = await bookForTest();
  const { token } = await open().create({ name: 'good', role: 'admin' });
  const good = (JSON.parse(await readFile(file, 'utf8')) as { tokens: object[] }).tokens;
  const bad =
    typeof content === 'string' ? content : { tokens: Array.isArray(content.tokens) ? [...good, ...content.tokens] : content.tokens };
  const text = typeof bad === 'string' ? bad : JSON.stringify(bad);
  await writeFile(file, text);
  await expect(open().find(token)).rejects.toMatchObject({
    code: 'CONFIG',
    message: `${file} is corrupt, so named tokens are not accepted`,
  });
  await expect(open().create({ name: 'more', role: 'read' })).rejects.toMatchObject({ code: 'CONFIG' });
  expect(await readFile(file, 'utf8')).toBe(text);
});

test('keys that a newer version wrote beside a token are kept after a change', async () => {
  const { file, open } = await bookForTest();
  await writeFile(file, JSON.stringify({ tokens: [{ ...kept, more: 'kept' }] }));
  const made = await open().create({ name: 'phone', role: 'node' });
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ tokens: [{ ...kept, more: 'kept' }, { name: 'phone' }] });
  expect(await open().find(made.token)).toEqual({ name: 'phone', role: 'node', created_at: made.created_at });
});
