import {
  amount,
  count,
  list,
  listOrEmpty,
  modelId,
  object,
  oneOf,
  orNull,
  relativePath,
  type Shape,
  sha256,
  text,
  textOrEmpty,
  verbatim,
} from './schema.ts';
import { Type } from './type-builder.ts';

/** The kinds of GGUF files that are not weights. */
export const sideKind = oneOf(['projector', 'imatrix', 'draft', 'adapter', 'vocabulary'], {
  description:
    'The kind of a GGUF file that is not weights, by its metadata, or by its name if its repo has weights too. Not part of the digest',
});
export type SideKind = Shape<typeof sideKind>;

/** The expected digest of one file. */
export const manifestFile = object({
  path: relativePath(),
  size: count(),
  sha256: sha256(),
  chunks: Type.Optional(list(sha256(), { description: 'The sha256 of each `chunk_size` bytes; only for a file larger than one chunk' })),
  hub_id: Type.Optional(text({ description: "The Hub's id of the content: a sha256 for LFS files, else a git blob sha1" })),
  gguf_kind: Type.Optional(sideKind),
});
export type ManifestFile = Shape<typeof manifestFile>;

/** One quantization of a model: a group of GGUF weights. */
export const manifestGroup = object({
  selector: text({ description: 'Its selector: the part after the colon of a reference; unique in a model' }),
  files: list(relativePath(), { description: 'In order; a program loads the first' }),
  digest: sha256('Computed like that of the model, from these files only'),
});
export type ManifestGroup = Shape<typeof manifestGroup>;

/** How a variant was made from another model of the store. It does not describe the content, so the digest does not include it. */
export const provenance = object({
  engine: text({ description: 'The program that made it: `llama`, `optiq` or `mlx`' }),
  engine_version: orNull(text()),
  arguments: listOrEmpty(text(), { maxItems: 50, description: 'The arguments that determine the result' }),
  source_model: modelId(),
  source_digest: sha256('The digest that the source had'),
  source_files: listOrEmpty(verbatim(), { maxItems: 1000, description: 'The files that were read, weights first; the first thousand' }),
  source_commit: orNull(text()),
  target_bpw: orNull(amount(), 'The requested bits per weight'),
  achieved_bpw: orNull(amount(), 'Those that it has'),
  seconds: amount({ default: 0 }),
  host: textOrEmpty('The machine that made it'),
});
export type Provenance = Shape<typeof provenance>;

/**
 * The complete content of a model (docs/on-disk-format.md, "manifests/"). Read by `parseManifest` in `catalog`, because no part of a
 * manifest may be dropped.
 */
export const manifest = object(
  {
    version: Type.Literal(1),
    model_id: modelId(),
    digest: sha256('The sha256 over the sorted list of (path, size, sha256); also the ETag'),
    revision: orNull(text()),
    commit: orNull(text()),
    source: text({
      default: 'add',
      description: 'Where the bytes came from: `add`, `adopted`, `hub`, `store` (another store) or `optimized`',
    }),
    created_at: textOrEmpty('ISO 8601'),
    chunk_size: count(),
    provenance: Type.Optional(provenance),
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
