import { constants, open } from 'node:fs/promises';
import { mapConcurrently, maxOpenFiles } from '../../kernel/flow/concurrency.ts';
import type { SideKind } from '../../protocol/manifest.ts';
import { type KindFile, kindOf } from '../selection/file-kind.ts';
import { headBytes } from './problem-of-head.ts';

/** Source: https://github.com/ggml-org/llama.cpp/blob/master/gguf-py/gguf/constants.py, `GGUFType`. */
const kindOfType: Readonly<Record<string, SideKind>> = {
  mmproj: 'projector',
  imatrix: 'imatrix',
  adapter: 'adapter',
  vocab: 'vocabulary',
};
const kindOfArchitecture: Readonly<Record<string, SideKind>> = {
  clip: 'projector',
  controlvector: 'adapter',
  eagle: 'draft',
  eagle3: 'draft',
  medusa: 'draft',
};

const fixedBytes = 24;
const stringType = 8;
/** The size of a value by its type. A list ends the search, because the wanted fields come before the vocabulary. */
const sizes: readonly (number | undefined)[] = [1, 1, 2, 2, 4, 4, 4, 1, undefined, undefined, 8, 8, 8];

/**
 * The kind of a GGUF file that is not weights, from `general.type` and `general.architecture` in its first bytes; undefined for weights,
 * and for other files. Pure. Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export function sideKindOfHead(head: Uint8Array): SideKind | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.length);
  if (bytes.length < fixedBytes || bytes.toString('latin1', 0, 4) !== 'GGUF') return undefined;
  const version = bytes.readUInt32LE(4);
  if (version < 2 || version > 99) return undefined;
  const texts = readTexts(bytes, ['general.type', 'general.architecture']);
  const [type = '', architecture = ''] = [texts.get('general.type'), texts.get('general.architecture')];
  if (Object.hasOwn(kindOfType, type)) return kindOfType[type];
  return Object.hasOwn(kindOfArchitecture, architecture) ? kindOfArchitecture[architecture] : undefined;
}

/** The texts with some names, if they come before the first list and in the given bytes. */
function readTexts(bytes: Buffer, names: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let at = fixedBytes;
  /** Undefined if the bytes end before the text does. */
  const readText = (): string | undefined => {
    if (at + 8 > bytes.length) return undefined;
    const length = bytes.readBigUInt64LE(at);
    if (length > BigInt(bytes.length - at - 8)) return undefined;
    at += 8 + Number(length);
    return bytes.toString('utf8', at - Number(length), at);
  };
  while (found.size < names.length) {
    const name = readText();
    if (name === undefined || at + 4 > bytes.length) break;
    const type = bytes.readUInt32LE(at);
    at += 4;
    const text = type === stringType ? readText() : undefined;
    const size = sizes[type];
    if (type === stringType ? text === undefined : size === undefined) break;
    if (text === undefined) at += size ?? 0;
    else if (names.includes(name)) found.set(name, text);
  }
  return found;
}

/**
 * Adds the real kind to files of a model whose names look like GGUF weights. Ignores unreadable files.
 * @param absoluteOf the path of a file on the disk
 */
export async function withGgufKinds<F extends KindFile>(files: readonly F[], absoluteOf: (path: string) => string): Promise<readonly F[]> {
  // Most models have none, and some of those have very many files.
  if (!files.some(({ path }) => /\.gguf$/i.test(path))) return files;
  return mapConcurrently(files, maxOpenFiles, async (file) => {
    if (file.gguf_kind !== undefined || kindOf(file.path) !== 'gguf') return file;
    const kind = await sideKindOf(absoluteOf(file.path));
    return kind === undefined ? file : { ...file, gguf_kind: kind };
  });
}

async function sideKindOf(path: string): Promise<SideKind | undefined> {
  try {
    // Do not follow a link, which may lead anywhere, and do not wait for a pipe.
    const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    try {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(headBytes), 0, headBytes, 0);
      return sideKindOfHead(buffer.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}
