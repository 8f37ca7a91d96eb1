#!/usr/bin/env node
/**
 * A stand-in for `mlx_lm.convert` of mlx-lm 0.32, which the machines of the tests do not have: its command line, output, exit statuses
 * and traps (docs/optimize.md). Files of the model: `trap` says which trap it is to be; `gate` names a file, and it stands still with half
 * of its result while that is there; `log` names a file that gets a line for each run.
 */
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPrint, raise, readOptions, readTensors, requireSandbox, usage, writeModel } from './weights.js';

const program = 'mlx_lm.convert';
const {
  '--hf-path': source,
  '--mlx-path': out,
  '-q': isQuantizing,
  '--q-bits': width = '4',
  '--quant-predicate': mixture,
} = readOptions(program, process.argv.slice(2), {
  '--hf-path': /^\//,
  '--mlx-path': /^\//,
  '-q': undefined,
  '--q-bits': /^[234568]$/,
  '--q-group-size': /^64$/,
  '--quant-predicate': /^mixed_(?:2_6|3_4|3_6|4_6)$/,
});
if (source === undefined || out === undefined || isQuantizing !== true) usage(program, 'the following arguments are required: --hf-path');
requireSandbox();
const read = (name) => (existsSync(join(source, name)) ? readFileSync(join(source, name), 'utf8').trim() : '');
const [trap, gate, log] = ['trap', 'gate', 'log'].map(read);
const print = createPrint();
print('[INFO] Loading');
// It checks the directory of the result only after it has loaded the model.
if (existsSync(out))
  raise(
    `ValueError: Cannot save to the path ${out} as it already exists. Please delete the file/directory or specify a new path to save to.`,
  );
const config = JSON.parse(readFileSync(join(source, 'config.json'), 'utf8'));
if (config.model_type !== 'llama') raise(`ValueError: Model type ${config.model_type} not supported.`);
const tensors = readTensors(join(source, 'model.safetensors'));
process.stderr.write('Fetching 4 files:  50%|█████     | 2/4\rFetching 4 files: 100%|██████████| 4/4\n');
print(mixture === undefined ? '[INFO] Quantizing' : `[INFO] Using predicate ${mixture}`);
if (trap === 'out of memory')
  raise('RuntimeError: [metal::malloc] Attempting to allocate 99 bytes which is greater than the maximum. Insufficient Memory');
const [low, high] = mixture === undefined ? [Number(width), Number(width)] : mixture.slice('mixed_'.length).split('_').map(Number);
mkdirSync(out);
if (log !== '') appendFileSync(log, `run ${process.pid}\n`);
while (gate !== '' && existsSync(gate)) await sleep(20);
const quantization = { group_size: 64, bits: low, mode: 'affine' };
const bits = writeModel(out, tensors, ({ name }) => (/v_proj|down_proj/.test(name) ? high : low), {
  ...config,
  quantization,
  quantization_config: quantization,
});
print(`[INFO] Quantized model with ${bits.toFixed(3)} bits per weight.`);
for (const name of ['tokenizer.json', 'tokenizer_config.json']) copyFileSync(join(source, name), join(out, name));
// After a GPU timeout a shard may be empty, and the status is still 0 (mlx-lm issue 1633).
if (trap === 'empty shard') writeFileSync(join(out, 'model.safetensors'), '');
