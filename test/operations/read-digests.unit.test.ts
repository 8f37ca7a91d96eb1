import { expect, test } from 'vitest';
import { makeManifest } from '../../src/core/catalog/manifest.ts';
import type { Deps } from '../../src/core/connect/deps.ts';
import { type ModelId, parseModelId } from '../../src/core/kernel/model-id.ts';
import type { Sha256 } from '../../src/core/kernel/sha256.ts';
import type { StoreView } from '../../src/core/operations/live/follow-store.ts';
import { createDigestReader, type DigestsOfStore } from '../../src/core/operations/live/read-digests.ts';
import type { StagingView } from '../../src/core/protocol/staging.ts';
import type { ManifestOptions } from '../../src/core/store/contract.ts';
import type { LocalStore } from '../../src/core/store/local-store.ts';
import { testWorld } from '../helpers/world.ts';

const manifestOf = (id: string, sha256: string) =>
  makeManifest(parseModelId(id), [{ path: 'm-Q4_K_M.gguf', size: 1, sha256: sha256.repeat(64) as Sha256 }] as never, {
    source: 'add',
    createdAt: new Date(0),
  });

/** What a screen knows: two models in the store, and copies of the named ones. */
const viewOf = (changed: string, { own = [], others = [], version = '1' }: { own?: string[]; others?: string[]; version?: string }) => {
  const models = ['a/a', 'b/b'].map((model_id) => ({ model_id, downloaded_at: changed, total_bytes: 1, file_count: 1 }));
  const nodes = [{ copies: others.map((model_id) => ({ model_id, quantizations: [{ digest: 'x' }] })) }, { copies: null }];
  return {
    store: { health: { version }, models, nodes } as unknown as StoreView,
    staging: { models: own.map((model_id) => ({ model_id, digest: 'x' })) } as unknown as StagingView,
  };
};

test('the digests of staged models are asked for once, and again when the store has changed', async () => {
  const asked: (readonly [ModelId, string | undefined])[] = [];
  let stored = '1';
  const store = {
    manifest: async (id: ModelId, { knownDigest }: ManifestOptions) => {
      asked.push([id, knownDigest]);
      const manifest = manifestOf(id, stored);
      return knownDigest === manifest.digest ? { state: 'unchanged', companions: [] } : { state: 'ready', manifest, companions: [] };
    },
  };
  let digests: DigestsOfStore = new Map();
  const deps = { world: testWorld('/nowhere'), store: store as unknown as LocalStore } as unknown as Deps;
  const look = createDigestReader(deps, (found) => {
    digests = found;
  });
  look(viewOf('first', {}));
  look(viewOf('first', { own: ['a/a', 'c/c'], version: '' }));
  expect(asked).toEqual([]);

  look(viewOf('first', { own: ['a/a', 'c/c'] }));
  const [a, b] = [manifestOf('a/a', '1'), manifestOf('b/b', '1')];
  await expect.poll(() => [...digests.keys()]).toEqual(['a/a']);
  expect(digests.get(a.model_id)).toEqual({ digest: a.digest, quantizations: [{ selector: 'Q4_K_M', digest: a.groups?.[0]?.digest }] });

  look(viewOf('first', { own: ['a/a'], others: ['b/b'] }));
  await expect.poll(() => digests.get(b.model_id)?.digest).toBe(b.digest);
  expect(asked).toEqual([
    ['a/a', undefined],
    ['b/b', undefined],
  ]);

  // Both were touched in the store, and have other content by now.
  stored = '2';
  look(viewOf('second', { own: ['a/a'], others: ['b/b'] }));
  await expect.poll(() => digests.get(b.model_id)?.digest).toBe(manifestOf('b/b', '2').digest);
  expect(asked.slice(2)).toEqual([
    ['a/a', a.digest],
    ['b/b', b.digest],
  ]);
  look(viewOf('second', { own: ['a/a'], others: ['b/b'] }));
  expect(asked).toHaveLength(4);
});
