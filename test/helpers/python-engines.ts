import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { noise, writeFiles } from './model-files.ts';
import { temporaryDirectory } from './temp-directory.ts';

const engines = {
  mlx: { program: 'mlx_lm.convert', record: 'mlx_lm-0.32.0.dist-info', script: 'mlx-lm-convert.js' },
  optiq: { program: 'optiq', record: 'mlx_optiq-0.7.7.dist-info', script: 'optiq.js' },
} as const;

/** Installs the stand-in for a Python program like its installer. @returns an absolute path */
export async function installStandIn(name: keyof typeof engines): Promise<string> {
  const { program, record, script } = engines[name];
  const environment = await temporaryDirectory();
  await mkdir(join(environment, 'bin'));
  await mkdir(join(environment, 'lib/python3.12/site-packages', record), { recursive: true });
  const path = join(environment, 'bin', program);
  const file = fileURLToPath(new URL(`../optimize/stand-ins/${script}`, import.meta.url));
  await writeFile(path, `#!/bin/sh\nexec '${process.execPath}' '${file}' "$@"\n`, { mode: 0o755 });
  return path;
}

const [layers, width, inner] = [2, 64, 128];
const vocabulary = 300;

/** A directory with a small llama of full weights (F32) as safetensors. @param more files beside it */
export async function fullSafetensors(more: Readonly<Record<string, string>> = {}): Promise<string> {
  const shapes: Record<string, readonly number[]> = {
    'model.embed_tokens.weight': [vocabulary, width],
    'model.norm.weight': [width],
    'lm_head.weight': [vocabulary, width],
  };
  for (let layer = 0; layer < layers; layer += 1) {
    const base = `model.layers.${layer}`;
    for (const part of ['input_layernorm', 'post_attention_layernorm']) shapes[`${base}.${part}.weight`] = [width];
    for (const part of ['q_proj', 'k_proj', 'v_proj', 'o_proj']) shapes[`${base}.self_attn.${part}.weight`] = [width, width];
    for (const part of ['gate_proj', 'up_proj']) shapes[`${base}.mlp.${part}.weight`] = [inner, width];
    shapes[`${base}.mlp.down_proj.weight`] = [width, inner];
  }
  const directory = await temporaryDirectory();
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: width,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: 4,
    num_key_value_heads: 4,
    vocab_size: vocabulary,
    max_position_embeddings: 256,
    rms_norm_eps: 1e-5,
    torch_dtype: 'float32',
  };
  const vocab = Object.fromEntries(Array.from({ length: vocabulary }, (_, index) => [`w${index}`, index]));
  const tokenizer = { version: '1.0', added_tokens: [], model: { type: 'WordLevel', vocab, unk_token: 'w0' } };
  await writeFiles(directory, {
    'config.json': JSON.stringify(config),
    'tokenizer.json': JSON.stringify(tokenizer),
    'tokenizer_config.json': JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast', unk_token: 'w0' }),
    'README.md': '# A model of the tests\n',
    LICENSE: 'MIT\n',
    'model.safetensors': safetensorsOf(shapes),
    ...more,
  });
  return directory;
}

function safetensorsOf(shapes: Readonly<Record<string, readonly number[]>>): Buffer {
  let end = 0;
  const parts: Buffer[] = [];
  const entries = Object.entries(shapes).map(([name, shape], seed) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const numbers = new Int16Array(new Uint8Array(noise(2 * count, seed + 1)).buffer);
    const data = Buffer.from(Float32Array.from(numbers, (value) => (shape.length === 1 ? 1 : value / 2 ** 18)).buffer);
    parts.push(data);
    end += data.length;
    return [name, { dtype: 'F32', shape, data_offsets: [end - data.length, end] }] as const;
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, ...parts]);
}
