import { expect, test } from 'vitest';
import { watchSilence } from '../../src/core/engines/watch-silence.ts';

const minute = 60_000;

/** A watch over an engine, with a clock that only the test moves. */
function watched() {
  let now = 0;
  let look = (): void => {};
  let isOver = false;
  const told: number[] = [];
  const disk = { bytes: 0 };
  const watch = watchSilence(
    {
      now: () => now,
      every: (_, callback) => {
        look = callback;
        return () => {
          isOver = true;
        };
      },
    },
    {
      sizeOf: async () => {
        if (Number.isNaN(disk.bytes)) throw new Error('it cannot be measured');
        return disk.bytes;
      },
      onSilence: (minutes) => void told.push(minutes),
    },
  );
  /** Moves the clock by so many minutes, with a check after each. */
  const pass = async (minutes: number): Promise<void> => {
    for (let one = 0; one < minutes; one += 1) {
      now += minute;
      look();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { watch, pass, told, disk, isOver: () => isOver };
}

test('an engine that neither prints nor writes for ten minutes is reported once, and again after activity', async () => {
  const { watch, pass, told } = watched();
  await pass(9);
  expect(told).toEqual([]);
  await pass(5);
  expect(told).toEqual([10]);
  watch.noteActivity();
  await pass(9);
  expect(told).toEqual([10]);
  await pass(1);
  expect(told).toEqual([10, 10]);
});

test('an engine whose files grow is not silent', async () => {
  const { pass, told, disk } = watched();
  for (let round = 0; round < 10; round += 1) {
    disk.bytes += 1;
    await pass(6);
  }
  expect(told).toEqual([]);
});

test('an engine whose files cannot be measured is reported as well', async () => {
  const { pass, told, disk } = watched();
  disk.bytes = Number.NaN;
  await pass(10);
  expect(told).toEqual([10]);
});

test('a watch ends with its engine', () => {
  const { watch, isOver } = watched();
  watch[Symbol.dispose]();
  expect(isOver()).toBe(true);
});
