import { type Finding, incomplete, unrecognized } from './finding.ts';

/** The magic numbers of llama.cpp's formats before GGUF, as they appear in a file. */
const olderMagics: ReadonlySet<string> = new Set(['lmgg', 'fmgg', 'tjgg', 'algg']);
/** Magic, version, and two counts. */
const fixedBytes = 24;
/** Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; a key has at most 65,535 bytes. */
const maxKeyBytes = 65_535;
/** More than any model has. */
const maxCount = 10_000_000n;
/** The size of a value by its type; 8 is a string, 9 a list. */
const sizes: readonly (number | undefined)[] = [1, 1, 2, 2, 4, 4, 4, 1, undefined, undefined, 8, 8, 8];
const stringType = 8;
const listType = 9;

/**
 * Why a file is not a GGUF file, according to its magic number, version and counts, and to the metadata in the given bytes. Pure.
 * @param size of the whole file, in bytes
 */
export function problemOfGguf(head: Uint8Array, size: number): Finding | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.length);
  const magic = bytes.toString('latin1', 0, 4);
  if (olderMagics.has(magic)) return incomplete('it is in the GGML format, which is older than GGUF; convert the model again');
  if (magic !== 'GGUF') return unrecognized('it does not begin with "GGUF", so it is not a GGUF file');
  if (size < fixedBytes) return unrecognized(`it is truncated after ${size} bytes`);
  const [little, big] = [bytes.readUInt32LE(4), bytes.readUInt32BE(4)];
  // Version 1 had shorter counts. A big-endian file is not checked.
  if (little === 1 || (big > 1 && big < 100)) return undefined;
  if (little === 0 || little >= 100) return unrecognized(`its GGUF version is ${little}, which does not exist`);
  const [tensors, keys] = [bytes.readBigUInt64LE(8), bytes.readBigUInt64LE(16)];
  if (tensors > maxCount || keys > maxCount)
    return unrecognized('it is damaged: its numbers of tensors and metadata entries are impossible');
  return problemOfMetadata(bytes, Number(keys), size);
}

/** Walks through the metadata. Stops without a finding if the given bytes end before the file does. */
function problemOfMetadata(bytes: Buffer, keys: number, size: number): Finding | undefined {
  const atEnd = bytes.length < size ? undefined : cutOff(size);
  let at = fixedBytes;
  const has = (count: number): boolean => at + count <= bytes.length;
  const take = (count: number): number => {
    at += count;
    return at - count;
  };
  const readLength = (): number => Number(bytes.readBigUInt64LE(take(8)));
  for (let key = 0; key < keys; key += 1) {
    const damaged = incomplete(`it is damaged: its metadata cannot be read after byte ${at}`);
    if (!has(8)) return atEnd;
    const length = readLength();
    if (length === 0 || length > maxKeyBytes) return damaged;
    if (!has(length + 4)) return atEnd;
    const type = bytes.readUInt32LE(take(length + 4) + length);
    if (type === stringType) {
      if (!has(8)) return atEnd;
      take(readLength());
    } else if (type === listType) {
      if (!has(12)) return atEnd;
      const each = sizes[bytes.readUInt32LE(take(4))];
      const count = readLength();
      if (count > size) return damaged;
      // Lists of texts are vocabularies, which end after the available bytes.
      if (each === undefined) return undefined;
      take(each * count);
    } else {
      const each = sizes[type];
      if (each === undefined) return damaged;
      take(each);
    }
    if (at > size) return cutOff(size);
  }
  return undefined;
}

const cutOff = (size: number): Finding => incomplete(`it is truncated: its metadata is longer than its ${size} bytes`);
