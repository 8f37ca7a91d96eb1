import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { coldWorld } from '../../helpers/cold-world.ts';
import { noise, sha256 } from '../../helpers/model-files.ts';
import { longTest, usualTest } from '../../helpers/seeded.ts';
import { smallDisk } from '../../helpers/small-disk.ts';
import { until, within } from '../../helpers/waiting.ts';
import { wants } from '../../helpers/wants.ts';

const content = noise(4 * 1024 * 1024, 5);

usualTest('a file that does not fit on the disk is refused before the first byte', wants('a disk of their own'), async () => {
  const disk = await smallDisk(3 * 1024 * 1024);
  const { hub, read } = await coldWorld({ root: join(disk.path, 'store') });
  hub.push('org/m', { files: { 'tokenizer.json': content } });
  await expect(read('org/m', 'tokenizer.json')).rejects.toMatchObject({ kind: 'noRoom' });
  expect(hub.sent('tokenizer.json')).toBe(0);
});

longTest('a disk that fills during a fetch disconnects the reader, and the space is freed', wants('a disk of their own'), async () => {
  const disk = await smallDisk(12 * 1024 * 1024);
  const root = join(disk.path, 'store');
  const { hub, read } = await coldWorld({ root });
  hub.push('org/m', { files: { 'tokenizer.json': content } });
  const gate = Promise.withResolvers<void>();
  hub.fault = async ({ path, host, response }) => {
    if (path !== 'tokenizer.json' || host !== 'cdn') return false;
    response.writeHead(200, { 'Content-Length': String(content.length) }).write(content.subarray(0, 1024 * 1024));
    await gate.promise;
    response.end(content.subarray(1024 * 1024));
    return true;
  };
  const one = await within('the answer', read('org/m', 'tokenizer.json'));
  await until('the beginning', () => one.got().length === 1024 * 1024);
  await disk.leave(0);
  gate.resolve();
  await expect(within('the end', one.all)).rejects.toThrow();
  expect(one.got().length).toBeLessThan(content.length);
  await until('the partial file is gone', async () =>
    (await readdir(join(root, '.skulk/v1/on-demand/org--m'))).every((name) => name === 'journal'),
  );
  await disk.leave('all');
  hub.fault = undefined;
  expect(sha256(await within('the next reader', (await read('org/m', 'tokenizer.json')).all))).toBe(sha256(content));
});
