import { expect, test } from 'vitest';
import { formatCard, parseCard } from '../../src/core/catalog/card.ts';
import { type Card, readInstalledCard } from '../../src/core/catalog/card-table.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { variantCard } from '../../src/core/optimize/variant-card.ts';

const targetId = parseModelId('me/Foo-OptiQ-4.5bpw');

test('the card of a variant is valid, and does not contain the signed card, the commit or the file of its source', () => {
  const source = readInstalledCard({
    artifact_role: 'base',
    artifact_model_id: 'me/Foo',
    model_card: {
      model_id: 'me/Foo',
      gguf_file: 'Foo-F16.gguf',
      base_model: 'Foo 7B',
      components: null,
      source_revision: 'a'.repeat(40),
      registry_card_id: 'card_x',
      is_custom: false,
      n_layers: 3,
      vision: { weights_repo: 'me/Eyes', boi_token_id: null },
      tasks: ['TextGeneration', null],
    },
  });
  const made = variantCard(source as Card, { targetId, plan: { suffix: '-OptiQ-4.5bpw' }, bytes: 77 });
  expect(made).toEqual({
    model_id: targetId,
    base_model: 'Foo 7B',
    n_layers: 3,
    vision: { weights_repo: 'me/Eyes' },
    tasks: ['TextGeneration'],
    quantization: 'OptiQ-4.5bpw',
    storage_size: { in_bytes: 77 },
  });
  expect(parseCard(formatCard(made))).toMatchObject({
    modelId: targetId,
    companions: [{ role: 'vision', modelId: 'me/Eyes' }],
    quantization: 'OptiQ-4.5bpw',
  });
});
