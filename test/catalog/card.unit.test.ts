import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseCard } from '../../src/core/catalog/card.ts';
import { formatCompanions, parseCompanions } from '../../src/core/catalog/companions.ts';
import { type CardPlaces, readCard } from '../../src/core/catalog/read-card.ts';
import { loadableGguf } from '../../src/core/catalog/selection/groups.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const full = `
model_id = "org/model"
n_layers = 48
hidden_size = 4096
num_key_value_heads = 8
supports_tensor = true
tasks = ["TextGeneration"]
family = "foo"
quantization = "4bit"
base_model = "Foo 30B"
capabilities = ["text", "vision", "thinking"]
context_length = 262144
something_from_tomorrow = { a = 1 }

[storage_size]
in_bytes = 17200000000

[vision]
image_token_id = 7
weights_repo = "org/eyes"

[runtime]
mtp_heads = 1
mtp_sidecar_repo = "org/sidecar"
assistant_model_repo = "org/small"

[[components]]
component_name = "text"
`;

describe('a model card', () => {
  test('names its companions, and other keys are ignored', () => {
    expect(parseCard(full)).toMatchObject({
      capabilities: ['text', 'vision', 'thinking'],
      supportsTensor: true,
      contextLength: 262144,
      family: 'foo',
      modelId: 'org/model',
      companions: [
        { role: 'vision', modelId: 'org/eyes' },
        { role: 'mtp', modelId: 'org/sidecar' },
        { role: 'assistant', modelId: 'org/small' },
      ],
    });
  });

  test.each([
    ['a sidecar without heads', full.replace('mtp_heads = 1', ''), 'eyes small'],
    ['no heads at all', full.replace('mtp_heads = 1', 'mtp_heads = 0'), 'eyes small'],
    ['weights in the model itself', full.replace('"org/eyes"', '"org/model"'), 'sidecar small'],
    ['an empty name', full.replace('"org/small"', '""'), 'eyes sidecar'],
    ['nothing', 'model_id = "org/model"', ''],
  ])('does not name a companion by %s', (_, text, names) => {
    const card = parseCard(text);
    expect('companions' in card && card.companions.map(({ modelId }) => modelId.slice(4)).join(' ')).toBe(names);
  });

  test.each([
    ['not TOML', 'model_id = "org/model"\n[vision\n', 2],
    ['no id', 'n_layers = 1\n', 1],
    ['a bad id', 'n_layers = 1\nmodel_id = "../x"\n', 2],
    ['a companion that leaves the store', full.replace('"org/eyes"', '"../../etc"'), 20],
    ['a companion that is a number', full.replace('"org/eyes"', '7'), 20],
    ['a table that is none', 'model_id = "org/model"\nruntime = 3\n', 2],
  ])('with %s is refused, and the error names the line', (_, text, line) => {
    expect(parseCard(text)).toMatchObject({ line, says: expect.any(String) });
  });
});

describe('the card of a model', () => {
  const id = parseModelId('org/model');
  const read = async (directories: CardPlaces): Promise<[unknown, string[]]> => {
    const told: string[] = [];
    return [await readCard(directories, id, (message) => told.push(message)), told];
  };

  const record = (changes: object = {}): string =>
    JSON.stringify({
      schema_version: 1,
      artifact_model_id: 'org/model',
      artifact_role: 'base',
      model_card: { model_id: 'org/model', supports_tensor: true, family: 'bar', capabilities: [], context_length: 0, vision: null },
      ...changes,
    });

  test('is searched in each place, and an invalid card is reported and skipped', async () => {
    const root = await temporaryDirectory();
    const [bad, other, good, missing] = ['bad', 'other', 'good', 'missing'].map((name) => join(root, name)) as [
      string,
      string,
      string,
      string,
    ];
    for (const directory of [bad, other, good]) await mkdir(directory);
    await writeFile(join(bad, 'org--model.toml'), 'model_id = "org/model"\n\n[[[');
    await writeFile(join(other, 'org--model.toml'), 'model_id = "org/another"');
    await writeFile(join(good, 'org--model.toml'), full);
    expect(await read({ cardsPath: missing, manifests: good })).toMatchObject([{ modelId: id, from: 'store' }, []]);
    expect(await read({ cardsPath: bad, manifests: other, model: { directory: good, files: ['org--model.toml'] } })).toMatchObject([
      { modelId: id, from: 'model' },
      [
        expect.stringMatching(/bad\/org--model.toml:3: .*ignored/),
        expect.stringMatching(/other\/org--model.toml:1: .*org\/another.*ignored/),
      ],
    ]);
    // A file in the directory of the model is its card only if it is one of the model's files.
    expect(await read({ model: { directory: good, files: [] } })).toEqual([undefined, []]);
    expect(await read({ cardsPath: missing })).toEqual([undefined, []]);
  });

  test('is absent when its path is a directory or the file is too large', async () => {
    const root = await temporaryDirectory();
    await mkdir(join(root, 'org--model.toml'));
    expect(await read({ cardsPath: root })).toEqual([undefined, [expect.stringContaining('not a file')]]);
  });

  test('is read from the record of later Python releases, where empty values mean unknown', async () => {
    const directory = await temporaryDirectory();
    await mkdir(join(directory, '.skulk'));
    await writeFile(join(directory, '.skulk', 'installed-card.json'), record());
    const [card, told] = await read({ model: { directory, files: [] } });
    expect([card, told]).toMatchObject([{ from: 'python', family: 'bar', supportsTensor: true }, []]);
    expect(card).toMatchObject({ capabilities: undefined, contextLength: undefined, companions: [] });
    // The model may have another id than the repo of its card.
    await writeFile(join(directory, '.skulk', 'installed-card.json'), record({ model_card: { model_id: 'org/repo', family: 'other' } }));
    expect(await read({ model: { directory, files: [] } })).toMatchObject([{ modelId: id, family: 'other' }, []]);
    // The record of a companion has the card of the model that needs it.
    await writeFile(join(directory, '.skulk', 'installed-card.json'), record({ artifact_role: 'vision_weights' }));
    expect(await read({ model: { directory, files: [] } })).toEqual([undefined, []]);
    for (const broken of ['{', '[]', '{"model_card": 7}', 'null']) {
      await writeFile(join(directory, '.skulk', 'installed-card.json'), broken);
      expect(await read({ model: { directory, files: [] } })).toEqual([
        undefined,
        [expect.stringMatching(/installed-card.json:1: .*ignored/)],
      ]);
    }
  });

  test('is not read through a symbolic link in the directory of a model', async () => {
    const [directory, outside] = [await temporaryDirectory(), await temporaryDirectory()];
    await writeFile(join(outside, 'x.toml'), full);
    await symlink(join(outside, 'x.toml'), join(directory, 'org--model.toml'));
    const [card, told] = await read({ model: { directory, files: ['org--model.toml'] } });
    expect([card, told]).toEqual([undefined, [expect.stringMatching(/org--model.toml: it cannot be read .*ignored/)]]);
  });
});

test('companions stay the same when they are written as text and parsed, and invalid ones are dropped', () => {
  const companions = [{ role: 'vision' as const, modelId: parseModelId('org/eyes') }];
  expect(parseCompanions(formatCompanions(companions))).toEqual(companions);
  for (const text of ['', 'vision', 'vision=', 'vision=../x', 'other=org/x', 'vision=org/x/y', undefined, 7, 'x'.repeat(5000)])
    expect(parseCompanions(text)).toEqual([]);
  expect(parseCompanions('vision=../x, mtp=org/y')).toEqual([{ role: 'mtp', modelId: 'org/y' }]);
});

test.each([
  [['a-Q8_0.gguf', 'a-Q4_K_M.gguf', 'a-F16.gguf'], 'a-Q4_K_M.gguf'],
  [['q5/a-q5_k_m-00002-of-00002.gguf', 'q5/a-q5_k_m-00001-of-00002.gguf'], 'q5/a-q5_k_m-00001-of-00002.gguf'],
  [['mmproj-Q4_K_M.gguf', 'a-BF16.gguf'], 'a-BF16.gguf'],
  [['a-IQ4_XS.gguf', 'a-Q2_K.gguf'], 'a-Q2_K.gguf'],
  [['a-F16.gguf', 'unknown.gguf'], 'unknown.gguf'],
  [['b-Q6_K.gguf', 'a-Q6_K.gguf'], 'a-Q6_K.gguf'],
  [['model.safetensors', 'MMPROJ-f16.gguf'], undefined],
])('of the files %j a program loads %s', (paths, wanted) => {
  expect(loadableGguf(paths.map((path) => ({ path })))).toBe(wanted);
});
