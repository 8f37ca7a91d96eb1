import { expect, test } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { findSource, requireUnchanged } from '../../src/core/optimize/find-source.ts';
import { planVariant } from '../../src/core/optimize/plan-variant.ts';
import { directoryStore } from '../helpers/directory-store.ts';

test('a source that was replaced since it was hashed is not used for a variant', async () => {
  await using store = await directoryStore({ 'org/a': { 'w.gguf': 'weights' } });
  const { signal } = new AbortController();
  const source = await findSource(store, parseModelId('org/a'), { signal });
  const check = (manifest = source.manifest) => requireUnchanged(store, { ...source, manifest }, { paths: ['w.gguf'], signal });
  await expect(check()).resolves.toBeUndefined();
  await expect(check({ ...source.manifest, digest: 'c'.repeat(64) as typeof source.manifest.digest })).rejects.toMatchObject({
    code: 'CONFLICT',
    message: 'org/a was replaced in the meantime',
  });
});

test('a job whose source was replaced while it waited makes nothing of the new content', async () => {
  await using store = await directoryStore({ 'org/a': { 'w.gguf': 'weights' } });
  const { signal } = new AbortController();
  const where = { env: {}, platform: 'linux', arch: 'x64', homeDirectory: '/', signal } as const;
  const job = { modelId: parseModelId('org/a'), type: 'Q8_0', sourceDigest: 'c'.repeat(64) };
  await expect(planVariant(store, job, where)).rejects.toMatchObject({ code: 'CONFLICT', message: 'org/a was replaced in the meantime' });
});
