import { getEventListeners } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hashModel } from '../../src/core/store/ingest/hash-model.ts';
import { sha256 } from '../helpers/model-files.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

test('only some of many files wait at the same time, so that the number of listeners stays small', async () => {
  const directory = await temporaryDirectory();
  const names = Array.from({ length: 400 }, (_, index) => `f-${index}`);
  for (const name of names) await writeFile(join(directory, name), name);
  const { signal } = new AbortController();
  const files = names.map((name) => ({ path: name as never, absolute: join(directory, name), size: name.length }));
  let most = 0;
  const onBytes = (): void => {
    most = Math.max(most, getEventListeners(signal, 'abort').length);
  };
  const hashing = hashModel(files, { signal, onBytes });
  onBytes();
  const hashed = await hashing;
  expect(hashed.files.map(({ path, sha256: digest }) => [path, digest])).toEqual(names.map((name) => [name, sha256(name)]));
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(100);
});
