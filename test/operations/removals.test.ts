import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { writeFiles } from '../helpers/model-files.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const run = promisify(execFile);

async function homeWith(...models: readonly string[]) {
  const home = await temporaryDirectory();
  await mkdir(join(home, 'store'));
  await writeFiles(join(home, 'source'), { 'a.gguf': 'some bytes' });
  for (const model of models)
    expect(await runInProcess(['add', join(home, 'source'), '--as', model], { env: { SKULK_HOME: home } })).toMatchObject({ status: 0 });
  return home;
}

test('delete reports a wrong name before the first model is deleted', async () => {
  const home = await homeWith('a/one', 'a/two');
  const ended = await runInProcess(['delete', 'a/one', 'a/nope', 'a/two', '--yes', '--json'], { env: { SKULK_HOME: home } });
  expect(ended).toMatchObject({ status: 3, stdout: '', stderr: expect.stringContaining('nothing was deleted') });
  expect((await readdir(join(home, 'store'))).filter((name) => name.startsWith('a--'))).toEqual(['a--one', 'a--two']);
});

test('delete --ignore-missing deletes what is there and lists the rest, also if nothing is there', async () => {
  const home = await homeWith('a/one', 'a/two');
  const remove = (...args: readonly string[]) => runInProcess(['delete', '--ignore-missing', ...args], { env: { SKULK_HOME: home } });
  const plan = await remove('a/one', 'a/nope', '--dry-run', '--json');
  expect(JSON.parse(plan.stdout)).toMatchObject({ models: [{ model_id: 'a/one' }], missing: ['a/nope'], dry_run: true });
  const ended = await remove('a/nope', 'a/one', 'a/two:Q9_9', 'a/nope', '--yes', '--json');
  expect(ended).toMatchObject({ status: 0, stderr: '' });
  expect(JSON.parse(ended.stdout)).toMatchObject({ deleted: ['a/one'], missing: ['a/nope', 'a/two:Q9_9'] });
  expect((await readdir(join(home, 'store'))).filter((name) => name.startsWith('a--'))).toEqual(['a--two']);
  expect(await remove('a/one', '--yes')).toMatchObject({
    status: 0,
    stdout: '',
    stderr: 'not in the store, so nothing to delete: a/one\n',
  });
  // Another revision than the named one is there, and it may be wanted.
  expect(await remove('a/two@v2', '--yes')).toMatchObject({ status: 3, stdout: '' });
  expect(await remove('a/two')).toMatchObject({ status: 2, stdout: '' });
});

test('verify lists models by name', async () => {
  const home = await homeWith('a/two', 'a/one');
  const { stdout } = await runInProcess(['verify'], { env: { SKULK_HOME: home } });
  expect(stdout.match(/^a\/\w+/gm)).toEqual(['a/one', 'a/two']);
});

test('verify --repair fails if a model outside the registry differs from its manifest', async () => {
  const home = await homeWith('a/one');
  await writeFile(join(home, 'store/a--one/a.gguf'), 'SOME bytes');
  await writeFile(join(home, 'store/registry.json'), '{}');
  expect(await runInProcess(['verify', '--repair'], { env: { SKULK_HOME: home } })).toMatchObject({ status: 6 });
});

test('purge-staging frees space on a full disk', async (context) => {
  const home = await homeWith('a/one');
  const disk = join(home, 'small');
  await mkdir(disk);
  if (
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).then(
      () => false,
      () => true,
    )
  ) {
    return context.skip('no small file system can be mounted here');
  }
  onTestFinished(async () => void (await run('umount', ['-l', disk])));
  await writeFile(join(home, 'skulk.json'), JSON.stringify({ model_store: { staging: { node_cache_path: join(disk, 'cache') } } }));
  const env = { SKULK_HOME: home, SKULK_CONFIG: join(home, 'skulk.json') };
  expect(await runInProcess(['stage', 'a/one'], { env })).toMatchObject({ status: 0 });
  await rm(join(disk, 'cache/.skulk/v1/locks'), { recursive: true });
  await run('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=4k']).catch(() => undefined);
  expect(await runInProcess(['purge-staging'], { env })).toMatchObject({ status: 0 });
  expect(await readdir(join(disk, 'cache'))).not.toContain('a--one');
});

test('serve refuses the same port for both of its servers', async () => {
  const home = await homeWith();
  await writeFile(join(home, 'skulk.json'), JSON.stringify({ model_store: { store_port: 52415 } }));
  const ended = await runInProcess(['serve'], { env: { SKULK_HOME: home, SKULK_CONFIG: join(home, 'skulk.json') } });
  expect(ended).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('both 52415') });
});
