import type { FileHandle } from 'node:fs/promises';
import { type Finding, incomplete } from './finding.ts';

/** The maximum number of bytes to read: vocabularies of 300,000 words have some 10 MB. */
const maxHeadBytes = 128 * 1024 * 1024;
/** Few enough words for one turn of the event loop. */
const windowBytes = 256 * 1024;
const maxTensors = 1_000_000;
const maxDimensions = 8;
/** The size of a metadata value by its type; 8 is a string, 9 a list. */
const valueBytes: readonly (number | undefined)[] = [1, 1, 2, 2, 4, 4, 4, 1, undefined, undefined, 8, 8, 8];
const [stringType, listType, uint32Type] = [8, 9, 4];
const defaultAlignment = 32;

/** The elements of a block, and its bytes, by the type's number in `enum ggml_type`. Source: ggml-common.h of llama.cpp. */
const blocks: ReadonlyMap<number, readonly [elements: number, bytes: number]> = new Map([
  [0, [1, 4]], // F32
  [1, [1, 2]], // F16
  [2, [32, 18]], // Q4_0
  [3, [32, 20]], // Q4_1
  [6, [32, 22]], // Q5_0
  [7, [32, 24]], // Q5_1
  [8, [32, 34]], // Q8_0
  [9, [32, 36]], // Q8_1
  [10, [256, 84]], // Q2_K
  [11, [256, 110]], // Q3_K
  [12, [256, 144]], // Q4_K
  [13, [256, 176]], // Q5_K
  [14, [256, 210]], // Q6_K
  [15, [256, 292]], // Q8_K
  [16, [256, 66]], // IQ2_XXS
  [17, [256, 74]], // IQ2_XS
  [18, [256, 98]], // IQ3_XXS
  [19, [256, 50]], // IQ1_S
  [20, [32, 18]], // IQ4_NL
  [21, [256, 110]], // IQ3_S
  [22, [256, 82]], // IQ2_S
  [23, [256, 136]], // IQ4_XS
  [24, [1, 1]], // I8
  [25, [1, 2]], // I16
  [26, [1, 4]], // I32
  [27, [1, 8]], // I64
  [28, [1, 8]], // F64
  [29, [256, 56]], // IQ1_M
  [30, [1, 2]], // BF16
  [34, [256, 54]], // TQ1_0
  [35, [256, 66]], // TQ2_0
  [39, [32, 17]], // MXFP4
]);

/** Ends a walk without a result: the file has an unknown kind of damage, or is too large to check. */
class Unknown extends Error {}
/** Ends a walk that leads beyond the end of the file. */
class BeyondEnd extends Error {}

/**
 * Checks that a GGUF file has all bytes of its tensors. Reads its header, which lists them, in pieces. There is no finding for an
 * unreadable header, or for unknown types of tensors.
 * @param size of the whole file, in bytes
 */
export async function problemOfTensors(
  file: Pick<FileHandle, 'read'>,
  { size, signal }: { readonly size: number; readonly signal: AbortSignal },
): Promise<Finding | undefined> {
  try {
    const end = await findEnd(createReader(file, { size, signal }));
    return end > size ? incomplete(`it is truncated: it has ${size} bytes, but its tensors end at ${end}`) : undefined;
  } catch (error) {
    if (error instanceof Unknown) return undefined;
    if (error instanceof BeyondEnd) return incomplete(`it is truncated: its metadata is longer than its ${size} bytes`);
    throw error;
  }
}

/** The end of the last tensor of a known type, in bytes. */
async function findEnd(reader: Reader): Promise<number> {
  if ((await reader.uint32()) !== 0x46554747) throw new Unknown();
  const version = await reader.uint32();
  // Version 1 has shorter counts; in a big-endian file the version is huge.
  if (version < 2 || version > 100) throw new Unknown();
  const [tensors, keys] = [await reader.count(), await reader.count()];
  if (tensors > maxTensors) throw new Unknown();
  const alignment = await readAlignment(reader, keys);
  let last = 0;
  for (let index = 0; index < tensors; index += 1) {
    reader.skip(await reader.count());
    const dimensions = await reader.uint32();
    if (dimensions > maxDimensions) throw new Unknown();
    let elements = 1;
    for (let one = 0; one < dimensions; one += 1) elements *= await reader.count();
    const [perBlock, bytes] = blocks.get(await reader.uint32()) ?? [1, 0];
    last = Math.max(last, (await reader.count()) + Math.ceil(elements / perBlock) * bytes);
  }
  if (tensors === 0) return 0;
  return Math.ceil(reader.at() / alignment) * alignment + last;
}

/** Walks through the metadata. @returns the alignment of tensors, in bytes */
async function readAlignment(reader: Reader, keys: number): Promise<number> {
  let alignment = defaultAlignment;
  for (let index = 0; index < keys; index += 1) {
    const key = await reader.text(await reader.count());
    const type = await reader.uint32();
    if (key === 'general.alignment' && type === uint32Type) alignment = await reader.uint32();
    else await skipValue(reader, type);
  }
  if (alignment === 0 || alignment > 1024 * 1024) throw new Unknown();
  return alignment;
}

async function skipValue(reader: Reader, type: number): Promise<void> {
  if (type === stringType) reader.skip(await reader.count());
  else if (type === listType) {
    const of = await reader.uint32();
    const count = await reader.count();
    const each = valueBytes[of];
    if (each !== undefined) reader.skip(each * count);
    else if (of === stringType) await reader.skipTexts(count);
    else throw new Unknown();
  } else {
    const each = valueBytes[type];
    if (each === undefined) throw new Unknown();
    reader.skip(each);
  }
}

/** Reads a file from its beginning, in windows; numbers are little-endian. Throws BeyondEnd for bytes beyond its end. */
interface Reader {
  uint32(): Promise<number>;
  /** An unsigned number of 64 bits, as far as a JavaScript number can hold it. */
  count(): Promise<number>;
  /** A text of this many bytes. A long one is skipped, and returned as an empty text. */
  text(bytes: number): Promise<string>;
  skip(bytes: number): void;
  /** Skips this many texts, each with its length before it. */
  skipTexts(count: number): Promise<void>;
  /** The current position. */
  at(): number;
}

const longestText = 256;

function createReader(file: Pick<FileHandle, 'read'>, { size, signal }: { readonly size: number; readonly signal: AbortSignal }): Reader {
  const window = Buffer.allocUnsafe(Math.min(size, windowBytes));
  let [begin, filled, at, read] = [0, 0, 0, 0];
  const has = (bytes: number): boolean => at >= begin && at + bytes <= begin + filled;
  const fill = async (bytes: number): Promise<void> => {
    if (signal.aborted) throw signal.reason;
    if (at + bytes > size) throw new BeyondEnd();
    if (read > maxHeadBytes) throw new Unknown();
    [begin, filled] = [at, 0];
    while (filled < window.length) {
      const { bytesRead } = await file.read(window, filled, window.length - filled, begin + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    read += filled;
    if (filled < bytes) throw new Unknown();
  };
  /** The position of the next bytes in the window. */
  const take = (bytes: number): number => {
    at += bytes;
    return at - bytes - begin;
  };
  const toCount = (place: number): number => {
    const value = window.readUInt32LE(place) + window.readUInt32LE(place + 4) * 2 ** 32;
    if (value > Number.MAX_SAFE_INTEGER) throw new Unknown();
    return value;
  };
  return {
    uint32: async () => {
      if (!has(4)) await fill(4);
      return window.readUInt32LE(take(4));
    },
    count: async () => {
      if (!has(8)) await fill(8);
      return toCount(take(8));
    },
    text: async (bytes) => {
      if (bytes > longestText) {
        at += bytes;
        return '';
      }
      if (!has(bytes)) await fill(bytes);
      const place = take(bytes);
      return window.toString('latin1', place, place + bytes);
    },
    skip: (bytes) => {
      at += bytes;
    },
    skipTexts: async (count) => {
      // Without a promise for each of them, because there are hundreds of thousands.
      for (let index = 0; index < count; index += 1) {
        if (!has(8)) await fill(8);
        const length = toCount(take(8));
        at += length;
      }
    },
    at: () => at,
  };
}
