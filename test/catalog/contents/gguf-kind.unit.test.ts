import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sideKindOfHead } from '../../../src/core/catalog/contents/gguf-kind.ts';
import { type GgufValue, ggufBytes } from '../../helpers/gguf-bytes.ts';
import { testSeed } from '../../helpers/seeded.ts';

test.each<readonly [string | undefined, Readonly<Record<string, GgufValue>>]>([
  ['imatrix', { 'general.type': 'imatrix', 'imatrix.datasets': ['a'] }],
  ['projector', { 'general.architecture': 'clip', 'general.type': 'mmproj' }],
  ['projector', { 'general.architecture': 'clip', 'clip.has_vision_encoder': 1 }],
  ['adapter', { 'general.architecture': 'llama', 'general.type': 'adapter', 'adapter.type': 'lora' }],
  ['adapter', { 'general.architecture': 'controlvector' }],
  ['draft', { 'general.architecture': 'eagle3', 'general.type': 'model' }],
  ['vocabulary', { 'general.type': 'vocab' }],
  [undefined, { 'general.architecture': 'llama', 'general.type': 'model' }],
  [undefined, { 'general.architecture': 'llama' }],
  [undefined, { 'general.name': 'imatrix of clip', 'general.architecture': '__proto__' }],
  [undefined, {}],
])('a file is %s when its metadata is %j', (kind, metadata) => {
  expect(sideKindOfHead(ggufBytes(metadata))).toBe(kind);
});

test('other bytes, or a part of the metadata, give no kind or the same kind', () => {
  const whole = ggufBytes({ 'general.name': 'x', 'general.quantized_by': 'y', 'general.type': 'imatrix', 'general.architecture': 'a' });
  fc.assert(
    fc.property(fc.nat({ max: whole.length }), fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }), (end, at, value) => {
      expect([undefined, 'imatrix']).toContain(sideKindOfHead(whole.subarray(0, end)));
      const damaged = Buffer.from(whole);
      damaged[at] = value;
      expect([undefined, 'imatrix']).toContain(sideKindOfHead(damaged));
    }),
    { seed: testSeed },
  );
  const huge = Buffer.from(whole);
  huge.writeBigUInt64LE(2n ** 63n, 24);
  expect(sideKindOfHead(huge)).toBeUndefined();
});
