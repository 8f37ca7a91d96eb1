import { expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise } from '../helpers/model-files.ts';
import { within } from '../helpers/waiting.ts';

const pebibyte = 2 ** 50;
const endless = { size: pebibyte, read: (start: number, end: number): Buffer => Buffer.alloc(end - start), sha256: 'b'.repeat(64) };

test('a file of one pebibyte is refused because the disk has no room for it, and the server lives on', async () => {
  const world = await hubWorld();
  world.hub.push('org/endless', { files: { 'model.safetensors': endless, 'config.json': '{}' } });
  world.hub.push('org/m', { files: { 'model.safetensors': Buffer.from('small'), 'config.json': '{}' } });
  const host = await world.serve();
  const refused = await within('the refusal', world.nodeInProcess(host, 'node', 'download', 'org/endless'));
  expect(refused, refused.stderr).toMatchObject({ status: 7, stdout: '' });
  expect(refused.stderr).toContain('1.00 PiB');
  expect(await world.nodeInProcess(host, 'node', 'download', 'org/m')).toMatchObject({ status: 0 });
  const alone = await within('the refusal without a server', world.startHost('download', 'org/endless').exited);
  expect(alone, alone.stderr).toMatchObject({ status: 7, stdout: '' });
});

test('so is a quantization of one pebibyte beside one that is held', async () => {
  const world = await hubWorld();
  world.hub.push('org/seer-GGUF', { files: { 'seer-Q4_K_M.gguf': noise(3_000, 1), 'seer-BF16.gguf': endless, 'config.json': '{}' } });
  expect(await world.host('download', 'org/seer-GGUF:Q4_K_M')).toMatchObject({ status: 0 });
  const host = await world.serve();
  const refused = await within('the refusal', world.nodeInProcess(host, 'node', 'download', 'org/seer-GGUF:BF16'));
  expect(refused, refused.stderr).toMatchObject({ status: 7, stdout: '' });
  const again = await within('the second refusal', world.nodeInProcess(host, 'node', 'download', 'org/seer-GGUF:BF16'));
  expect(again, again.stderr).toMatchObject({ status: 7, stdout: '' });
});
