import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ModelId } from '../../src/core/kernel/model-id.ts';
import { requirePlace } from '../../src/core/store/own-model.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const modelId = 'org/a' as ModelId;

/** A store with the directory of a model, which another writer enters into the registry when it comes to its turn. */
async function halfPublished(entry: object | undefined) {
  const root = await temporaryDirectory();
  await writeFiles(join(root, 'org--a'), { 'a.bin': 'a' });
  const entries = new Map<string, object>();
  let writes = 0;
  const context = {
    registry: async () => ({ entries }),
    records: { read: async () => undefined },
    writer: {
      write: async <T>(change: () => Promise<T>): Promise<T> => {
        writes += 1;
        if (entry !== undefined) entries.set(modelId, entry);
        return change();
      },
    },
  };
  return { check: () => requirePlace(root, modelId, context as never), writes: () => writes };
}

test('a model that is just being published does not look like the directory of somebody else', async () => {
  const { check, writes } = await halfPublished({ store_path: 'org--a', files: ['a.bin'] });
  await check();
  expect(writes()).toBe(1);
  await check();
  expect(writes()).toBe(1);
});

test('the directory of somebody else is refused', async () => {
  const { check } = await halfPublished(undefined);
  await expect(check()).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('is not in the registry') });
});
