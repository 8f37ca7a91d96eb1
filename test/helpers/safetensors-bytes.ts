/** A safetensors file with zeros: tensors of bytes by name, each with so many. Source: https://github.com/huggingface/safetensors#format */
export function safetensorsBytes(tensors: Readonly<Record<string, number>>): Buffer {
  let end = 0;
  const entries = Object.entries(tensors).map(([name, bytes]) => {
    const start = end;
    end += bytes;
    return [name, { dtype: 'U8', shape: [bytes], data_offsets: [start, end] }] as const;
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(end)]);
}
