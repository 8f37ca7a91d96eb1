import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { identifySelf } from '../../src/core/kernel/process/process-identity.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { few, longTest, usualTest } from '../helpers/seeded.ts';
import { smallDisk } from '../helpers/small-disk.ts';
import { wants } from '../helpers/wants.ts';

/** A store on this machine with the model org/m, and a directory of two files that was added as that. */
async function storeWithModel() {
  const world = await hubWorld();
  const { storePath, home, host } = world;
  await mkdir(storePath, { recursive: true });
  const source = join(home, 'source');
  await writeFiles(source, { 'w.gguf': 'weights', 'sub/config.json': '{}' });
  expect(await host('add', source, '--as', 'org/m')).toMatchObject({ status: 0 });
  return { ...world, source, place: join(storePath, 'org--m') };
}

const below = async (directory: string): Promise<readonly string[]> =>
  (await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []))
    .filter((item) => !item.isDirectory())
    .map((item) => join(item.parentPath, item.name).slice(directory.length + 1))
    .toSorted();

/** Files that look like files of systems and downloads, but are beside files of a user. */
const lookalikes = {
  'notes.txt': 'mine',
  '._notes.txt': 'mine',
  'thesis.partial': 'mine',
  'sub/._mine': 'mine',
  '.cache/huggingface/mine.txt': 'mine',
  '.cache/huggingface/download/mine.metadata': 'mine',
};
const litter = {
  '.DS_Store': '',
  '._w.gguf': '',
  '._sub': '',
  'w.gguf.partial': '',
  '.cache/huggingface/.gitignore': '*',
  '.cache/huggingface/download/w.gguf.metadata': '',
  '.cache/huggingface/download/sub/config.json.lock': '',
  [`.cache/huggingface/download/abc=.${'0'.repeat(64)}.incomplete`]: '',
};

usualTest('files that only look like system files or partial downloads stay in a model of the store and in a copy', async () => {
  const { place, host } = await storeWithModel();
  const staged = await host('stage', 'org/m');
  expect(staged).toMatchObject({ status: 0 });
  const copy = staged.stdout.trim();
  expect(copy).not.toBe(place);
  for (const directory of [place, copy]) await writeFiles(directory, { ...lookalikes, ...litter });
  expect(await host('purge-staging')).toMatchObject({ status: 0 });
  expect(await below(copy)).toEqual(Object.keys(lookalikes).toSorted());
  expect(await host('delete', 'org/m', '--yes')).toMatchObject({ status: expect.toBeOneOf([0, 9]) });
  expect(await below(place)).toEqual(Object.keys(lookalikes).toSorted());
});

test.each(
  few([
    ['damaged', (file: string) => writeFile(file, '{"org/m":{"mod')],
    ['missing', (file: string) => rm(file)],
    ['empty', (file: string) => writeFile(file, '')],
  ]),
)('a registry that is %s does not turn directories without a record into models', async (_, harm) => {
  const { storePath, place, source, host } = await storeWithModel();
  await writeFiles(join(storePath, 'photos--2024'), { 'a.jpg': 'mine' });
  await harm(join(storePath, 'registry.json'));
  expect((await host('registry')).stdout).not.toContain('photos/2024');
  expect(await host('delete', 'photos/2024', '--yes')).toMatchObject({ status: 3 });
  expect(await host('verify', '--repair')).toMatchObject({ status: 0 });
  expect(await host('add', source, '--as', 'org/n')).toMatchObject({ status: 0 });
  expect(await host('delete', 'photos/2024', '--yes')).toMatchObject({ status: 3 });
  expect(await host('add', source, '--as', 'photos/2024', '--force')).toMatchObject({ status: 5 });
  expect(await below(join(storePath, 'photos--2024'))).toEqual(['a.jpg']);
  const { stdout } = await host('registry');
  expect(stdout).toContain('org/m');
  expect(stdout).toContain('org/n');
  expect(await below(place)).toEqual(['sub/config.json', 'w.gguf']);
});

usualTest('a directory that the damaged registry still names becomes a model again, with or without a manifest', async () => {
  const { storePath, place, host } = await storeWithModel();
  await rm(join(storePath, '.skulk/v1/manifests/org--m.json'));
  await writeFile(join(storePath, 'registry.json'), '{"org/m": {"model_id": "org/m", "sto');
  expect((await host('registry')).stdout).toContain('org/m');
  expect(await host('verify', '--repair')).toMatchObject({ status: 0 });
  expect(await host('stage', 'org/m')).toMatchObject({ status: 0 });
  expect(await below(place)).toEqual(['sub/config.json', 'w.gguf']);
});

usualTest('files that the registry does not list are not sent or removed', async () => {
  const { storePath, host } = await storeWithModel();
  const place = join(storePath, 'org--p');
  await writeFiles(place, { 'w.gguf': 'weights', 'notes.txt': 'mine' });
  const registry = JSON.parse(await readFile(join(storePath, 'registry.json'), 'utf8'));
  const entry = { model_id: 'org/p', store_path: 'org--p', files: ['w.gguf'], downloaded_at: '2024-01-01T00:00:00Z', total_bytes: 7 };
  await writeFile(join(storePath, 'registry.json'), JSON.stringify({ ...registry, 'org/p': entry }));
  const staged = await host('stage', 'org/p');
  expect(staged).toMatchObject({ status: 0 });
  expect(await below(staged.stdout.trim())).toEqual(['.last_used', '.skulk.json', 'w.gguf']);
  expect(await host('verify', 'org/p', '--repair')).toMatchObject({ status: 0 });
  expect(await host('delete', 'org/p', '--yes')).toMatchObject({
    status: expect.toBeOneOf([0, 9]),
    stderr: expect.stringContaining('notes.txt'),
  });
  expect(await below(place)).toEqual(['notes.txt']);
});

usualTest('a file that a killed add --move had taken is restored under another name if its own name is in use', async () => {
  const { storePath, home, source, host } = await storeWithModel();
  const place = join(storePath, '.skulk/v1/incoming/org--n.0123456789abcdef');
  const origin = join(home, 'origin');
  await writeFiles(join(place, 'files'), { 'w.gguf': 'the weights', 'same.txt': 'same', 'a/b.txt': 'b', 'linked.txt': 'target' });
  await writeFile(join(place, 'owner.json'), JSON.stringify({ ...(await identifySelf()), pid: spawnSync('true').pid, moved_from: origin }));
  await writeFiles(origin, { 'w.gguf': 'begun again', 'same.txt': 'same', 'target.txt': 'target', 'w.gguf.moved-back': 'also there' });
  await symlink('target.txt', join(origin, 'linked.txt'));
  const ended = await host('add', source, '--as', 'org/o');
  expect(ended).toMatchObject({ status: 0, stderr: expect.stringContaining('w.gguf.moved-back-2') });
  expect(await below(join(storePath, '.skulk/v1/incoming'))).toEqual([]);
  expect(await below(origin)).toEqual(
    ['a/b.txt', 'linked.txt', 'same.txt', 'target.txt', 'w.gguf', 'w.gguf.moved-back', 'w.gguf.moved-back-2'].toSorted(),
  );
  expect(await readFile(join(origin, 'w.gguf'), 'utf8')).toBe('begun again');
  expect(await readFile(join(origin, 'w.gguf.moved-back-2'), 'utf8')).toBe('the weights');
});

usualTest('the mark of the last use is not written through a link in its place', async () => {
  const { home, host } = await storeWithModel();
  const { stdout } = await host('stage', 'org/m');
  const mark = join(stdout.trim(), '.last_used');
  const mine = join(home, 'mine.txt');
  for (const target of [join(home, 'nothing.txt'), mine]) {
    await writeFile(mine, 'mine');
    await utimes(mine, 1_000, 1_000);
    await rm(mark, { force: true });
    await symlink(target, mark);
    await host('stage', 'org/m');
    expect(await readFile(join(home, 'nothing.txt')).catch(() => 'none')).toBe('none');
    expect((await stat(mine)).mtimeMs).toBe(1_000_000);
  }
});

longTest('add --move copies files from a disk that is mounted inside its directory', wants('a disk of their own'), async () => {
  const { storePath, home, host } = await storeWithModel();
  const source = join(home, 'two-disks');
  await writeFiles(source, { 'w.gguf': 'weights of two disks' });
  await smallDisk(1024 * 1024, join(source, 'sub'));
  await writeFile(join(source, 'sub/more.gguf'), 'more');
  expect(await host('add', source, '--as', 'org/two', '--move')).toMatchObject({ status: 0 });
  expect(await below(join(storePath, 'org--two'))).toEqual(['sub/more.gguf', 'w.gguf']);
  expect(await below(source)).toEqual([]);
});

usualTest('add --move refuses SKULK_HOME and a staging directory, but accepts one copy', async () => {
  const { home, host } = await storeWithModel();
  const { stdout } = await host('stage', 'org/m');
  const copy = stdout.trim();
  const before = await below(dirname(copy));
  for (const path of [dirname(copy), join(home, 'host')])
    expect(await host('add', path, '--as', 'org/n', '--move')).toMatchObject({ status: 2 });
  expect(await below(dirname(copy))).toEqual(before);
  expect(await host('add', copy, '--as', 'org/n', '--move')).toMatchObject({ status: 0 });
});

longTest('a copy with a file that cannot be removed is reported with the reason', async () => {
  const { host } = await storeWithModel();
  const { stdout } = await host('stage', 'org/m');
  const copy = stdout.trim();
  const isMade = spawnSync('chattr', ['+i', join(copy, 'w.gguf')]).status === 0;
  onTestFinished(() => void spawnSync('chattr', ['-R', '-i', dirname(copy)]));
  const ended = await host('purge-staging');
  if (isMade) expect(ended).toMatchObject({ status: 2, stderr: expect.not.stringContaining('not a directory') });
  spawnSync('chattr', ['-R', '-i', dirname(copy)]);
  expect(await host('reconcile')).toMatchObject({ status: 0 });
  expect(await below(join(dirname(copy), '.skulk/v1/trash'))).toEqual([]);
});

usualTest("a user's directory among the intents does not block changes of the store", async () => {
  const { storePath, source, host } = await storeWithModel();
  await writeFiles(join(storePath, '.skulk/v1/intents/mine.json'), { 'notes.txt': 'mine' });
  expect(await host('add', source, '--as', 'org/n')).toMatchObject({ status: 0 });
  expect(await below(join(storePath, '.skulk/v1/intents'))).toEqual(['mine.json/notes.txt']);
});
