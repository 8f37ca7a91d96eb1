/**
 * What the stand-ins for mlx_lm.convert and optiq share: safetensors, and the affine quantization of MLX (groups of 64 weights with a
 * scale and an offset of 16 bits each). Sizes and shapes are those of MLX. Widths of 3, 5 and 6 bits are packed in another way.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const groupSize = 64;

/** The F32 tensors of a file: name, shape, values. */
export function readTensors(path) {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length));
  return Object.entries(header).map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [from, to],
      },
    ]) => {
      if (dtype !== 'F32') throw new Error(`the stand-in reads F32 only, and ${name} is ${dtype}`);
      const copy = bytes.subarray(8 + length + from, 8 + length + to);
      return { name, shape, values: new Float32Array(new Uint8Array(copy).buffer) };
    },
  );
}

/** Writes tensors of bytes as one file. */
export function writeTensors(path, tensors) {
  let end = 0;
  const entries = tensors.map(({ name, dtype, shape, data }) => {
    const from = end;
    end += data.length;
    return [name, { dtype, shape, data_offsets: [from, end] }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(path, Buffer.concat([length, header, ...tensors.map(({ data }) => data)]));
}

/** Numbers of 16 bits: the upper half of those of 32. */
function half(values) {
  const words = new Uint16Array(new Float32Array(values).buffer);
  return Buffer.from(new Uint16Array(values.length).map((_, index) => words[2 * index + 1]).buffer);
}

/** Whether a tensor is quantized; norms are not. */
export const isQuantized = ({ shape }) => shape.length === 2 && shape[1] % groupSize === 0;

/** A tensor as MLX stores it with so many bits: packed numbers, scales and offsets. */
export function quantize({ name, shape: [rows, columns], values }, bits) {
  const levels = 2 ** bits - 1;
  const packed = new Uint32Array((rows * columns * bits) / 32);
  const [scales, biases] = [[], []];
  for (let group = 0; group < values.length / groupSize; group += 1) {
    const part = values.subarray(group * groupSize, (group + 1) * groupSize);
    const least = Math.min(...part);
    const scale = (Math.max(...part) - least) / levels || 1;
    scales.push(scale);
    biases.push(least);
    part.forEach((value, index) => {
      const at = (group * groupSize + index) * bits;
      packed[Math.floor(at / 32)] |= (Math.round((value - least) / scale) & levels) << (at % 32);
    });
  }
  const base = name.replace(/\.weight$/, '');
  const groups = [rows, columns / groupSize];
  return [
    { name, dtype: 'U32', shape: [rows, (columns * bits) / 32], data: Buffer.from(packed.buffer) },
    { name: `${base}.scales`, dtype: 'BF16', shape: groups, data: half(scales) },
    { name: `${base}.biases`, dtype: 'BF16', shape: groups, data: half(biases) },
  ];
}

/** An unquantized tensor, with 16 bits. */
export const keep = ({ name, shape, values }) => ({ name, dtype: 'BF16', shape, data: half(values) });

/** Writes a model of MLX like its programs. @returns bits per weight */
export function writeModel(directory, tensors, bitsOf, config) {
  const stored = tensors.flatMap((tensor) => (isQuantized(tensor) ? quantize(tensor, bitsOf(tensor)) : [keep(tensor)]));
  writeTensors(join(directory, 'model.safetensors'), stored);
  const weight_map = Object.fromEntries(stored.map(({ name }) => [name, 'model.safetensors']));
  const total_size = stored.reduce((sum, { data }) => sum + data.length, 0);
  writeFileSync(join(directory, 'model.safetensors.index.json'), JSON.stringify({ metadata: { total_size }, weight_map }));
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config, undefined, 4));
  return (total_size * 8) / tensors.reduce((sum, { values }) => sum + values.length, 0);
}

/** Prints like Python: output to a pipe is buffered until the end, unless PYTHONUNBUFFERED is set. */
export function createPrint() {
  const waiting = [];
  const isDirect = (process.env['PYTHONUNBUFFERED'] ?? '') !== '';
  process.on('exit', () => waiting.length > 0 && process.stdout.write(waiting.join('')));
  return (line) => (isDirect ? process.stdout.write(`${line}\n`) : waiting.push(`${line}\n`));
}

/** Ends like a Python program with an uncaught exception. */
export function raise(error) {
  process.stderr.write(`Traceback (most recent call last):\n  File "<stand-in>", line 1, in <module>\n${error}\n`);
  process.exit(1);
}

/** Ends like argparse. */
export function usage(program, error) {
  process.stderr.write(`usage: ${program} [-h] ...\n${program}: error: ${error}\n`);
  process.exit(2);
}

/** Options by name, each at most once. @param known the check of each value; undefined for a flag */
export function readOptions(program, words, known) {
  const options = {};
  for (let at = 0; at < words.length; at += 1) {
    const name = words[at];
    if (!Object.hasOwn(known, name)) usage(program, `unrecognized arguments: ${name}`);
    if (name in options) usage(program, `${name} was given twice`);
    const check = known[name];
    const value = check === undefined ? true : words[++at];
    if (value === undefined) usage(program, `argument ${name}: expected one argument`);
    if (check !== undefined && !check.test(value)) usage(program, `argument ${name}: invalid value: '${value}'`);
    options[name] = value;
  }
  return options;
}

/** The environment of every Python program that skulk starts: no token, no access to the Hub, and its own directories. */
export function requireSandbox() {
  const { env } = process;
  for (const name of ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN', 'SKULK_TOKEN'])
    if (env[name] !== undefined) raise(`RuntimeError: it sees ${name}`);
  for (const name of ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'])
    if (env[name] !== '1') raise(`OSError: We couldn't connect to 'https://huggingface.co' (${name} is not set)`);
  for (const name of ['HF_HOME', 'TMPDIR'])
    if (!env[name]?.startsWith(process.cwd())) raise(`RuntimeError: ${name} is not below the work directory`);
}
