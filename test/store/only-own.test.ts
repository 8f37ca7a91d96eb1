import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { adminKeyOf } from '../helpers/page-link.ts';
import { outcomeOf } from '../helpers/raw-http.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { runSkulk } from '../helpers/spawn-skulk.ts';

const files = { 'a.safetensors': 'weights', 'config.json': '{}' };

/** A store host, a model at the Hub, files to add, and a directory of the user at the path of the model in the store. */
async function hostWith(mine: Readonly<Record<string, string>>) {
  const world = await hubWorld();
  world.hub.push('org/m', { files });
  const place = join(world.storePath, 'org--m');
  await mkdir(world.storePath, { recursive: true });
  await writeFiles(place, mine);
  const source = join(world.home, 'source');
  await writeFiles(source, { 'w.gguf': 'other weights' });
  return { ...world, place, source };
}

const refusal = (place: string) => ({
  status: 5,
  stdout: '',
  stderr: expect.stringMatching(new RegExp(`${place} exists but is not in the registry.*skulk add ${place} --as org/m`, 's')),
});

usualTest('no command adds a model over a directory that is not in the registry, not even with --force', async () => {
  const { place, source, hub, host, serveInProcess, nodeInProcess } = await hostWith({ 'notes.txt': 'mine' });
  for (const args of [
    ['download', 'org/m'],
    ['add', source, '--as', 'org/m'],
    ['add', source, '--as', 'org/m', '--force'],
    ['add', source, '--as', 'org/m', '--move'],
  ])
    expect(await host(...args), args.join(' ')).toMatchObject(refusal(place));
  // Nothing was copied before the refusal.
  expect(await readdir(join(place, '../.skulk/v1/incoming')).catch(() => 'absent')).toBe('absent');
  const served = await serveInProcess();
  const asked = await fetch(`${served.url}/models/org%2Fm/download`, { method: 'POST' });
  expect([asked.status, await asked.json()]).toMatchObject([409, { code: 'CONFLICT' }]);
  for (const args of [
    ['download', 'org/m'],
    ['stage', 'org/m'],
    ['add', source, '--as', 'org/m'],
    ['add', source, '--as', 'org/m', '--force'],
  ])
    expect(await nodeInProcess(served, 'node', ...args), args.join(' ')).toMatchObject({ status: 5, stdout: '' });
  expect(hub.requests).toEqual([]);
  expect(await readdir(place)).toEqual(['notes.txt']);
  expect(await readFile(join(source, 'w.gguf'), 'utf8')).toBe('other weights');
  expect(await readdir(join(place, '../.skulk/v1/uploads')).catch(() => [])).toEqual([]);
});

usualTest('a file that a user puts where a finished download was built stops the next download, and stays', async () => {
  const world = await hubWorld();
  world.hub.push('org/m', { files });
  const place = join(world.storePath, '.skulk/v1/downloads/org--m');
  expect(await world.host('download', 'org/m')).toMatchObject({ status: 0 });
  await writeFiles(place, { 'files/config.json': 'mine' });
  expect(await world.host('delete', 'org/m', '--yes')).toMatchObject({ status: 0 });
  expect(await world.host('download', 'org/m')).toMatchObject({ status: 5, stderr: expect.stringContaining('files/config.json') });
  expect(await readFile(join(place, 'files/config.json'), 'utf8')).toBe('mine');
});

longTest('a file that a user puts where a killed process built a published download stays, also if it has the same length', async () => {
  const world = await hubWorld();
  world.hub.push('org/m', { files });
  const place = join(world.storePath, '.skulk/v1/downloads/org--m');
  const killer = pathToFileURL(join(import.meta.dirname, '../helpers/kill-at-write.mjs')).href;
  const env = { SKULK_HOME: join(world.home, 'host'), HF_ENDPOINT: world.hub.url, NODE_OPTIONS: `--import=${killer}` };
  const killed = (at: string) => runSkulk(['download', 'org/m'], { env: { ...env, SKULK_TEST_KILL_AT: at } });
  // Between the rename of the files and the removal of their record.
  expect(await killed('rm names.json')).toMatchObject({ signal: 'SIGKILL' });
  expect(await readdir(place)).toEqual(expect.arrayContaining(['names.json']));
  expect(await readFile(join(world.storePath, 'org--m/config.json'), 'utf8')).toBe('{}');
  expect(await world.host('delete', 'org/m', '--yes')).toMatchObject({ status: 0 });
  await writeFiles(place, { 'files/config.json': '[]' });
  expect(await world.host('download', 'org/m')).toMatchObject({ status: 5, stderr: expect.stringContaining('files/config.json') });
  expect(await readFile(join(place, 'files/config.json'), 'utf8')).toBe('[]');
  await rm(join(place, 'files/config.json'));
  // Files that the next process moves back from a publication are still skulk's, and are not fetched again.
  const sent = () => world.hub.sent('a.safetensors');
  expect(await killed('rename intents/org--m.json')).toMatchObject({ signal: 'SIGKILL' });
  const before = sent();
  await writeFiles(join(world.home, 'other'), { 'w.gguf': 'other weights' });
  const change = await world.host('add', join(world.home, 'other'), '--as', 'org/other');
  expect(change).toMatchObject({ status: 0, stderr: expect.stringContaining('its moved files are back') });
  expect(await world.host('download', 'org/m')).toMatchObject({ status: 0 });
  expect(sent()).toBe(before);
});

usualTest('a client on the LAN cannot turn a directory of a user in the store into a model', async () => {
  const { place, storePath, serveInProcess, host } = await hostWith({ 'diary.txt': 'mine' });
  await writeFiles(join(storePath, 'notes'), { 'more.txt': 'mine too' });
  const served = await serveInProcess();
  const adopt = (id: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${served.url}/models/${id}/adopt`, { method: 'POST', headers });
  for (const id of ['org%2Fm', 'org/m', 'notes']) {
    expect(await outcomeOf(await adopt(id)), id).toEqual({ code: 'FORBIDDEN' });
    expect((await fetch(`${served.url}/models/${id}/diary.txt`)).status, id).toBe(404);
    expect((await fetch(`${served.url}/models/${id}`, { method: 'DELETE' })).status, id).toBe(404);
  }
  expect(await outcomeOf(await adopt('nobody'))).toEqual({ code: 'FILE_NOT_FOUND' });
  expect(await readFile(join(place, 'diary.txt'), 'utf8')).toBe('mine');
  // A command on this machine uses its key.
  expect(await host('add', place, '--as', 'org/m')).toMatchObject({ status: 0 });
  // A file that the user put beside the files of a model does not become part of the model, which is deleted with it.
  await writeFiles(place, { 'diary-2.txt': 'mine as well' });
  expect(await outcomeOf(await adopt('org/m'))).toEqual({ code: 'FORBIDDEN' });
  const headers = { Authorization: `Bearer ${await adminKeyOf(served.home)}` };
  expect(await outcomeOf(await adopt('notes', headers))).toMatchObject({ entry: { model_id: 'notes' } });
});

usualTest('a directory that appears during a download stays, and the downloaded data is kept', async () => {
  const { place, hub, serveInProcess, nodeInProcess } = await hostWith({});
  await rm(place, { recursive: true, force: true });
  const served = await serveInProcess();
  hub.holdsEnds = true;
  const download = nodeInProcess(served, 'node', 'download', 'org/m');
  await expect.poll(() => hub.requests.length).toBeGreaterThan(0);
  await writeFiles(place, { 'notes.txt': 'mine' });
  hub.holdsEnds = false;
  expect(await download).toMatchObject({ status: 5, stdout: '' });
  expect(await readdir(place)).toEqual(['notes.txt']);
  await rename(place, `${place}-mine`);
  const before = hub.sent('a.safetensors');
  expect(await nodeInProcess(served, 'node', 'download', 'org/m')).toMatchObject({ status: 0 });
  expect(hub.sent('a.safetensors')).toBe(before);
});

usualTest('a file that a user put into a model of the store prevents its replacement, and stays after a delete', async () => {
  const { place, source, host } = await hostWith({});
  await rm(place, { recursive: true, force: true });
  expect(await host('add', source, '--as', 'org/m')).toMatchObject({ status: 0 });
  await writeFiles(place, { 'tuned/mine.gguf': 'mine', 'w.gguf.partial': 'litter' });
  await writeFile(join(source, 'w.gguf'), 'newer weights');
  expect(await host('add', source, '--as', 'org/m', '--force')).toMatchObject({
    status: 5,
    stdout: '',
    stderr: expect.stringContaining('tuned/mine.gguf'),
  });
  expect(await readFile(join(place, 'w.gguf'), 'utf8')).toBe('other weights');
  expect(await host('delete', 'org/m', '--yes')).toMatchObject({ status: 0, stderr: expect.stringContaining('tuned/mine.gguf') });
  expect(await readdir(place, { recursive: true })).toEqual(['tuned', 'tuned/mine.gguf']);
  expect(await readFile(join(place, 'tuned/mine.gguf'), 'utf8')).toBe('mine');
  expect((await host('registry')).stdout).not.toContain('org/m');
});

usualTest('a model that a killed process had moved away for a replacement is restored by the next change', async () => {
  const { place, source, host, storePath } = await hostWith({});
  await rm(place, { recursive: true, force: true });
  expect(await host('add', source, '--as', 'org/m')).toMatchObject({ status: 0 });
  const taken = join(storePath, '.skulk/v1/trash/0123456789abcdef01234567.1.taken');
  await mkdir(taken, { recursive: true });
  await rename(place, join(taken, 'org--m'));
  expect(await host('add', source, '--as', 'org/other')).toMatchObject({ status: 0 });
  expect(await readFile(join(place, 'w.gguf'), 'utf8')).toBe('other weights');
  expect(await readdir(join(storePath, '.skulk/v1/trash'))).toEqual([]);
});

longTest('an id with the maximum length works everywhere', async () => {
  const id = `${'o'.repeat(96)}/${'m'.repeat(96)}`;
  const { source, hub, host, serveInProcess, nodeInProcess, storePath } = await hostWith({});
  hub.push(id, { files });
  expect(await host('add', source, '--as', id)).toMatchObject({ status: 0 });
  await writeFile(join(source, 'w.gguf'), 'newer weights');
  expect(await host('add', source, '--as', id, '--force')).toMatchObject({ status: 0 });
  const served = await serveInProcess();
  const onNode = (...args: string[]) => nodeInProcess(served, 'node', ...args);
  expect(await onNode('stage', id)).toMatchObject({ status: 0 });
  await writeFile(join(source, 'w.gguf'), 'uploaded weights');
  expect(await onNode('add', source, '--as', id, '--force')).toMatchObject({ status: 0 });
  for (const args of [
    ['stage', id],
    ['run', id, '--', 'true'],
    ['purge-staging', '--model', id],
    ['delete', id, '--yes'],
    ['download', id],
    ['stage', id],
    ['verify'],
    ['verify', '--staging'],
    ['reconcile'],
  ])
    expect(await onNode(...args), args[0]).toMatchObject({ status: 0 });
  expect(await readdir(join(storePath, '.skulk/v1/trash'))).toEqual([]);
});
