import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { wants } from '../helpers/wants.ts';

const bin = fileURLToPath(new URL('../../bin/skulk.js', import.meta.url));

let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'skulk-process-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const shell = (script: string, env: Record<string, string> = { HOME: home }): SpawnSyncReturns<string> =>
  spawnSync('bash', ['--norc', '-c', script], {
    cwd: home,
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
    env: { PATH: process.env['PATH'] ?? '', SKULK_NO_DISCOVERY: '1', NODE: process.execPath, BIN: bin, ...env },
  });

describe('the skulk process', () => {
  test('runs no file of the working directory', async () => {
    await mkdir(join(home, '.config'));
    await writeFile(join(home, '.config/config.js'), `require('node:fs').writeFileSync('ran', ''); module.exports = {};`);
    await writeFile(join(home, 'skulk.yaml'), 'model_store: {store_port: 9000}\n');
    expect(shell('"$NODE" "$BIN" config show')).toMatchObject({ status: 0, stderr: '' });
    expect(existsSync(join(home, 'ran'))).toBe(false);
  });

  test('works without HOME', () => {
    expect(shell('"$NODE" "$BIN" config show', {})).toMatchObject({ status: 0, stderr: '' });
  });

  test('works in a directory that was removed', async () => {
    await writeFile(join(home, 'skulk.yaml'), 'model_store: {store_port: 9000}\n');
    expect(shell('mkdir gone && cd gone && rmdir ../gone && "$NODE" "$BIN" config show')).toMatchObject({ status: 0, stderr: '' });
  });

  test('says that it was interrupted, also before the command is loaded', () => {
    // A signal at the first step of the start, before the modules of the command are loaded.
    const preload = `import m from 'node:module'; m.enableCompileCache = () => process.kill(process.pid, 'SIGINT');`;
    const { status, stderr } = shell('"$NODE" --import "data:text/javascript,$PRELOAD" "$BIN" stage org/m', {
      HOME: home,
      PRELOAD: preload,
    });
    expect({ status, stderr }).toEqual({ status: 130, stderr: expect.stringMatching(/^skulk: interrupted\n/) });
  });

  test('ends at a signal also while the system does not answer about its configuration', () => {
    // The shell can only open the pipe when skulk has opened it, and skulk then waits for content.
    const script = `mkfifo slow.yaml
      "$NODE" "$BIN" --config slow.yaml ls & started=$!
      exec 3> slow.yaml
      kill -TERM "$started"
      wait "$started"`;
    expect(shell(script)).toMatchObject({ status: 143, stderr: expect.stringMatching(/^skulk: terminated\n/) });
  });

  test('ends quietly when its reader goes away', () => {
    expect(shell('set -o pipefail; "$NODE" "$BIN" completion bash | head -1')).toMatchObject({ status: 0, stderr: '' });
  });

  test('reports that the result cannot be written', wants('/dev/full'), () => {
    expect(shell('"$NODE" "$BIN" --help > /dev/full')).toMatchObject({ status: 7, stderr: expect.stringContaining('no space left') });
  });

  test('keeps compiled code in a directory of the user only', () => {
    shell('"$NODE" "$BIN" --version');
    expect(existsSync(join(home, '.cache/skulk/compile'))).toBe(true);
  });

  test('starts if the system allows no directory in HOME', () => {
    expect(shell('exec "$NODE" "$BIN" --version', { HOME: '/proc' })).toMatchObject({ status: 0, stderr: '' });
  });
});
