import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { removeOldestLeftover } from '../../src/core/connect/sweep-downloads.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { testWorld } from '../helpers/world.ts';

const now = new Date('2026-06-01T12:00:00Z');
const minute = 60_000;
const id = '0123456789abcdef';

test('the oldest ended downloads are removed one by one if space is short, and running ones, new ones and other files stay', async () => {
  const directory = await temporaryDirectory();
  const place = async (name: string, minutesAgo: number, { isOurs = true } = {}): Promise<void> => {
    const files = [...(isOurs ? ['names.json'] : []), 'files/a.gguf'];
    for (const path of files) {
      const absolute = join(directory, name, path);
      await mkdir(dirname(absolute), { recursive: true });
      await writeFile(absolute, path === 'names.json' ? '["a.gguf"]' : 'bytes');
      const at = new Date(now.getTime() - minutesAgo * minute);
      await utimes(absolute, at, at);
    }
  };
  await place(`org--old~${id}`, 90);
  await place(`org--older~${id}`, 120);
  await place('org--running', 600);
  await place(`org--new~${id}`, 59);
  await place('my--notes', 6000, { isOurs: false });
  await place('no-model', 6000);
  const forgotten: string[] = [];
  const world = testWorld(await temporaryDirectory(), { now: () => now });
  const places = {
    directory,
    isActive: (name: string) => name === 'org--running',
    forget: async (name: string) => void forgotten.push(name),
    world,
  };
  expect(await removeOldestLeftover(places)).toBe(true);
  expect(forgotten).toEqual([`org--older~${id}`]);
  expect(world.events).toMatchObject([{ type: 'note', message: expect.stringContaining(`org--older~${id}`) }]);
  expect(await removeOldestLeftover(places)).toBe(true);
  expect(await removeOldestLeftover(places)).toBe(false);
  expect(forgotten).toEqual([`org--older~${id}`, `org--old~${id}`]);
  const left = (await readdir(directory, { recursive: true })).filter((path) => path.endsWith('.gguf')).toSorted();
  expect(left).toEqual(['my--notes/files/a.gguf', 'no-model/files/a.gguf', `org--new~${id}/files/a.gguf`, 'org--running/files/a.gguf']);
});
