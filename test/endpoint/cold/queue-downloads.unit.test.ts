import { expect, test } from 'vitest';
import { planColdDownload } from '../../../src/core/endpoint/cold/queue-downloads.ts';
import type { HubFile } from '../../../src/core/endpoint/contract.ts';
import type { SideKind } from '../../../src/core/protocol/manifest.ts';
import type { Listing } from '../../../src/core/sources/source.ts';

const listing = {
  modelId: 'org/m',
  revision: 'main',
  commit: 'c'.repeat(40),
  files: ['m-Q8_0.gguf', 'eyes-Q4_K_M.gguf', 'pirate-Q6_K.gguf'].map((path) => ({ path, size: 20_000_000, oid: 'a'.repeat(40) })),
} as unknown as Listing;
const repo = (kinds: Readonly<Record<string, SideKind>>) => ({
  byPath: new Map(listing.files.map((file) => [file.path, { ...file, gguf_kind: kinds[file.path] } as unknown as HubFile])),
});

test('a file of weights is downloaded with what the store knows to be its projector, whatever the names say', () => {
  const plan = planColdDownload(listing, 'm-Q8_0.gguf', repo({ 'eyes-Q4_K_M.gguf': 'projector' }));
  expect(plan?.request).toEqual({ modelId: 'org/m', revision: listing.commit, ggufFile: 'm-Q8_0.gguf', exact: true });
  expect(plan?.files.map(({ path }) => path)).toEqual(['m-Q8_0.gguf', 'eyes-Q4_K_M.gguf']);
  expect(planColdDownload(listing, 'm-Q8_0.gguf', repo({}))?.files).toHaveLength(1);
});

test('a file that the store knows to be no weights has no quantization downloaded', () => {
  expect(planColdDownload(listing, 'pirate-Q6_K.gguf', repo({ 'pirate-Q6_K.gguf': 'adapter' }))).toBeUndefined();
  expect(planColdDownload(listing, 'pirate-Q6_K.gguf', repo({}))?.request.ggufFile).toBe('pirate-Q6_K.gguf');
});
