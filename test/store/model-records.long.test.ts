import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeManifest } from '../../src/core/catalog/manifest.ts';
import type { RelativePath } from '../../src/core/kernel/files/relative-path.ts';
import type { ModelId } from '../../src/core/kernel/model-id.ts';
import { hashModel } from '../../src/core/store/ingest/hash-model.ts';
import { storeLayout } from '../../src/core/store/layout.ts';
import { createModelRecords } from '../../src/core/store/records/model-records.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const modelId = 'org/m' as ModelId;

test.each([
  ['few', 3],
  ['many', 20_000],
])('a listing of %s files is read from the manifest, which is kept in memory without it', async (_, count) => {
  const layout = storeLayout(await temporaryDirectory());
  await mkdir(layout.manifests, { recursive: true });
  await mkdir(layout.seen, { recursive: true });
  const path = join(layout.root, 'hello.txt');
  await writeFile(path, 'hello\n');
  const hashed = await hashModel([{ path: 'hello.txt' as RelativePath, absolute: path, size: 6 }], {
    signal: new AbortController().signal,
  });
  // The result of `git hash-object` for this content.
  expect(hashed.files).toMatchObject([{ path: 'hello.txt', hub_id: 'ce013625030ba8dba906f756967f9e9ca394464a' }]);
  const manifest = makeManifest(modelId, hashed.files, { source: 'hub', commit: 'a'.repeat(40), createdAt: new Date() });
  const files = Array.from({ length: count }, (__, index) => ({ path: `f/${index}` as RelativePath, size: index, oid: 'b'.repeat(40) }));
  const upstream = { repo: modelId, commit: 'a'.repeat(40), files };
  const written = createModelRecords(layout);
  await written.write(manifest, { seen: hashed.seen, upstream });
  // The values just written, and those that another process reads.
  for (const records of [written, createModelRecords(layout)]) {
    const known = await records.read(modelId);
    expect(known?.manifest).toEqual(manifest);
    expect(known?.seen).toEqual(hashed.seen);
    expect(await records.upstream(modelId)).toEqual(upstream);
  }
  await written.write(manifest, { seen: hashed.seen });
  expect(await written.upstream(modelId)).toBeUndefined();
});
