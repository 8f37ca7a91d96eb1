import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { imatrixOfTinyLlama } from '../helpers/imatrix-bytes.ts';
import { digestsBelow, writeFiles } from '../helpers/model-files.ts';
import { fullWeights, llamaQuantize } from '../helpers/quantizer.ts';
import { wants } from '../helpers/wants.ts';

interface Made {
  readonly targetId: string;
  readonly achievedBpw: number;
  readonly warnings: readonly string[];
}

interface Shown {
  readonly provenance: { readonly arguments: readonly string[]; readonly source_files: readonly string[] };
}

/** A store host with a quantizer, and models that differ only in their importance matrix. */
async function storeHost() {
  const world = await hubWorld({ SKULK_ENGINE_LLAMA: llamaQuantize });
  const add = async (modelId: string, more: Readonly<Record<string, Buffer | string>>): Promise<void> => {
    const directory = await fullWeights('tiny', { layers: 1, width: 256 });
    await writeFiles(directory, more);
    expect(await world.host('add', directory, '--as', modelId)).toMatchObject({ status: 0 });
  };
  const json = async <T>(...args: readonly string[]): Promise<T> => {
    const ended = await world.host(...args, '--json');
    expect([ended.status, ended.stderr]).toEqual([0, expect.any(String)]);
    return JSON.parse(ended.stdout) as T;
  };
  const make = (modelId: string, type: string) => json<Made>('optimize', modelId, '--type', type);
  const digestOf = async (path: string): Promise<string | undefined> => {
    const [directory = '', name = ''] = path.split('/');
    return (await digestsBelow(join(world.storePath, directory)))[name];
  };
  return { world, add, json, make, digestOf };
}

describe('an importance matrix with a real quantizer', wants('llama-quantize'), () => {
  test('of the model is used, and allows types that need one', async () => {
    const { world, add, json, make, digestOf } = await storeHost();
    await add('acme/With-GGUF', { 'tiny-imatrix.dat': imatrixOfTinyLlama(256) });
    await add('acme/Without-GGUF', {});
    const { targetId, achievedBpw, warnings } = await make('acme/With-GGUF', 'IQ2_XXS');
    expect([targetId, warnings]).toEqual(['acme/With-IQ2_XXS-GGUF', []]);
    expect(achievedBpw).toBeLessThan(3);
    expect((await json<Shown>('show', targetId)).provenance).toMatchObject({
      arguments: ['--imatrix', 'imatrix.dat', 'IQ2_XXS'],
      source_files: ['tiny-F32.gguf', 'tiny-imatrix.dat'],
    });
    expect((await readdir(join(world.storePath, 'acme--With-IQ2_XXS-GGUF'))).toSorted()).toEqual([
      'LICENSE',
      'README.md',
      'With-IQ2_XXS.gguf',
    ]);
    for (const type of ['Q4_K_M', 'Q8_0']) for (const name of ['With', 'Without']) await make(`acme/${name}-GGUF`, type);
    const digests = (type: string) =>
      Promise.all(['With', 'Without'].map((name) => digestOf(`acme--${name}-${type}-GGUF/${name}-${type}.gguf`)));
    const [withMatrix, withoutMatrix] = await digests('Q4_K_M');
    expect([withMatrix, withoutMatrix]).toEqual([expect.any(String), expect.any(String)]);
    expect(withMatrix).not.toBe(withoutMatrix);
    // With eight bits it makes no difference, and is not read.
    const [first, second] = await digests('Q8_0');
    expect(first).toBe(second);
    expect((await json<Shown>('show', 'acme/With-Q8_0-GGUF')).provenance.arguments).toEqual(['Q8_0']);
  });

  test('that is unreadable is ignored with a warning, and a type that needs one is refused', async () => {
    const { world, add, json, make } = await storeHost();
    await add('acme/Odd-GGUF', { 'imatrix.dat': 'no matrix' });
    const refused = await world.host('optimize', 'acme/Odd-GGUF', '--type', 'IQ2_XXS');
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringMatching(/needs an importance matrix, .*cannot read imatrix\.dat/) });
    const { targetId, warnings } = await make('acme/Odd-GGUF', 'Q4_K_M');
    expect(warnings).toEqual([expect.stringMatching(/cannot read the importance matrix imatrix\.dat/)]);
    expect((await json<Shown>('show', targetId)).provenance).toMatchObject({ arguments: ['Q4_K_M'], source_files: ['tiny-F32.gguf'] });
  });

  test('of other weights is refused with a clear message', async () => {
    const { world, add } = await storeHost();
    await add('acme/Foreign-GGUF', { 'imatrix.dat': imatrixOfTinyLlama(512) });
    const refused = await world.host('optimize', 'acme/Foreign-GGUF', '--type', 'Q4_K_M');
    expect(refused).toMatchObject({
      status: 5,
      stderr: expect.stringContaining('importance matrix of the model does not fit its weights'),
    });
    expect(await world.host('show', 'acme/Foreign-Q4_K_M-GGUF')).toMatchObject({ status: 3 });
  });
});
