/*
 * An importance matrix in the first format of llama-imatrix: the number of entries; of each the length of its name, the name, the number of
 * calls, the number of values, and the values. Source: https://github.com/ggml-org/llama.cpp/blob/master/tools/quantize/quantize.cpp
 */

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
};

/** A matrix for `writeTinyLlama` with one layer of a width, in which every seventh column is most important. */
export function imatrixOfTinyLlama(width: number): Buffer {
  const names = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'];
  const tensors = [
    { name: 'token_embd.weight', columns: width },
    ...names.map((name) => ({ name: `blk.0.${name}.weight`, columns: name === 'ffn_down' ? 2 * width : width })),
  ];
  const entries = tensors.flatMap(({ name, columns }) => [
    int32(name.length),
    Buffer.from(name),
    int32(1),
    int32(columns),
    Buffer.from(Float32Array.from({ length: columns }, (_, column) => 1 + (column % 7)).buffer),
  ]);
  return Buffer.concat([int32(tensors.length), ...entries]);
}
