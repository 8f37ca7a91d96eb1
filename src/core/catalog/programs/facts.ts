import { kindsOfFiles } from '../selection/file-kind.ts';
import { findGroup } from '../selection/find-group.ts';
import { type Group, isLoadable, listGroups, pickLoadable, type SizedFile } from '../selection/groups.ts';
import { pickProjectors } from '../selection/pick-projectors.ts';
import type { UsedModel } from './programs.ts';

/** The facts that decide which programs load a model, and how. */
export interface ModelFacts {
  readonly modelId: string;
  /** The part after the slash. */
  readonly name: string;
  /** Whether it has an organization: some programs require exactly one slash. */
  readonly hasOrg: boolean;
  /** `org/name:Q4_K_M` if there is a choice, else the id. */
  readonly ref: string;
  readonly format: 'gguf' | 'safetensors' | 'pytorch' | 'other';
  /** The selected quantization of GGUF weights. */
  readonly gguf: GgufChoice | undefined;
  /** Whether the weights are only for MLX. */
  readonly isMlx: boolean;
  /** The used files: for GGUF weights the quantization and its projector, else all of them. */
  readonly files: readonly SizedFile[];
  /** The largest of them. */
  readonly largest: SizedFile | undefined;
  readonly tags: readonly string[];
  /** An id on the Hub, or undefined. */
  readonly baseModel: string | undefined;
}

/** A quantization, as passed to programs. */
export interface GgufChoice {
  readonly selector: string;
  /** The path of the first shard. */
  readonly file: string;
  readonly isSplit: boolean;
  /** The selector, if llama.cpp and Ollama accept it as a tag; undefined for a path. */
  readonly tag: string | undefined;
  readonly mmproj: string | undefined;
}

/** Derives the facts for programs from a model's files. Pure. */
export function readFacts({ modelId, selector, files, tags = [], baseModel }: UsedModel): ModelFacts {
  const listing = files.map((file) => ({ ...file, size: file.size ?? 0 }));
  const kinds = kindsOfFiles(files);
  const ofKind = (kind: string): readonly SizedFile[] => listing.filter(({ path }) => kinds.get(path) === kind);
  const groups = listGroups(listing, kinds);
  const named = selector === undefined ? undefined : findGroup(listing, selector, groups);
  const group = named?.state === 'found' ? named.group : pickLoadable(groups);
  const format =
    group !== undefined ? 'gguf' : ofKind('safetensors').length > 0 ? 'safetensors' : ofKind('pytorch').length > 0 ? 'pytorch' : 'other';
  const projectors = group === undefined ? [] : pickProjectors(ofKind('projector'), { wanted: undefined, group });
  const taken = group === undefined ? listing : [...group.files, ...projectors];
  const slash = modelId.indexOf('/');
  return {
    modelId,
    name: modelId.slice(slash + 1),
    hasOrg: slash !== -1,
    ref: group === undefined ? modelId : `${modelId}:${group.selector}`,
    format,
    gguf: group && chosen(group, projectors[0]?.path),
    isMlx: format === 'safetensors' && isForMlx(modelId),
    files: taken,
    largest: taken.toSorted((a, b) => b.size - a.size)[0],
    tags,
    baseModel: typeof baseModel === 'string' && /^\w[\w.-]{0,95}\/\w[\w.-]{0,95}$/.test(baseModel) ? baseModel : undefined,
  };
}

const chosen = ({ selector, label, ggufFile, files, cut }: Group, mmproj: string | undefined): GgufChoice => ({
  selector,
  file: ggufFile,
  isSplit: files.length > 1 || !isLoadable({ cut }),
  tag: label !== undefined && /^[\w.-]{1,80}$/.test(selector) && !/\.gguf$/i.test(selector) ? selector : undefined,
  mmproj,
});

/** Quantized by MLX, which no other program reads. Only the name shows it. */
const isForMlx = (modelId: string): boolean =>
  (/^mlx-community\//i.test(modelId) || /(?:^|[-_.])mlx(?:$|[-_.])/i.test(modelId.replace(/^.*\//, ''))) &&
  !/(?:bf16|fp16|f16|fp32|f32|float16|float32)$/i.test(modelId);
