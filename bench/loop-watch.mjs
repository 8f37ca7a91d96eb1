// Loaded into a server by `NODE_OPTIONS=--import`: says at each SIGUSR2 for how long its event loop was kept busy in one go since the last.
// The processor's time of its thread is counted, so that it does not matter how much else runs on the machine.
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
  // One that is not waited for comes once in each turn of the loop, and keeps it from nothing.
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
