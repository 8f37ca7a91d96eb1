import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { findProgram, startProgram } from '../../src/core/kernel/process/child-program.ts';
import { lifeOf, locate } from '../../src/core/kernel/process/process-identity.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';

const env = process.env;

test('a program does nothing before it is released, and then is the process with the recorded pid', async () => {
  const cwd = await temporaryDirectory();
  const child = await startProgram('sh', ['-c', 'echo $$ > began; exec sleep 60'], { env, cwd });
  await sleep(150);
  expect(await readdir(cwd)).toEqual([]);
  child.proceed();
  await until('the line of the program', async () => (await readFile(join(cwd, 'began'), 'utf8').catch(() => '')).endsWith('\n'));
  expect(Number(await readFile(join(cwd, 'began'), 'utf8'))).toBe(child.identity?.pid);
  expect(child.identity && (await lifeOf(locate(child.identity)))).toBe('alive');
  child.kill('SIGKILL');
  expect(await child.status).toBe(137);
  expect(child.identity && (await lifeOf(locate(child.identity)))).toBe('dead');
});

test('a program that was never released ends with the process that started it', async () => {
  const cwd = await temporaryDirectory();
  const module = new URL('../../src/core/kernel/process/child-program.ts', import.meta.url);
  const script = `const { startProgram } = await import(${JSON.stringify(module)});
    const child = await startProgram('touch', ['began'], { env: process.env, cwd: ${JSON.stringify(cwd)} });
    console.log(JSON.stringify(child.identity));
    process.kill(process.pid, 'SIGKILL');`;
  const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(signal).toBe('SIGKILL');
  const identity = JSON.parse(stdout);
  await until('the end of the program', async () => (await lifeOf(locate(identity))) === 'dead');
  expect(await readdir(cwd)).toEqual([]);
});

test('a program gets its arguments unchanged, and no file descriptor of skulk', async () => {
  const cwd = await temporaryDirectory();
  const args = ['', ' a  b ', '$(touch x)', '"', "'", '*', 'line\nbreak', '-n'];
  const script =
    'const fs = require("fs"); fs.writeFileSync("args", JSON.stringify([process.argv.slice(1), fs.existsSync("/proc/self/fd/3") && fs.readlinkSync("/proc/self/fd/3")]))';
  const child = await startProgram(process.execPath, ['-e', script, '--', ...args], { env, cwd });
  child.proceed();
  expect(await child.status).toBe(0);
  const [got, third] = JSON.parse(await readFile(join(cwd, 'args'), 'utf8'));
  expect(got).toEqual(args);
  expect(String(third)).not.toContain('socket');
});

/** Directories for PATH of each kind that a search may meet, below a directory that every user may enter. */
async function entriesOfPath(): Promise<{ readonly cwd: string; readonly at: (...names: readonly string[]) => string }> {
  const cwd = await temporaryDirectory();
  await chmod(cwd, 0o755);
  for (const name of ['locked', 'folder/tool', 'plain', 'good']) await mkdir(join(cwd, name), { recursive: true });
  for (const name of ['locked', 'plain', 'good']) await writeFile(join(cwd, name, 'tool'), '#!/bin/sh\necho it runs\n');
  await chmod(join(cwd, 'good/tool'), 0o755);
  await chmod(join(cwd, 'plain/tool'), 0o644);
  await chmod(join(cwd, 'locked'), 0);
  await symlink('loop', join(cwd, 'loop'));
  return { cwd, at: (...names) => names.map((name) => (name === '' ? '' : join(cwd, name))).join(':') };
}

interface Search {
  readonly command: string;
  readonly path: string | undefined;
  readonly cwd: string;
}

/** The results of `findProgram` for a user with normal permissions, which root does not have; one process does all of the searches. */
function findAsNobody(searches: readonly Search[]): readonly string[] {
  const module = new URL('../../src/core/kernel/process/child-program.ts', import.meta.url);
  const asked = searches.map(({ command, path, cwd }) => [command, { env: path === undefined ? {} : { PATH: path }, cwd }]);
  const script = `const { findProgram } = await import(${JSON.stringify(module)});
    const find = ([command, world]) => {
      try { return findProgram(command, world); }
      catch (error) { return error.code + ' ' + error.message; }
    };
    console.log(JSON.stringify(${JSON.stringify(asked)}.map(find)));`;
  const isRoot = process.getuid?.() === 0;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: '/',
    ...(isRoot && { uid: 65534, gid: 65534 }),
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

test('the search for a program skips each entry of PATH without it', async () => {
  const { cwd, at } = await entriesOfPath();
  const good = join(cwd, 'good/tool');
  const before = ['locked', 'missing', 'loop', 'loop/x', 'plain', 'plain/tool', 'folder', ''];
  const found = findAsNobody([
    ...before.map((name) => ({ command: 'tool', path: at(name, 'good'), cwd })),
    { command: 'tool', path: '', cwd: join(cwd, 'good') },
    { command: 'tool', path: `${at('missing')}:`, cwd: join(cwd, 'good') },
    { command: 'sh', path: undefined, cwd },
  ]);
  expect(found).toEqual([...before.map(() => good), good, good, '/bin/sh']);
});

test('the search for a program fails with 126 without permission, and with 127 if no such program exists', async () => {
  const { cwd, at } = await entriesOfPath();
  const [locked, plain, folder, ...missing] = findAsNobody([
    ...[at('missing', 'locked', 'loop'), at('plain', 'locked'), at('folder')].map((path) => ({ command: 'tool', path, cwd })),
    ...[at('missing', 'loop', 'plain/tool'), '', undefined].map((path) => ({ command: 'tool', path, cwd })),
    { command: '', path: at('good'), cwd },
  ]);
  expect(locked).toBe(
    `COMMAND_NOT_EXECUTABLE "tool" cannot be executed: no permission to search a directory of ${join(cwd, 'locked/tool')}`,
  );
  expect(plain).toContain(`${join(cwd, 'plain/tool')} is not executable`);
  expect(folder).toContain(`${join(cwd, 'folder/tool')} is a directory`);
  expect(missing).toEqual(Array.from({ length: 4 }, () => expect.stringMatching(/^COMMAND_NOT_FOUND /)));
});

test('a command with a slash is used unchanged, regardless of PATH', async () => {
  const { cwd, at } = await entriesOfPath();
  const found = findAsNobody([
    { command: 'good/tool', path: at('locked'), cwd },
    { command: 'plain/tool', path: at('good'), cwd },
    { command: 'locked/tool', path: at('good'), cwd },
    { command: './tool', path: at('good'), cwd },
  ]);
  expect(found).toEqual([
    'good/tool',
    expect.stringMatching(/^COMMAND_NOT_EXECUTABLE .*plain\/tool is not executable/),
    expect.stringMatching(/^COMMAND_NOT_EXECUTABLE .*no permission/),
    expect.stringMatching(/^COMMAND_NOT_FOUND /),
  ]);
});

test('a script without an interpreter line is run by the shell, and a path can begin with a dash', async () => {
  const cwd = await temporaryDirectory();
  await mkdir(join(cwd, '-bin'));
  await writeFile(join(cwd, '-bin/tool'), 'echo "$1" > came\n');
  await chmod(join(cwd, '-bin/tool'), 0o755);
  for (const [command, word] of [
    ['tool', 'by PATH'],
    ['-bin/tool', 'by its path'],
  ] as const) {
    const program = findProgram(command, { env: { PATH: '-bin' }, cwd });
    const child = await startProgram(program, [word], { env, cwd });
    child.proceed();
    expect(await child.status).toBe(0);
    expect(await readFile(join(cwd, 'came'), 'utf8')).toBe(`${word}\n`);
  }
});
