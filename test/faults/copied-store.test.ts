import { spawnSync } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { writeFiles } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

test('a command for a copy of a served store does not change the original', async () => {
  const home = await temporaryDirectory();
  await writeFiles(join(home, 'm'), { 'config.json': '{}', 'a.bin': 'a' });
  const served = await serveInProcess({ home: join(home, 'host') });
  onTestFinished(() => served[Symbol.asyncDispose]());
  expect(await runInProcess(['add', join(home, 'm'), '--as', 'org/m'], { env: { SKULK_HOME: join(home, 'host') } })).toMatchObject({
    status: 0,
  });
  const copy = join(home, 'copy');
  expect(spawnSync('cp', ['-a', served.storePath, copy]).status).toBe(0);
  await symlink(served.storePath, join(home, 'link'));
  const runAt = async (path: string, ...args: readonly string[]) => {
    const config = join(home, 'skulk.yaml');
    await writeFile(config, `model_store:\n  store_host: ${hostname()}\n  store_path: ${path}\n`);
    return runInProcess([...args, '--config', config], { env: { SKULK_HOME: join(home, 'other') } });
  };
  for (const args of [['delete', 'org/m', '--yes'], ['registry'], ['serve', '--port', '0', '--api-port', '0']]) {
    const refused = await runAt(copy, ...args);
    expect(refused, refused.stderr).toMatchObject({ status: 5, stdout: '' });
    for (const part of [`${copy} is a copy of the store ${served.storePath}`, 'hint:', 'set store_path'])
      expect(refused.stderr).toContain(part);
  }
  expect((await runAt(join(home, 'link'), 'registry')).stdout).toContain('org/m');
});
