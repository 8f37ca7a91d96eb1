import { count, list, modelId, object, orNull, relativePath, type Shape, sha256, text, textOrEmpty } from './schema.ts';
import { Type } from './type-builder.ts';

/** What one file must hash to. */
export const manifestFile = object({
  path: relativePath(),
  size: count(),
  sha256: sha256(),
  chunks: Type.Optional(list(sha256(), { description: 'The sha256 of each `chunk_size` bytes; only for a file larger than one chunk' })),
  hub_id: Type.Optional(text({ description: "The Hub's id of the content: a sha256 for LFS files, else a git blob sha1" })),
});
export type ManifestFile = Shape<typeof manifestFile>;

/** One quantization of a model: a group of GGUF weights that belong together. */
export const manifestGroup = object({
  selector: text({ description: 'Its selector: the part after the colon of a reference; unique in a model' }),
  files: list(relativePath(), { description: 'In order; a program loads the first' }),
  digest: sha256('Computed like that of the model, from these files only'),
});
export type ManifestGroup = Shape<typeof manifestGroup>;

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
    groups: Type.Optional(
      list(manifestGroup, { description: 'Its quantizations, best choice first; absent if there are none. Derived from the files' }),
    ),
  },
  { description: 'The expected hash of each file' },
);
export type Manifest = Shape<typeof manifest>;

/** The answer for a model that has no manifest yet. */
export const hashing = object(
  { state: Type.Literal('hashing'), retry_after_ms: count() },
  { description: 'Not hashed yet; retry after `Retry-After` seconds' },
);
