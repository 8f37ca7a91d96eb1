// Loaded before skulk: ends the process silently right before the write with the number SKULK_TEST_KILL_AT, from 1. If this is larger
// than the number of writes, the file SKULK_TEST_WRITES gets that number when the process ends. SKULK_TEST_KILL_AT may also name a write,
// as in `rm names.json`: the first call of this function for a path that ends so.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const at = Number(process.env.SKULK_TEST_KILL_AT);
const [call, end] = (process.env.SKULK_TEST_KILL_AT ?? '').split(' ');
let writes = 0;
const count = (name, ...paths) => {
  writes += 1;
  const isNamed = name === call && end !== undefined && paths.some((path) => String(path).endsWith(end));
  if (writes === at || isNamed) process.kill(process.pid, 'SIGKILL');
};
for (const name of ['rename', 'link', 'rm', 'rmdir', 'mkdir', 'writeFile', 'lutimes', 'copyFile']) {
  const original = fs.promises[name];
  fs.promises[name] = (...args) => {
    count(name, ...args);
    return original.apply(fs.promises, args);
  };
}
const open = fs.promises.open;
fs.promises.open = (path, flags, ...more) => {
  if (flags !== undefined && flags !== 'r') count('open', path);
  return open.call(fs.promises, path, flags, ...more);
};
syncBuiltinESMExports();
process.on('exit', () => {
  if (process.env.SKULK_TEST_WRITES) fs.writeFileSync(process.env.SKULK_TEST_WRITES, String(writes));
});
