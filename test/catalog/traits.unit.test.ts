import { describe, expect, test } from 'vitest';
import { parseCard } from '../../src/core/catalog/card.ts';
import { deriveTraits } from '../../src/core/catalog/traits.ts';

const tagsOf = (config: unknown, more: { files?: string[]; chatTemplate?: string; modelId?: string } = {}): string =>
  deriveTraits({ modelId: 'org/m', files: [], config, ...more }).tags.join(' ');

describe('without a card, the traits of a model follow from its files', () => {
  test.each([
    ['nothing', undefined, {}, ''],
    ['a projector', undefined, { files: ['m.gguf', 'mmproj-F16.gguf'] }, 'vision'],
    ['a vision_config', { vision_config: {} }, {}, 'vision'],
    ['an architecture that sees', { architectures: ['Qwen2_5_VLForConditionalGeneration'] }, {}, 'vision'],
    ['an architecture that does not', { architectures: ['Qwen3ForCausalLM'] }, {}, ''],
    ['an encoder', { architectures: ['BertModel'] }, {}, 'embedding'],
    ['pooling', {}, { files: ['1_Pooling/config.json'] }, 'embedding'],
    ['a template that thinks', {}, { chatTemplate: '{% if enable_thinking %}<think>{% endif %}' }, 'thinking'],
    ['a template that does not', {}, { chatTemplate: 'I think, therefore' }, ''],
    ['an id', {}, { modelId: 'org/Foo-OptiQ-4bit' }, 'optiq'],
    ['a list instead of an object', [1], {}, ''],
    [
      'keys of the wrong kind',
      { architectures: 'BertModel', vision_config: null, quantization: 7, model_type: {}, max_position_embeddings: 'x' },
      {},
      '',
    ],
  ])('%s', (_, config, more, tags) => {
    expect(tagsOf(config, more)).toBe(tags);
  });

  test('family, quantization and context follow from the files', () => {
    expect(
      deriveTraits({
        modelId: 'org/m',
        files: [],
        config: { model_type: 'qwen3', quantization: { bits: 4 }, max_position_embeddings: 4096 },
      }),
    ).toMatchObject({
      family: 'qwen3',
      quantization: '4bit',
      context_length: 4096,
      capabilities: ['text'],
      supports_tensor: null,
    });
    expect(
      deriveTraits({
        modelId: 'org/m',
        files: [],
        config: { text_config: { max_position_embeddings: 8 }, quantization_config: { quant_method: 'awq' } },
      }),
    ).toMatchObject({ quantization: 'awq', context_length: 8 });
  });
});

test.each([
  [['a-Q8_0.gguf', 'a-Q4_K_M.gguf'], 'Q4_K_M'],
  [['a-BF16-00001-of-00002.gguf'], 'BF16'],
  [['a.gguf'], null],
  [['a.safetensors'], null],
])('the quantization of %j is %s', (files, quantization) => {
  expect(deriveTraits({ modelId: 'org/m', files }).quantization).toBe(quantization);
});

test('a card overrides the files', () => {
  const card = parseCard(
    'model_id = "org/m"\ncapabilities = ["text", "thinking"]\nsupports_tensor = true\nquantization = "OptiQ-4"\nfamily = "foo"\ncontext_length = 9',
  );
  if ('says' in card) throw new Error(card.says);
  expect(deriveTraits({ modelId: 'org/m', files: ['mmproj.gguf'], card, config: { model_type: 'bar' } })).toEqual({
    tags: ['thinking', 'tensor', 'optiq'],
    card: null,
    capabilities: ['text', 'thinking'],
    supports_tensor: true,
    base_model: null,
    quantization: 'OptiQ-4',
    family: 'foo',
    context_length: 9,
    parameters: null,
    license: null,
  });
});
