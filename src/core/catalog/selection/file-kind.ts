import type { SideKind } from '../../protocol/manifest.ts';
import { whyNotModelFile } from '../model-files.ts';
import { findLabel } from './label.ts';
import { splitName } from './split-name.ts';

/** The kind of a repo's file, according to its name. */
export type FileKind =
  /** Left by a tool or a system; not a file of the model. */
  | 'litter'
  /** GGUF weights, or a part of them. */
  | 'gguf'
  /** A GGUF file for a model's image or audio input (mmproj). */
  | 'projector'
  /** The input for making a quantization; no program loads it. */
  | 'imatrix'
  /** A draft model, or a head that predicts several tokens (MTP, EAGLE). */
  | 'draft'
  /** A LoRA adapter or a control vector in GGUF. */
  | 'adapter'
  /** A vocabulary without weights. */
  | 'vocabulary'
  | 'safetensors'
  /** Weights in PyTorch's formats: .bin, .pt, .pth, .ckpt. */
  | 'pytorch'
  /** Weights for another framework: ONNX, TensorFlow, Flax, Rust, TensorFlow Lite, Core ML, OpenVINO. */
  | 'other-format'
  /** The list of shards of weights in one of those formats. */
  | 'weights-index'
  /** Everything else: configuration, tokenizer, README, licence, images. */
  | 'plain';

/** A file of a listing, with its kind if its content is known. */
export interface KindFile {
  readonly path: string;
  readonly gguf_kind?: SideKind | undefined;
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** A word in a name: not directly between letters. */
const word = (pattern: string): RegExp => new RegExp(`(?<![a-z])(?:${pattern})(?![a-z])`, 'i');
const projector = /mm[-_.]?proj|multi[-_.]?modal[-_.]?proj|(?<![a-z])projector(?![a-z])/i;
const imatrix = /i[-_.]?matrix|importance[-_.]?matrix/i;
/** Weights made with a matrix often have this word too (`m-Q4_K_M-imat.gguf`), so only a name without a label is the matrix itself. */
const shortImatrix = word('imat');
const draft = word('mtp|multi[-_.]?token[-_.]?prediction|nextn|n?draft(?:er|s|[-_.]?model)?|eagle|medusa|d[-_.]?flash|speculators?');
const adapter = word('q?lora|adapters?|control[-_.]?vectors?|cvec');
const vocabulary = word('vocab(?:ulary)?');
const tokenizer = word('tokenizer');

const pytorch = /\.(?:bin|pt|pth|ckpt|pkl)$/i;
const otherFormat =
  /\.(?:onnx|onnx[._]data(?:_\d+)?|h5|msgpack|ot|tflite|pb|mlmodel|mlpackage|keras|nemo)$|\.ckpt\.(?:index|meta|data-\d+-of-\d+)$|(?:^|\/)openvino_[^/]*\.(?:bin|xml)$/i;

/** The kind of a GGUF file by its name. Its folder only counts if it consists of just the word (`MTP/x.gguf`). */
function kindOfGguf(path: string): FileKind {
  const name = baseName(path);
  const folder = path.slice(0, -name.length - 1).replace(/^.*\//, '');
  if (projector.test(name) || /^mm[-_.]?proj$/i.test(folder)) return 'projector';
  const hasLabel = (): boolean => findLabel(name) !== undefined;
  if (imatrix.test(name) || (shortImatrix.test(name) && !hasLabel())) return 'imatrix';
  if (draft.test(name) || /^(?:mtp|drafts?|eagle\d?)$/i.test(folder)) return 'draft';
  if (adapter.test(name) || /^(?:loras?|adapters?)$/i.test(folder)) return 'adapter';
  return vocabulary.test(name) || (tokenizer.test(name) && !hasLabel()) ? 'vocabulary' : 'gguf';
}

/** The kind of a single file, independent of its neighbours. */
export function kindOf(path: string): FileKind {
  if (whyNotModelFile(path) !== undefined) return 'litter';
  if (splitName(path) !== undefined) return kindOfGguf(path);
  const name = baseName(path);
  if ((imatrix.test(name) || shortImatrix.test(name)) && /\.(?:dat|gguf_file|imatrix|bin)$/i.test(name)) return 'imatrix';
  if (/\.safetensors$/i.test(name)) return 'safetensors';
  if (otherFormat.test(path)) return 'other-format';
  if (pytorch.test(name)) return 'pytorch';
  return /\.(?:safetensors|bin|pt|pth|h5|msgpack|onnx)\.index\.json$/i.test(name) ? 'weights-index' : 'plain';
}

/**
 * The kind of each file of a listing. If that leaves no GGUF weights, the word was part of the model's name (`RWKV-Eagle-7B`, a repo of
 * one adapter), and those files are its weights.
 */
export function kindsOf(paths: Iterable<string>): ReadonlyMap<string, FileKind> {
  const kinds = new Map<string, FileKind>();
  for (const path of paths) kinds.set(path, kindOf(path));
  return promoteWeights(kinds);
}

/**
 * The same for files with some known kinds, which have priority over names that look like weights. A known kind of a file with another
 * name proves that its repo has weights beside it, so that file is never the weights.
 */
export function kindsOfFiles(files: Iterable<KindFile>): ReadonlyMap<string, FileKind> {
  const kinds = new Map<string, FileKind>();
  const sides = new Set<string>();
  for (const { path, gguf_kind } of files) {
    const kind = kindOf(path);
    kinds.set(path, kind === 'gguf' ? (gguf_kind ?? kind) : kind);
    if (kind !== 'gguf' && gguf_kind !== undefined) sides.add(path);
  }
  return promoteWeights(kinds, (path) => !sides.has(path));
}

/** If no file is clearly GGUF weights, files of other kinds may be the weights. Changes its argument, and returns it. */
export function promoteWeights(kinds: Map<string, FileKind>, mayBe: (path: string) => boolean = () => true): ReadonlyMap<string, FileKind> {
  if (has(kinds, 'gguf')) return kinds;
  for (const kind of ['draft', 'adapter', 'vocabulary'] as const) if (promote(kinds, kind, mayBe)) return kinds;
  // Weights made with a matrix may have the word; the matrix itself has no label.
  promote(kinds, 'imatrix', (path) => mayBe(path) && splitName(path) !== undefined && findLabel(baseName(path)) !== undefined);
  return kinds;
}

/** Whether a model's quantizations share files of this kind: configuration, tokenizer, projector. */
export const isSharedKind = (kind: FileKind | undefined): boolean => kind === 'plain' || kind === 'projector' || kind === 'litter';

const has = (kinds: ReadonlyMap<string, FileKind>, wanted: FileKind): boolean => {
  for (const kind of kinds.values()) if (kind === wanted) return true;
  return false;
};

function promote(kinds: Map<string, FileKind>, from: FileKind, isWeights: (path: string) => boolean): boolean {
  let isAny = false;
  for (const [path, kind] of kinds) {
    if (kind !== from || !isWeights(path)) continue;
    kinds.set(path, 'gguf');
    isAny = true;
  }
  return isAny;
}
