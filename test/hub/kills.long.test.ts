import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { chunkSize } from '../../src/core/kernel/chunk-size.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise } from '../helpers/model-files.ts';
import { seededRandom, testSeed } from '../helpers/seeded.ts';

const kills = 10;

test(`${kills} kills of serve during one download cost a few chunks each, and the progress never decreases`, async () => {
  const world = await hubWorld();
  const size = kills * 16 * 1024 * 1024;
  const one = noise(1024 * 1024, 3);
  world.hub.push('org/m', { files: { 'config.json': '{}', 'a.safetensors': { size, read: (start, end) => stamped(one, start, end) } } });
  world.hub.rate = 30 * 1024 * 1024;
  const random = seededRandom(testSeed);
  let served = await world.serve();
  expect((await world.host('download', 'org/m', '--no-wait')).status).toBe(0);
  let before = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    await sleep(150 + random() * 350);
    await served.kill();
    served = await world.serve();
    const { bytes_done, status } = (await (await fetch(`${served.url}/models/org%2Fm/download/status`)).json()) as {
      bytes_done: number;
      status: string;
    };
    expect(['pending', 'downloading', 'complete']).toContain(status);
    expect(bytes_done, `SKULK_TEST_SEED=${testSeed}`).toBeGreaterThanOrEqual(before);
    before = bytes_done;
    expect(await (await fetch(`${served.url}/models`)).json()).toEqual(status === 'complete' ? ['org/m'] : []);
  }
  world.hub.rate = 0;
  const ended = await world.host('download', 'org/m');
  expect(ended.status, ended.stderr).toBe(0);
  expect((await world.host('verify')).status).toBe(0);
  // Each kill costs less than a block of each of the eight connections, and the data in the sockets.
  expect(world.hub.sent('a.safetensors')).toBeLessThan(size + 4 * chunkSize);
});

/** Every mebibyte is different, so that bytes at the wrong offset are detected. */
function stamped(block: Buffer, start: number, end: number): Buffer {
  const bytes = Buffer.from(block.subarray(start % block.length, (start % block.length) + (end - start)));
  if (start % block.length === 0 && bytes.length >= 8) bytes.writeDoubleLE(start, 0);
  return bytes;
}
