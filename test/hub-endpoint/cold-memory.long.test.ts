import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise } from '../helpers/model-files.ts';
import { within } from '../helpers/waiting.ts';

const mib = 1024 * 1024;
const size = 24 * mib;
const block = noise(mib, 3);
/** A file with a given size that is not in the memory of this process. */
const large = (first: number) => ({
  size,
  read: (start: number, end: number): Buffer => {
    const bytes = Buffer.alloc(end - start);
    for (let at = start; at < end; at += 1) bytes[at - start] = at === 0 ? first : (block[at % mib] ?? 0);
    return bytes;
  },
});

const residentOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024;

/** Reads a whole file and keeps no bytes. @returns the number of received bytes */
const drain = (url: string, path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const sent = request({ host: hostname, port, path, agent: false }, (answer) => {
      let bytes = 0;
      answer.on('data', (part: Buffer) => {
        bytes += part.length;
      });
      answer.on('end', () => resolve(bytes)).on('error', reject);
    });
    sent.on('error', reject).end();
  });

test('64 readers, half of them of files that the store does not have, need a limited memory in the server', async () => {
  const world = await hubWorld();
  const cold = Object.fromEntries(Array.from({ length: 4 }, (_, index) => [`part-${index}.dat`, large(index)]));
  world.hub.push('org/held', { files: { 'model.safetensors': large(77), 'config.json': '{}' } });
  world.hub.push('org/cold', { files: { ...cold, 'config.json': '{}' } });
  expect((await world.host('download', 'org/held')).status).toBe(0);
  const host = await world.serve();
  const { pid } = host.running;
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, residentOf(pid));
  }, 50);
  const peaks: number[] = [];
  for (let round = 0; round < 2; round += 1) {
    peak = 0;
    const all = Array.from({ length: 64 }, (_, index) =>
      drain(
        host.url,
        index % 2 === 0 ? '/org/held/resolve/main/model.safetensors' : `/org/cold/resolve/main/part-${((index >> 1) % 2) + round * 2}.dat`,
      ),
    );
    expect(new Set(await within('all readers', Promise.all(all)))).toEqual(new Set([size]));
    peaks.push(peak);
  }
  clearInterval(timer);
  // An idle server has 101 MiB, of which 54 are the Node binary. A thread has 10, buffers 14, and uncollected memory up to 30.
  // 153 to 156 were measured, in the first round and in the second.
  expect(Math.max(...peaks)).toBeLessThan(175 * mib);
});
