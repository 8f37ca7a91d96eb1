/** Values of metadata that tests need: texts, 32-bit counts, and lists of texts. */
export type GgufValue = string | number | readonly string[];

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([length, bytes]);
};
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
};

/**
 * The head of a GGUF file (version 3) without tensors. `claims` overrides the true counts. Source:
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export function ggufBytes(
  metadata: Readonly<Record<string, GgufValue>>,
  claims: { readonly keys?: bigint; readonly tensors?: bigint } = {},
): Buffer {
  const entries = Object.entries(metadata).map(([key, value]) => {
    if (typeof value === 'string') return Buffer.concat([text(key), u32(8), text(value)]);
    if (typeof value === 'number') return Buffer.concat([text(key), u32(4), u32(value)]);
    return Buffer.concat([text(key), u32(9), u32(8), u64(BigInt(value.length)), ...value.map(text)]);
  });
  return Buffer.concat([Buffer.from('GGUF'), u32(3), u64(claims.tensors ?? 0n), u64(claims.keys ?? BigInt(entries.length)), ...entries]);
}

/** A list that claims to have so many texts. */
export const hugeList = (key: string, count: bigint): Buffer => Buffer.concat([text(key), u32(9), u32(8), u64(count)]);
