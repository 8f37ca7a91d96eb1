import type { FileKind } from '../selection/file-kind.ts';
import { type Finding, incomplete } from './finding.ts';
import { problemOfGguf } from './gguf-head.ts';
import { problemOfSafetensors } from './safetensors-head.ts';

/** How many first bytes of a file identify its content. */
export const headBytes = 64 * 1024;

/** A file and its first bytes. */
export interface FileHead {
  readonly path: string;
  readonly kind: FileKind;
  /** In bytes. */
  readonly size: number;
  /** The first `headBytes` bytes, or all. */
  readonly head: Uint8Array;
  /** Whether it is a later part of a file that was cut by bytes, which can start with anything. */
  readonly isLaterPart: boolean;
}

const weights: ReadonlySet<FileKind> = new Set([
  'gguf',
  'projector',
  'imatrix',
  'draft',
  'adapter',
  'vocabulary',
  'safetensors',
  'pytorch',
  'other-format',
]);
const mayBeHtml = /\.(?:html?|md|markdown|txt|svg|xml|rst)$/i;
/** A pointer has some 130 bytes. Source: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md */
const maxPointerBytes = 1024;
const pointer = /^version https:\/\/(?:git-lfs\.github\.com|hawser\.github\.com)\/spec\/v1\r?\n/;
const html = /^\uFEFF?\s*(?:<!--[\s\S]{0,2000}?-->\s*)?<(?:!doctype\s+html|html|head|body)[\s>]/i;
/** Files that are not written by hand, or for people. */
const forPrograms = /\.(?:json|model|jinja|tiktoken)$/i;

/** Whether a file of this kind and size must be read to check it. */
export const isWorthALook = ({ path, kind, size }: Pick<FileHead, 'path' | 'kind' | 'size'>): boolean =>
  weights.has(kind) || kind === 'weights-index' || size <= maxPointerBytes || forPrograms.test(path);

/** Why the first bytes of a file do not match its name; undefined if they may. Pure. */
export function problemOfHead(file: FileHead): Finding | undefined {
  const { path, kind, size, head, isLaterPart } = file;
  const isWeights = weights.has(kind);
  if (isWeights && size === 0) return incomplete('it is empty');
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, 4096)).toString('latin1');
  if (size <= maxPointerBytes && pointer.test(text))
    return incomplete('it is a Git LFS pointer, not the file itself; `git lfs pull` fetches the file');
  if (!mayBeHtml.test(path) && (isWeights || kind === 'weights-index' || forPrograms.test(path)) && html.test(text))
    return incomplete('it is a web page saved under this name');
  if (isLaterPart) return undefined;
  if (kind === 'safetensors') return problemOfSafetensors(head, size);
  return isGguf(file) ? problemOfGguf(head, size) : undefined;
}

/** Whether a file must be GGUF. An importance matrix is GGUF only in newer versions of llama.cpp. Pure. */
export const isGguf = ({ path, kind }: Pick<FileHead, 'path' | 'kind'>): boolean =>
  kind !== 'imatrix' && (/\.gguf$/i.test(path) || kind === 'gguf');
