import { count, list, object, text } from './schema.ts';
import { Type } from './type-builder.ts';

/** A part of a registry's image. */
const layer = object({
  mediaType: text(),
  digest: text({ description: '`sha256:` and 64 hexadecimal digits' }),
  size: count({ description: 'In bytes' }),
});

/** A file of a model, in the format for llama.cpp. */
const namedFile = object({ rfilename: text(), blobId: text({ description: 'The digest of its layer' }), size: count() });

/** The manifest of a tag in a registry. Source: Docker's "Image Manifest V 2, Schema 2". */
export const registryManifest = object(
  {
    schemaVersion: Type.Literal(2),
    mediaType: text(),
    config: layer,
    layers: list(layer),
    ggufFile: Type.Optional(namedFile),
    mmprojFile: Type.Optional(namedFile),
  },
  { description: 'The manifest; `ggufFile` and `mmprojFile` only if the User-Agent contains `llama-cpp`' },
);

/** The confirmation that this is a registry. */
export const registryRoot = object({}, { description: 'Empty' });

/** A registry's format of every error answer. Source: OCI Distribution, "Error Codes". */
export const registryErrors = object(
  { errors: list(object({ code: text(), message: text() })) },
  { description: 'The error: a code of the registry protocol, and a sentence' },
);
