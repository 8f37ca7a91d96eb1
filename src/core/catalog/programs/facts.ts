import { kindsOfFiles } from '../selection/file-kind.ts';
import { findGroup } from '../selection/find-group.ts';
import { type Group, isLoadable, listGroups, pickLoadable, type SizedFile } from '../selection/groups.ts';
import { pickProjectors } from '../selection/pick-projectors.ts';
import type { UsedModel } from './programs.ts';

/** What decides which programs load a model, and how. */
export interface ModelFacts {
  readonly modelId: string;
  /** The part behind the slash. */
  readonly name: string;
  /** Whether it has an organization: some programs want exactly one slash. */
  readonly hasOrg: boolean;
  /** `org/name:Q4_K_M` where there is something to choose, else the id. */
  readonly ref: string;
  readonly format: 'gguf' | 'safetensors' | 'pytorch' | 'other';
  /** Of GGUF weights: the quantization that is meant. */
  readonly gguf: GgufChoice | undefined;
  /** Whether the weights are made for MLX alone. */
  readonly isMlx: boolean;
  /** The files that are taken: of GGUF weights the quantization and its projector, else all of them. */
  readonly files: readonly SizedFile[];
  /** The largest of them. */
  readonly largest: SizedFile | undefined;
  readonly tags: readonly string[];
  /** An id of the Hub, or undefined. */
  readonly baseModel: string | undefined;
}

/** A quantization, as programs are given it. */
export interface GgufChoice {
  readonly selector: string;
  /** The path of the first shard. */
  readonly file: string;
  readonly isSplit: boolean;
  /** The selector, where llama.cpp and Ollama know it as a tag; undefined for one that is a path. */
  readonly tag: string | undefined;
  readonly mmproj: string | undefined;
}

/** Reads off its files what a model is to programs. Pure. */
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

/** Quantized by MLX, which no other program reads; by its name, as nothing else of a listing says it. */
const isForMlx = (modelId: string): boolean =>
  (/^mlx-community\//i.test(modelId) || /(?:^|[-_.])mlx(?:$|[-_.])/i.test(modelId.replace(/^.*\//, ''))) &&
  !/(?:bf16|fp16|f16|fp32|f32|float16|float32)$/i.test(modelId);
