import { Type } from 'typebox';
import { count, list, modelId, object, orNull, relativePath, type Shape, sha256, text, textOrEmpty } from './schema.ts';

/** What one file must hash to. */
export const manifestFile = object({
  path: relativePath(),
  size: count(),
  sha256: sha256(),
  chunks: Type.Optional(list(sha256(), { description: 'The sha256 of each `chunk_size` bytes; only for a file larger than one chunk' })),
  hub_id: Type.Optional(text({ description: "The Hub's id of the content: a sha256 for LFS files, else a git blob sha1" })),
});
export type ManifestFile = Shape<typeof manifestFile>;

/**
 * What a model contains, byte for byte (docs/on-disk-format.md, "manifests/"). `parseManifest` in `catalog` reads it: of a manifest
 * nothing may be left out.
 */
export const manifest = object(
  {
    version: Type.Literal(1),
    model_id: modelId(),
    digest: sha256('The sha256 over the sorted list of (path, size, sha256); also the ETag'),
    revision: orNull(text()),
    commit: orNull(text()),
    source: text({ default: 'add', description: 'Where the bytes came from: `add`, `adopted` or `hub`' }),
    created_at: textOrEmpty('ISO 8601'),
    chunk_size: count(),
    files: list(manifestFile),
  },
  { description: 'What each file must hash to' },
);
export type Manifest = Shape<typeof manifest>;

/** The answer for a model that has no manifest yet. */
export const hashing = object(
  { state: Type.Literal('hashing'), retry_after_ms: count() },
  { description: 'Not hashed yet; ask again after `Retry-After`' },
);
