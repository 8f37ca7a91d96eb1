#!/usr/bin/env node
/**
 * The command line of llama-quantize over the libllama that node-llama-cpp ships: a real quantizer for the tests, where no llama.cpp is
 * installed. The library does the work and logs it; this file reads the arguments.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';

/** enum llama_ftype of llama.h */
const types = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q8_0: 7,
  Q5_0: 8,
  Q5_1: 9,
  Q2_K: 10,
  Q3_K_S: 11,
  Q3_K_M: 12,
  Q3_K_L: 13,
  Q4_K_S: 14,
  Q4_K_M: 15,
  Q5_K_S: 16,
  Q5_K_M: 17,
  Q6_K: 18,
  IQ2_XXS: 19,
  IQ4_NL: 25,
  IQ4_XS: 30,
  BF16: 32,
};

const flags = { '--dry-run': 'dry_run', '--allow-requantize': 'allow_requantize', '--pure': 'pure' };

function usage() {
  const list = Object.entries(types).map(([name, number]) => `  ${String(number).padStart(2)}  or  ${name.padEnd(7)} :`);
  process.stdout.write(`usage: llama-quantize [--help] [--allow-requantize] [--pure] [--imatrix] [--dry-run]
       model-f32.gguf [model-quant.gguf] type [nthreads]

 allowed quantization types
${list.join('\n')}
`);
  process.exit(1);
}

function readArguments([...words]) {
  const options = {};
  let matrix;
  for (let name = words[0]; name?.startsWith('--'); name = words[0]) {
    words.shift();
    if (name === '--imatrix') matrix = words.shift();
    else if (name in flags) options[flags[name]] = true;
    else usage();
  }
  const nthread = /^\d+$/.test(words.at(-1) ?? '') ? Number(words.pop()) : 0;
  const type = words.pop()?.toUpperCase() ?? '';
  const [input, output = ''] = words;
  if (!Object.hasOwn(types, type) || input === undefined) usage();
  return { input, output, type, matrix, params: { ...options, nthread, ftype: types[type] } };
}

/** The directory where npm installed the library for this platform; it depends on others beside it. */
function libraryPath() {
  const modules = new URL('node_modules/@node-llama-cpp/', import.meta.url);
  const platform = { darwin: 'mac', linux: 'linux', win32: 'win' }[process.platform];
  for (const name of [`${platform}-${process.arch}`, `${platform}-${process.arch}-metal`]) {
    const directory = new URL(`${name}/bins/${name}/`, modules);
    try {
      const file = readdirSync(directory).find((one) => /^(?:lib)?llama(?:\.v?[\d.]+)?\.(?:so|dylib|dll)$/.test(one));
      if (file !== undefined) return fileURLToPath(new URL(file, directory));
    } catch {
      // It may have the other name.
    }
  }
  process.stderr.write('there is no libllama for this platform\n');
  process.exit(2);
}

/** struct llama_model_quantize_params of llama.h, with space for fields of later versions. */
const Params = koffi.struct('llama_model_quantize_params', {
  nthread: 'int32',
  ftype: 'int32',
  output_tensor_type: 'int32',
  token_embedding_type: 'int32',
  allow_requantize: 'bool',
  quantize_output_tensor: 'bool',
  only_copy: 'bool',
  pure: 'bool',
  keep_split: 'bool',
  dry_run: 'bool',
  imatrix: 'void *',
  kv_overrides: 'void *',
  tt_overrides: 'void *',
  prune_layers: 'void *',
  later: koffi.array('uint8', 192, 'Array'),
});

/**
 * An importance matrix in the format of llama-imatrix before GGUF: for each tensor the name, the number of calls, and a sum for each
 * column. Prints and fails like llama-quantize.
 */
function readMatrix(path) {
  const bytes = readFileSync(path);
  const fail = (why) => {
    process.stdout.write(`load_imatrix: ${why}\n`);
    process.exit(1);
  };
  let at = 0;
  const take = (length, what) => {
    if (length < 0 || at + length > bytes.length) fail(`failed reading ${what}`);
    at += length;
    return bytes.subarray(at - length, at);
  };
  const number = (what) => take(4, what).readInt32LE();
  const count = number('data');
  if (count < 1) fail(`no data in file ${path}`);
  const entries = [];
  for (let index = 0; index < count; index += 1) {
    const name = take(number(`name for entry ${index}`), `name for entry ${index}`).toString();
    const [calls, length] = [number('number of calls'), number(`number of values for entry ${index}`)];
    const sums = take(4 * length, `data for entry ${index}`);
    entries.push({ name, values: Float32Array.from({ length }, (_, column) => sums.readFloatLE(4 * column) / Math.max(1, calls)) });
  }
  process.stdout.write(`load_imatrix: loaded ${count} importance matrix entries from ${path} computed on 0 chunks\n`);
  return entries;
}

/** struct llama_model_imatrix_data of llama.h */
const Entry = koffi.struct('llama_model_imatrix_data', { name: 'const char *', data: 'float *', size: 'size_t' });

/** The list of entries in the format of the library: the last one has no name. */
function inMemory(entries) {
  const list = koffi.alloc(Entry, entries.length + 1);
  const whole = [...entries.map(({ name, values }) => ({ name, data: values, size: values.length })), { name: null, data: null, size: 0 }];
  koffi.encode(list, koffi.array(Entry, whole.length), whole);
  return list;
}

/** The defaults of the library. Different values mean a struct with another layout. */
function defaultsOf(library) {
  const known = library.func('llama_model_quantize_default_params', Params, [])();
  const off = ['allow_requantize', 'only_copy', 'pure', 'keep_split', 'dry_run'].every((name) => known[name] === false);
  const none = ['imatrix', 'kv_overrides', 'tt_overrides', 'prune_layers'].every((name) => known[name] === null);
  if (known.nthread === 0 && known.quantize_output_tensor && off && none && known.output_tensor_type === known.token_embedding_type)
    return known;
  process.stderr.write('this libllama has other parameters than are known here\n');
  process.exit(2);
}

const { input, output, type, matrix, params } = readArguments(process.argv.slice(2));
const entries = matrix === undefined ? undefined : readMatrix(matrix);
const { version } = JSON.parse(readFileSync(new URL('node_modules/node-llama-cpp/package.json', import.meta.url), 'utf8'));
process.stderr.write(`version: node-llama-cpp ${version}\nmain: quantizing '${input}' to '${output}' as ${type}\n`);
const library = koffi.load(libraryPath());
library.func('void llama_backend_init()')();
const quantize = library.func('llama_model_quantize', 'uint32', ['str', 'str', koffi.inout(koffi.pointer(Params))]);
process.exit(quantize(input, output, { ...defaultsOf(library), ...params, ...(entries && { imatrix: inMemory(entries) }) }) === 0 ? 0 : 1);
