#!/usr/bin/env node
// Any Node since 12 must be able to parse this file, so that an old one gets a message instead of a syntax error.
import { createRequire } from 'module';

// `import 'fs'` reads all of its exports, and some of them load Node's streams and readline (5 ms); `require` does not.
const require = createRequire(import.meta.url);
const { existsSync, mkdirSync, statSync } = require('fs');
const nodeModule = require('module');
const { dirname, isAbsolute, join } = require('path');
const { fileURLToPath } = require('url');
const root = dirname(dirname(fileURLToPath(import.meta.url)));

function isSupported(version) {
  const parts = version.split('.').map(Number);
  return parts[0] >= 24 || (parts[0] === 22 && parts[1] >= 18);
}

function findNode() {
  const own = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  return existsSync(own) && !process.env.SKULK_REEXECUTED ? own : undefined;
}

function runWith(node) {
  const env = { ...process.env, SKULK_REEXECUTED: '1' };
  const child = require('child_process').spawn(node, process.execArgv.concat([fileURLToPath(import.meta.url)], process.argv.slice(2)), {
    stdio: 'inherit',
    env,
  });
  ['SIGINT', 'SIGTERM', 'SIGHUP'].forEach((signal) => {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the whole group; a second one would end the child at once.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  });
  child.on('error', refuse);
  child.on('exit', (status, signal) => {
    if (signal !== null) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    } else process.exit(status);
  });
}

function refuse() {
  process.stderr.write(
    `skulk: Node.js ${process.versions.node} does not run skulk; install Node.js 24 or later, or 22.18 or later of the 22 line\n`,
  );
  process.exit(2);
}

// Only a directory of the user's own is safe, because anyone who can write to the cache decides which code runs.
function useCompileCache() {
  try {
    const home = process.env.HOME || '';
    const base = process.env.XDG_CACHE_HOME || join(home, '.cache');
    if (!isAbsolute(base) || !nodeModule.enableCompileCache || process.env.NODE_COMPILE_CACHE) return;
    const directory = join(base, 'skulk', 'compile');
    if (!existsSync(directory)) {
      if (process.getuid && statSync(process.env.XDG_CACHE_HOME ? base : home).uid !== process.getuid()) return;
      // One by one, as `recursive` loops forever in a directory where the system allows none, e.g. one of an automounter.
      [base, dirname(directory), directory].forEach((path) => {
        if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
      });
    }
    if (process.getuid && statSync(directory).uid !== process.getuid()) return;
    nodeModule.enableCompileCache(directory);
  } catch {
    // Without a cache, the start is only a little slower.
  }
}

// If a background compilation waits for a garbage collection when the process ends, it waits forever, and the exit hangs
// (nodejs/node#54918). This happened once in some hundred `skulk stage`. `--version` compiles too little for it, and must be fast.
function avoidHangAtExit() {
  const { setFlagsFromString } = require('v8');
  setFlagsFromString('--no-concurrent-sparkplug');
  setFlagsFromString('--no-concurrent-recompilation');
}

// Until the program has its own listener, which removes this one.
function sayInterrupted() {
  process.stderr.write('skulk: interrupted\n');
  process.exit(130);
}

function start() {
  process.on('SIGINT', sayInterrupted);
  delete process.env.SKULK_REEXECUTED;
  useCompileCache();
  if (!process.argv.includes('--version')) avoidHangAtExit();
  const isBuilt = existsSync(join(root, 'dist', 'main.js'));
  const parts = isBuilt
    ? [import('../dist/main.js'), import('../dist/commands-index.js')]
    : [import('../src/cli/main.ts'), import('../src/commands/index.ts')];
  return Promise.all(parts).then((loaded) => {
    const host = loaded[0].processHost(loaded[1].commandLoaders);
    return loaded[0].main(process.argv.slice(2), host).then(host.exit);
  });
}

// The other parts of the program are loaded later, and report-error.ts says the same of them.
function sayIncomplete(error) {
  const path = error && error.code === 'ERR_MODULE_NOT_FOUND' && error.url ? fileURLToPath(error.url) : '';
  if (!path.startsWith(join(root, 'dist'))) throw error;
  process.stderr.write(
    `skulk: this installation is incomplete: ${path} is missing\nhint: it may be rebuilt or upgraded right now: try again; otherwise install skulk again, in a clone with \`npm ci\`\n`,
  );
  process.exit(1);
}

if (isSupported(process.versions.node)) {
  start().catch(sayIncomplete);
} else if (findNode() !== undefined) runWith(findNode());
else refuse();
