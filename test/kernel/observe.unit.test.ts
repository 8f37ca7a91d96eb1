import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createObserver, type Observer } from '../../src/core/kernel/process/observe.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

/** A command that knows the notes of earlier ones on its machine. */
const command = (now: () => number, { boot = 'b1', name = 'nas' } = {}): Observer => createObserver({ boot: async () => boot, name, now });

async function msOf(observer: Observer, directory: string, pulse: string): Promise<number | undefined> {
  return (await observer.silences(directory, new Map([['holder', pulse]]))).get('holder')?.ms;
}

test('a command continues the observation of an earlier one, by the clock that they share', async () => {
  const directory = await temporaryDirectory();
  let time = 1_000_000;
  const now = (): number => time;
  expect(await msOf(command(now), directory, 'p1')).toBe(0);
  time += 20_000;
  expect(await msOf(command(now), directory, 'p1')).toBe(20_000);
  time += 20_000;
  expect(await msOf(command(now), directory, 'p1')).toBe(40_000);
  expect(await msOf(command(now), directory, 'p2')).toBe(0);
  time += 10;
  expect(await msOf(command(now), directory, 'p2')).toBe(10);
});

test('an observation starts again after another boot, on another machine, and after a clock went back', async () => {
  const directory = await temporaryDirectory();
  expect(
    await msOf(
      command(() => 5_000),
      directory,
      'p1',
    ),
  ).toBe(0);
  expect(
    await msOf(
      command(() => 90_000, { name: 'mini' }),
      directory,
      'p1',
    ),
  ).toBe(0);
  expect(
    await msOf(
      command(() => 4_000),
      directory,
      'p1',
    ),
  ).toBe(0);
  expect(
    await msOf(
      command(() => 90_000, { boot: 'b2' }),
      directory,
      'p1',
    ),
  ).toBe(0);
  // Each machine has a note of its own.
  expect(await readdir(directory)).toHaveLength(2);
});

test('a process that watches sees the heartbeat, and an unusable note only delays it', async () => {
  const directory = await temporaryDirectory();
  let time = 0;
  const observer = command(() => time);
  const look = (pulse: string) => observer.silences(directory, new Map([['holder', pulse]]));
  expect((await look('p1')).get('holder')).toEqual({ ms: 0, hasMoved: false });
  time = 31_000;
  expect((await look('p1')).get('holder')).toEqual({ ms: 31_000, hasMoved: false });
  expect((await look('p2')).get('holder')).toEqual({ ms: 0, hasMoved: true });
  const nowhere = join(directory, 'nowhere');
  expect(
    await msOf(
      command(() => 1),
      nowhere,
      'p1',
    ),
  ).toBe(0);
  const torn = join(directory, 'torn');
  await mkdir(torn);
  await msOf(
    command(() => 1),
    torn,
    'p1',
  );
  const [note = ''] = await readdir(torn);
  for (const text of [
    '',
    '{',
    '[]',
    '{"boot":"b1"}',
    '{"boot":"b1","seen":{"holder":7}}',
    '{"boot":"b1","seen":{"holder":{"pulse":"p1","since":"x"}}}',
  ]) {
    await writeFile(join(torn, note), text);
    expect(
      await msOf(
        command(() => 90_000),
        torn,
        'p1',
      ),
      text,
    ).toBe(0);
  }
});
