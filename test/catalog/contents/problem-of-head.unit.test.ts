import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isWorthALook, problemOfHead } from '../../../src/core/catalog/contents/problem-of-head.ts';
import { kindOf } from '../../../src/core/catalog/selection/file-kind.ts';
import { ggufBytes, hugeList } from '../../helpers/gguf-bytes.ts';
import { noise } from '../../helpers/model-files.ts';
import { safetensorsBytes } from '../../helpers/safetensors-bytes.ts';

const real = (name: string): Buffer => readFileSync(new URL(name, import.meta.url));
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 4920734272\n`;
const page = '<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body></body></html>';
const good = ggufBytes({ 'general.architecture': 'llama', 'llama.context_length': 4096, words: ['a', 'b'] });

const look = (path: string, head: Buffer | string, size = head.length, isLaterPart = false) =>
  problemOfHead({ path, kind: kindOf(path), size, head: Buffer.from(head), isLaterPart });

describe('a file is accepted as the type in its name', () => {
  const files: readonly (readonly [string, Buffer | string, number?])[] = [
    ['m.gguf', good],
    ['m.gguf', good, 5_000_000_000],
    ['m.gguf', Buffer.concat([ggufBytes({}, { keys: 1n }), hugeList('tokens', 100_000n)]), 900_000],
    ['m.safetensors', safetensorsBytes({ a: 16 })],
    ['m.safetensors', safetensorsBytes({ a: 1_000_000 }).subarray(0, 65_536), safetensorsBytes({ a: 1_000_000 }).length],
    ['m.bin', noise(100)],
    ['imatrix.dat', noise(100)],
    ['empty.txt', ''],
    ['README.md', page],
    ['card.html', page],
    ['config.json', '{}'],
    ['about-lfs.md', `A pointer looks like this:\n${pointer}`],
  ];
  test.each(files.map(([path, head, size]) => ({ path, head, size })))('$path', ({ path, head, size }) => {
    expect(look(path, head, size)).toBeUndefined();
  });

  test('a later part of a file that was cut by bytes is accepted too', () => {
    expect(look('m.gguf.part2of2', noise(100), 100, true)).toBeUndefined();
  });
});

describe('a file that no program can load', () => {
  test.each<readonly [path: string, head: Buffer | string, size: number | undefined, reason: RegExp]>([
    ['m.gguf', pointer, undefined, /Git LFS pointer/],
    ['m.safetensors', pointer.replaceAll('\n', '\r\n'), undefined, /Git LFS pointer/],
    ['tokenizer.model', pointer, undefined, /Git LFS pointer/],
    ['m.gguf', page, undefined, /web page/],
    ['m.safetensors', `\n  <html lang="en"><p>429</p></html>`, undefined, /web page/],
    ['model.safetensors.index.json', `<!-- error -->\n${page}`, undefined, /web page/],
    ['config.json', page, undefined, /web page/],
    ['m.gguf.part2of2', page, undefined, /web page/],
    ['m.gguf', '', 0, /empty/],
    ['m.safetensors', '', 0, /empty/],
    ['mmproj-F16.gguf', '', 0, /empty/],
    ['pytorch_model.bin', '', 0, /empty/],
    ['m.gguf', 'tjgg\x03\0\0\0', 4_000_000_000, /GGML/],
    // Heads of real files in which bytes above 127 became U+FFFD, as when a program treats a file as text.
    ['m.gguf', real('damaged.head'), 855_771, /damaged: its metadata cannot be read after byte 443/],
    ['ggml-vocab.gguf', real('vocabulary.head'), 627_553, /damaged: its metadata cannot be read after byte 212/],
    ['m.gguf', good.subarray(0, 60), 60, /truncated/],
    ['m.safetensors', safetensorsBytes({ a: 16 }).subarray(0, -1), undefined, /truncated: it has \d+ bytes, but its header says/],
    ['m.safetensors', safetensorsBytes({ a: 16 }).subarray(0, 20), undefined, /truncated: its header alone/],
  ])('%s', (path, head, size, reason) => {
    expect(look(path, head, size)).toEqual({ kind: 'incomplete', reason: expect.stringMatching(reason) });
  });
});

describe('a file whose beginning does not fit its name', () => {
  test.each<readonly [path: string, head: Buffer | string, reason: RegExp]>([
    ['m.gguf', noise(100), /does not begin with "GGUF"/],
    ['m-00001-of-00002.gguf', 'weights', /does not begin with "GGUF"/],
    ['m.gguf.part1of2', noise(100), /does not begin with "GGUF"/],
    ['m.gguf', Buffer.concat([Buffer.from('GGUF'), noise(100)]), /version|counts/],
    ['m.safetensors', 'weights', /only 7 bytes/],
    ['m.safetensors', noise(100), /does not begin with the header of a safetensors file/],
    ['m.safetensors', Buffer.concat([safetensorsBytes({}).subarray(0, 8), Buffer.from('{,'.padEnd(200))]), /not JSON/],
  ])('%s', (path, head, reason) => {
    expect(look(path, head)).toEqual({ kind: 'unrecognized', reason: expect.stringMatching(reason) });
  });
});

test('a GGUF file that is cut anywhere in its metadata is reported or accepted, and nothing throws', () => {
  const whole = ggufBytes({ 'general.architecture': 'llama', count: 7, 'tokenizer.chat_template': 'x'.repeat(300) });
  fc.assert(
    fc.property(fc.nat(whole.length), fc.nat(255), fc.nat(whole.length - 1), (length, byte, at) => {
      const changed = Buffer.from(whole);
      changed[at] = byte;
      const found = look('m.gguf', changed.subarray(0, length), length);
      if (length < 24) expect(found).toBeDefined();
    }),
  );
  // A file is longer than the part of its head that was read.
  for (let length = 24; length <= whole.length; length += 1)
    expect(look('m.gguf', whole.subarray(0, length), whole.length)).toBeUndefined();
});

test('only files that can show a problem are opened', () => {
  const isRead = (path: string, size: number): boolean => isWorthALook({ path, kind: kindOf(path), size });
  expect([isRead('m.gguf', 5e9), isRead('tokenizer.json', 2e6), isRead('a.png', 130)]).toEqual([true, true, true]);
  expect([isRead('a.png', 5_000), isRead('notes.txt', 5_000)]).toEqual([false, false]);
});
