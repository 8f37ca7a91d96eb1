import { expect, test } from 'vitest';
import { freeBytes } from '../../src/core/sources/hub/free-bytes.ts';

test('bytes with a buffer of their own are freed, and small or shared ones stay', () => {
  const own = new Uint8Array(64 * 1024);
  freeBytes(own);
  expect(own).toHaveLength(0);
  const shared = new Uint8Array(64 * 1024).fill(7);
  freeBytes(shared.subarray(0, 32 * 1024));
  expect(shared.every((byte) => byte === 7)).toBe(true);
  const pooled = Buffer.from('a few bytes');
  freeBytes(pooled);
  expect(pooled.toString()).toBe('a few bytes');
  const between = new Uint8Array(new SharedArrayBuffer(64 * 1024));
  freeBytes(between);
  expect(between).toHaveLength(64 * 1024);
});
