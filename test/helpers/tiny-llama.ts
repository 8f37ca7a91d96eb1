import { open } from 'node:fs/promises';

/*
 * A GGUF (version 3) with a small llama of random weights, real enough for llama.cpp to load and run.
 * Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */

type Tensor = { readonly name: string; readonly shape: readonly number[] };

const valueType = { uint16: 2, uint32: 4, int32: 5, float32: 6, string: 8, array: 9 } as const;
const tokenType = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;
const alignment = 32;

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const uint16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
};
const uint64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const float32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
};
const text = (value: string): Buffer => Buffer.concat([uint64(Buffer.byteLength(value)), Buffer.from(value)]);
const entry = (key: string, type: number, value: Buffer): Buffer => Buffer.concat([text(key), uint32(type), value]);
const list = (key: string, type: number, items: readonly Buffer[]): Buffer =>
  entry(key, valueType.array, Buffer.concat([uint32(type), uint64(items.length), ...items]));
const align = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

/** The model: about 0.25 MB for one layer of width 64, about 0.5 GB for eight layers of width 1344. */
function describeTinyLlama({ layers = 1, width = 64 }: { readonly layers?: number; readonly width?: number }) {
  const tokens = [
    ...['<unk>', '<s>', '</s>'].map((token, index) => ({ token, type: index === 0 ? tokenType.unknown : tokenType.control })),
    ...Array.from({ length: 256 }, (_, byte) => ({
      token: `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
      type: tokenType.byte,
    })),
    ...['\u2581', ...Array.from('etaoinshrdlucmfwypvbgkjqxz')].map((token) => ({ token, type: tokenType.normal })),
  ];
  const [heads, headsOfKeys, inner] = [4, 2, 2 * width];
  const keyWidth = (width / heads) * headsOfKeys;
  const metadata = [
    entry('general.architecture', valueType.string, text('llama')),
    entry('general.name', valueType.string, text('tiny llama of the tests')),
    ...Object.entries({
      'llama.context_length': 256,
      'llama.embedding_length': width,
      'llama.block_count': layers,
      'llama.feed_forward_length': inner,
      'llama.vocab_size': tokens.length,
      'llama.attention.head_count': heads,
      'llama.attention.head_count_kv': headsOfKeys,
      'llama.rope.dimension_count': width / heads,
      'tokenizer.ggml.bos_token_id': 1,
      'tokenizer.ggml.eos_token_id': 2,
    }).map(([key, value]) => entry(key, valueType.uint32, uint32(value))),
    entry('llama.attention.layer_norm_rms_epsilon', valueType.float32, float32(1e-5)),
    entry('tokenizer.ggml.model', valueType.string, text('llama')),
    list(
      'tokenizer.ggml.tokens',
      valueType.string,
      tokens.map(({ token }) => text(token)),
    ),
    list(
      'tokenizer.ggml.scores',
      valueType.float32,
      tokens.map((_, index) => float32(-index)),
    ),
    list(
      'tokenizer.ggml.token_type',
      valueType.int32,
      tokens.map(({ type }) => uint32(type)),
    ),
  ];
  const tensors: Tensor[] = [
    { name: 'token_embd.weight', shape: [width, tokens.length] },
    { name: 'output_norm.weight', shape: [width] },
  ];
  for (let layer = 0; layer < layers; layer += 1) {
    const shapes = {
      attn_norm: [width],
      attn_q: [width, width],
      attn_k: [width, keyWidth],
      attn_v: [width, keyWidth],
      attn_output: [width, width],
      ffn_norm: [width],
      ffn_gate: [width, inner],
      ffn_up: [width, inner],
      ffn_down: [inner, width],
    };
    for (const [name, shape] of Object.entries(shapes)) tensors.push({ name: `blk.${layer}.${name}.weight`, shape });
  }
  return { metadata, tensors };
}

/** Writes the model. */
export async function writeTinyLlama(path: string, size: { readonly layers?: number; readonly width?: number } = {}): Promise<void> {
  const { metadata, tensors } = describeTinyLlama(size);
  await writeGguf(path, metadata, tensors);
}

/** Writes the same model as shards, each with some of the tensors, as llama-gguf-split does; the first has the metadata too. */
export async function writeTinyLlamaShards(pathOf: (no: number, of: number) => string, shards: number): Promise<void> {
  const { metadata, tensors } = describeTinyLlama({});
  const each = Math.ceil(tensors.length / shards);
  for (let no = 0; no < shards; no += 1) {
    const place = [
      entry('split.no', valueType.uint16, uint16(no)),
      entry('split.count', valueType.uint16, uint16(shards)),
      entry('split.tensors.count', valueType.int32, uint32(tensors.length)),
    ];
    await writeGguf(pathOf(no + 1, shards), [...(no === 0 ? metadata : []), ...place], tensors.slice(no * each, (no + 1) * each));
  }
}

/** The weights of a tensor depend only on its name, so that they are the same in every file. */
async function writeGguf(path: string, metadata: readonly Buffer[], tensors: readonly Tensor[]): Promise<void> {
  let offset = 0;
  const directory = tensors.map(({ name, shape }) => {
    const info = Buffer.concat([text(name), uint32(shape.length), ...shape.map(uint64), uint32(0), uint64(offset)]);
    offset += align(4 * count(shape));
    return info;
  });
  const head = Buffer.concat([Buffer.from('GGUF'), uint32(3), uint64(tensors.length), uint64(metadata.length), ...metadata, ...directory]);
  await using file = await open(path, 'w');
  await file.write(Buffer.concat([head, Buffer.alloc(align(head.length) - head.length)]));
  for (const { name, shape } of tensors) {
    let seed = [...Buffer.from(name)].reduce((sum, byte) => Math.imul(sum, 31) + byte, 12345) >>> 0;
    const weights = new Float32Array(align(4 * count(shape)) / 4);
    for (let index = 0; index < count(shape); index += 1) {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      weights[index] = shape.length === 1 ? 1 : (seed / 2 ** 32 - 0.5) / 5;
    }
    await file.write(Buffer.from(weights.buffer));
  }
}

const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
