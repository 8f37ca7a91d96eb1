// Loaded before skulk: ends the process silently right before the write with the number SKULK_TEST_KILL_AT, from 1. If this is larger
// than the number of writes, the file SKULK_TEST_WRITES gets that number when the process ends.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const at = Number(process.env.SKULK_TEST_KILL_AT);
let writes = 0;
const count = () => {
  writes += 1;
  if (writes === at) process.kill(process.pid, 'SIGKILL');
};
for (const name of ['rename', 'link', 'rm', 'rmdir', 'mkdir', 'writeFile', 'lutimes', 'copyFile']) {
  const original = fs.promises[name];
  fs.promises[name] = (...args) => {
    count();
    return original.apply(fs.promises, args);
  };
}
const open = fs.promises.open;
fs.promises.open = (path, flags, ...more) => {
  if (flags !== undefined && flags !== 'r') count();
  return open.call(fs.promises, path, flags, ...more);
};
syncBuiltinESMExports();
process.on('exit', () => {
  if (process.env.SKULK_TEST_WRITES) fs.writeFileSync(process.env.SKULK_TEST_WRITES, String(writes));
});
