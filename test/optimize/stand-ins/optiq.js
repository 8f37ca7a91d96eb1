#!/usr/bin/env node
/**
 * A stand-in for `optiq convert` of mlx-optiq 0.7, which runs on Apple silicon only: its command line, output, directories, checkpoint,
 * exit statuses and traps (docs/optimize.md). Files of the model: `trap` says which trap it is to be; `gate` names a file, and it stands
 * still after the first layer while that is there; `log` names a file that gets what was measured.
 */
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPrint, isQuantized, raise, readOptions, readTensors, requireSandbox, usage, writeModel } from './weights.js';

const [command, source = '', ...words] = process.argv.slice(2);
if (command !== 'convert') usage('optiq', `argument command: invalid choice: '${command}'`);
const {
  '--output': out,
  '--target-bpw': target = '4.5',
  '--candidate-bits': candidates = '4,8',
} = readOptions('optiq convert', words, {
  '--output': /^\//,
  '--target-bpw': /^\d+(?:\.\d+)?$/,
  '--candidate-bits': /^[2-8](?:,[2-8])*$/,
});
if (out === undefined) usage('optiq convert', 'the following arguments are required: --output');
requireSandbox();
if (!existsSync(join(source, 'config.json'))) raise(`OSError: ${source} is not a local folder and is not a valid model identifier`);
const read = (name) => (existsSync(join(source, name)) ? readFileSync(join(source, name), 'utf8').trim() : '');
const [trap, gate, log] = ['trap', 'gate', 'log'].map(read);
const note = (line) => log !== '' && appendFileSync(log, `${line}\n`);
const print = createPrint();
const result = join(out, 'optiq_mixed');
if (existsSync(result)) raise(`FileExistsError: [Errno 17] File exists: '${result}'`);
note(`run ${process.pid}`);

print('[1/6] Loading reference model');
const config = JSON.parse(read('config.json'));
// Without --keep-unused-modalities it drops everything except text.
const tensors = readTensors(join(source, 'model.safetensors')).filter(({ name }) => !name.startsWith('vision_tower.'));
const layers = tensors.filter(isQuantized);
const [low, high] = [Math.min, Math.max].map((pick) => pick(...candidates.split(',').map(Number)));
const quantizationWith = (more) => ({ group_size: 64, bits: low, mode: 'affine', ...more });

print('[2/6] Building uniform 4-bit baseline');
const baseline = join(out, 'uniform_4bit');
if (existsSync(join(baseline, 'config.json'))) print('  reusing existing baseline');
else {
  mkdirSync(baseline, { recursive: true });
  note('baseline');
  writeModel(baseline, tensors, () => 4, { ...config, quantization: quantizationWith({}) });
}

print('[3/6] Measuring per-layer sensitivity');
const checkpoint = join(out, 'sensitivity_checkpoint.json');
const measured = existsSync(checkpoint) ? JSON.parse(readFileSync(checkpoint, 'utf8')) : {};
for (const { name, values } of layers) {
  if (name in measured) continue;
  // The variance of the weights decides the loss of a layer.
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  measured[name] = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  note(`measured ${name}`);
  writeFileSync(checkpoint, JSON.stringify(measured));
  process.stderr.write(`\r ${Object.keys(measured).length}/${layers.length} layers`);
  while (gate !== '' && existsSync(gate)) await sleep(20);
}
process.stderr.write('\n');

print('[4/6] Allocating bits');
const parameters = (list) => list.reduce((sum, { values }) => sum + values.length, 0);
const all = parameters(tensors);
const others = 16 * (all - parameters(layers));
let budget = Number(target) * all - others - (low + 0.5) * parameters(layers);
const widths = new Map(layers.map(({ name }) => [name, low]));
for (const { name, values } of layers.toSorted((a, b) => measured[b.name] - measured[a.name])) {
  const price = (high - low) * values.length;
  if (price > budget) continue;
  budget -= price;
  widths.set(name, high);
}
// The recipe is not applied to fused experts; the status is still 0.
if (trap === 'recipe not applied') for (const name of widths.keys()) widths.set(name, 8);

print('[5/6] Converting');
const place = trap === 'only static' ? join(out, 'static_mixed') : result;
mkdirSync(place);
const perLayer = Object.fromEntries(Array.from(widths, ([name, bits]) => [name.replace(/\.weight$/, ''), { group_size: 64, bits }]));
const achieved = writeModel(place, tensors, ({ name }) => widths.get(name), { ...config, quantization: quantizationWith(perLayer) });
print('[6/6] Saving');
for (const name of ['tokenizer.json', 'tokenizer_config.json']) copyFileSync(join(source, name), join(place, name));
writeFileSync(
  join(place, 'optiq_metadata.json'),
  JSON.stringify({
    method: 'optiq',
    target_bpw: Number(target),
    achieved_bpw: achieved,
    candidate_bits: [low, high],
    per_layer: Object.fromEntries(widths),
  }),
);
print(`Achieved ${achieved.toFixed(2)} BPW`);
