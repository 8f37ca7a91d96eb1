import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startProgram } from '../../src/core/kernel/child-program.ts';
import { isAlive } from '../../src/core/kernel/process-identity.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const env = process.env;

test('a program does nothing before it is let go, and then is the very process that was named', async () => {
  const cwd = await temporaryDirectory();
  const child = await startProgram('sh', ['-c', 'echo $$ > began; exec sleep 60'], { env, cwd });
  await sleep(150);
  expect(await readdir(cwd)).toEqual([]);
  child.letGo();
  while (!(await readFile(join(cwd, 'began'), 'utf8').catch(() => '')).endsWith('\n')) await sleep(5);
  expect(Number(await readFile(join(cwd, 'began'), 'utf8'))).toBe(child.identity?.pid);
  expect(child.identity && (await isAlive(child.identity))).toBe(true);
  child.kill('SIGKILL');
  expect(await child.status).toBe(137);
  expect(child.identity && (await isAlive(child.identity))).toBe(false);
});

test('a program that was never let go ends with the process that started it', async () => {
  const cwd = await temporaryDirectory();
  const module = new URL('../../src/core/kernel/child-program.ts', import.meta.url);
  const script = `const { startProgram } = await import(${JSON.stringify(module)});
    const child = await startProgram('touch', ['began'], { env: process.env, cwd: ${JSON.stringify(cwd)} });
    console.log(JSON.stringify(child.identity));
    process.kill(process.pid, 'SIGKILL');`;
  const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(signal).toBe('SIGKILL');
  const identity = JSON.parse(stdout);
  while (await isAlive(identity)) await sleep(5);
  expect(await readdir(cwd)).toEqual([]);
});

test('a program gets its arguments as they are, and no descriptor of ours', async () => {
  const cwd = await temporaryDirectory();
  const args = ['', ' a  b ', '$(touch x)', '"', "'", '*', 'line\nbreak', '-n'];
  const script =
    'const fs = require("fs"); fs.writeFileSync("args", JSON.stringify([process.argv.slice(1), fs.existsSync("/proc/self/fd/3") && fs.readlinkSync("/proc/self/fd/3")]))';
  const child = await startProgram(process.execPath, ['-e', script, '--', ...args], { env, cwd });
  child.letGo();
  expect(await child.status).toBe(0);
  const [got, third] = JSON.parse(await readFile(join(cwd, 'args'), 'utf8'));
  expect(got).toEqual(args);
  expect(String(third)).not.toContain('socket');
});
