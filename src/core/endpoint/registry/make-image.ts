import { createHash } from 'node:crypto';
import type { GgufHeader } from '../../catalog/gguf-header.ts';
import type { Group } from '../../catalog/selection/groups.ts';
import type { Sha256 } from '../../kernel/sha256.ts';
import { mediaTypes } from './media-types.ts';

/** A GGUF file as a layer. */
export interface LayerFile {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  readonly sha256: Sha256;
}

/** The parts of an image. */
export interface ImageParts {
  readonly group: Group<LayerFile>;
  readonly projector: LayerFile | undefined;
  /** The header of the group's first file. */
  readonly header: GgufHeader | undefined;
  /** The repo's own files for Ollama, which have priority over data from the GGUF file. */
  readonly own: { readonly [Name in OwnFile]?: Buffer | undefined };
}

/** The files of a repo that configure Ollama. Source: https://huggingface.co/docs/hub/ollama */
export type OwnFile = 'template' | 'system' | 'params' | 'license';

/** A part of an image, by its digest. */
interface Layer {
  readonly mediaType: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
  readonly size: number;
}

/** A quantization as a registry image. The same parts always result in the same bytes. */
export interface Image {
  readonly config: Layer;
  /** The weights first. */
  readonly layers: readonly Layer[];
  readonly isSplit: boolean;
  readonly weights: LayerFile;
  readonly projector: LayerFile | undefined;
  /** Generated parts that are not files of the model, by digest. */
  readonly made: ReadonlyMap<string, Buffer>;
}

/** The digest of bytes in a registry's format. */
export const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Makes an image. Pure. */
export function makeImage({ group, projector, header, own }: ImageParts): Image {
  const made = new Map<string, Buffer>();
  const layerOf = (mediaType: string, bytes: Buffer): Layer => {
    const digest = digestOf(bytes);
    made.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const optional = (mediaType: string, bytes: Buffer | undefined): readonly Layer[] =>
    bytes === undefined || bytes.length === 0 ? [] : [layerOf(mediaType, bytes)];
  const stop = header?.ollama?.stop ?? [];
  const params = isJsonObject(own.params) ? own.params : stop.length === 0 ? undefined : toJson({ stop });
  const template = own.template ?? (header?.ollama === undefined ? undefined : Buffer.from(header.ollama.template));
  const layers = [
    ...group.files.map((file) => ofFile(mediaTypes.model, file)),
    ...(projector === undefined ? [] : [ofFile(mediaTypes.projector, projector)]),
    ...optional(mediaTypes.template, template),
    ...optional(mediaTypes.system, own.system),
    ...optional(mediaTypes.params, params),
    ...optional(mediaTypes.license, own.license),
  ];
  const [weights] = group.files as [LayerFile];
  return {
    config: layerOf(mediaTypes.config, toJson(configOf({ group, projector, header }, layers))),
    layers,
    isSplit: group.files.length > 1,
    weights,
    projector,
    made,
  };
}

/** The manifest of an image as bytes. Older llama.cpp and node-llama-cpp read the file's name from it. Pure. */
export function manifestOf({ config, layers, weights, projector }: Image, { isForLlama }: { readonly isForLlama: boolean }): Buffer {
  const named = {
    ggufFile: nameOf(weights),
    ...(projector !== undefined && { mmprojFile: nameOf(projector) }),
  };
  return toJson({ schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers, ...(isForLlama && named) });
}

const nameOf = ({ path, size, sha256 }: LayerFile) => ({ rfilename: path, blobId: `sha256:${sha256}`, size });
const ofFile = (mediaType: string, { sha256, size }: LayerFile): Layer => ({ mediaType, digest: `sha256:${sha256}`, size });
const toJson = (value: object): Buffer => Buffer.from(JSON.stringify(value));

function configOf({ group, projector, header }: Omit<ImageParts, 'own'>, layers: readonly Layer[]): object {
  const family = header?.architecture ?? 'unknown';
  return {
    model_format: 'gguf',
    model_family: family,
    // Ollama's own images use this name for the kind of their projector.
    model_families: projector === undefined ? [family] : [family, 'clip'],
    model_type: sizeOf(header, group.files.length) ?? 'unknown',
    file_type: group.label?.text ?? header?.fileType ?? 'unknown',
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  };
}

/** Ollama's format for numbers of parameters: `1.2B`. The first shard of several only has a part of them. */
function sizeOf(header: GgufHeader | undefined, files: number): string | undefined {
  const { parameters, sizeLabel } = header ?? {};
  if (parameters === undefined || files > 1) return sizeLabel;
  for (const [unit, size] of [
    ['B', 1e9],
    ['M', 1e6],
    ['K', 1e3],
  ] as const)
    if (parameters >= size) return `${Number((parameters / size).toFixed(unit === 'M' ? 2 : 1))}${unit}`;
  return String(parameters);
}

/** Ollama refuses to run a model whose parameters are not a JSON object. */
function isJsonObject(bytes: Buffer | undefined): bytes is Buffer {
  if (bytes === undefined) return false;
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
