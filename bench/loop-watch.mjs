// Loaded into a server by `NODE_OPTIONS=--import`: at each SIGUSR2 it prints the longest time for which the event loop was busy since the
// last one.
// It counts the processor time of its thread, so that other load on the machine does not matter.
import { renameSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env['SKULK_LOOP_REPORT'];
if (isMainThread && file !== undefined) {
  const used = () => {
    const { user, system } = process.threadCpuUsage();
    return user + system;
  };
  let longest = 0;
  let times = 0;
  let last = used();
  // An immediate without a reference runs once in each turn of the loop, and does not keep the loop alive.
  const tick = () => {
    longest = Math.max(longest, used() - last);
    last = used();
    setImmediate(tick).unref();
  };
  tick();
  process.on('SIGUSR2', () => {
    times += 1;
    writeFileSync(`${file}.new`, JSON.stringify({ times, maxMs: longest / 1000 }));
    renameSync(`${file}.new`, file);
    longest = 0;
    last = used();
  });
}
