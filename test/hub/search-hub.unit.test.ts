import { expect, test } from 'vitest';
import { isModelId } from '../../src/core/kernel/model-id.ts';
import { foundModelOf } from '../../src/core/sources/hub/search-hub.ts';

test('a search lists public and gated models, and never a private one or one with an unusable name', () => {
  const found = [
    { name: 'org/open', downloads: 5, tags: ['gguf', 'license:mit'] },
    { name: 'org/gated', private: false, gated: 'manual' },
    { name: 'org/private', private: true },
    { name: 'org/odd', private: 'yes' },
    { name: '../etc' },
  ].flatMap((one) => foundModelOf(one, isModelId) ?? []);
  expect(found).toMatchObject([
    { model_id: 'org/open', downloads: 5, license: 'mit', gated: false, formats: ['gguf'] },
    { model_id: 'org/gated', gated: true },
  ]);
  expect(found).toHaveLength(2);
});

test('the size of safetensors weights follows from their data types, and is unknown if one of them is', () => {
  const sizeOf = (parameters: unknown): unknown =>
    foundModelOf({ name: 'org/m', safetensors: { parameters, total: 7 } }, isModelId)?.weights_bytes;
  expect([{ BF16: 1000, F32: 10 }, { U32: 5 }, { BF16: 5, F3: 1 }, { BF16: -1 }, {}, null, 'x'].map(sizeOf)).toEqual([
    2040,
    20,
    ...[null, null, null, null, null],
  ]);
});
