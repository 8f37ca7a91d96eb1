import { appendFile, mkdir, readFile, rm, rmdir, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type AuditLogOptions, openAuditLog } from '../../src/core/access/audit-log.ts';
import type { ActivityEntry } from '../../src/core/protocol/events.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const entry = (model_id: string): ActivityEntry => ({
  at: '2026-06-15T12:00:00.000Z',
  who: 'token anna',
  from: '10.0.0.2',
  node: null,
  action: 'delete',
  model_id,
  selector: null,
  target: null,
  code: null,
});

/** A log in a directory of its own, and the failures that it reported. */
async function logOf(options: Partial<AuditLogOptions> = {}) {
  const directory = await temporaryDirectory();
  const [file, older, lock] = ['audit.ndjson', 'audit.1.ndjson', 'audit-lock'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  const failures: unknown[] = [];
  const open = () =>
    openAuditLog({ file, older, lock, requireDisk: async () => undefined, onFailure: (error) => failures.push(error), ...options });
  const models = async (count = 100): Promise<readonly unknown[]> => {
    await using log = open();
    return (await log.readLast(count)).map(({ model_id }) => model_id);
  };
  const write = async (...ids: readonly string[]): Promise<void> => {
    await using log = open();
    for (const id of ids) log.append(entry(id));
  };
  return { directory, file, older, failures, open, models, write };
}

test('the log of changes is read again, newest first, by the next server, and only its owner may read the file', async () => {
  const { file, models, write, open } = await logOf();
  expect(await models()).toEqual([]);
  await write('org/one', 'org/two');
  await write('org/three');
  expect(await models()).toEqual(['org/three', 'org/two', 'org/one']);
  expect(await models(2)).toEqual(['org/three', 'org/two']);
  await using log = open();
  expect(await log.readLast(1)).toEqual([entry('org/three')]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await readFile(file, 'utf8')).split('\n').map((line) => (line === '' ? '' : JSON.parse(line).model_id))).toEqual([
    'org/one',
    'org/two',
    'org/three',
    '',
  ]);
});

test('a last line that a power cut left incomplete is left out, and does not damage the next one', async () => {
  const { file, models, write } = await logOf();
  await write('org/one', 'org/two');
  await truncate(file, (await stat(file)).size - 20);
  expect(await models()).toEqual(['org/one']);
  await write('org/three');
  expect(await models()).toEqual(['org/three', 'org/one']);
});

test('lines that cannot be read as entries, such as those of a later version, are left out', async () => {
  const { file, models, write } = await logOf();
  await write('org/one');
  await appendFile(file, `no JSON\n{}\n[]\n${JSON.stringify({ ...entry('org/two'), action: 'teleport' })}\n\n`);
  await write('org/three');
  expect(await models()).toEqual(['org/three', 'org/one']);
});

test('the log of changes uses two files of limited size, and the entries of both are read', async () => {
  const { file, older, write, models, failures, open } = await logOf({ maxBytes: 1_000 });
  for (let round = 0; round < 8; round += 1) {
    await using log = open();
    for (let number = 0; number < 5; number += 1) {
      log.append(entry(`org/${round}-${number}`));
      // Each is written alone.
      await log[Symbol.asyncDispose]();
    }
  }
  expect(failures).toEqual([]);
  const sizes = await Promise.all([file, older].map(async (path) => (await stat(path)).size));
  for (const size of sizes) expect(size).toBeLessThan(1_500);
  const kept = await models();
  expect(kept[0]).toBe('org/7-4');
  expect(kept.length).toBeGreaterThanOrEqual(5);
  expect(new Set(kept).size).toBe(kept.length);
  await write('org/last');
  expect((await models())[0]).toBe('org/last');
});

test('a log that was removed after it had become too large is written anew', async () => {
  const { file, failures, open, models } = await logOf({ maxBytes: 100 });
  await using log = open();
  log.append(entry('org/one'));
  await log[Symbol.asyncDispose]();
  await rm(file);
  log.append(entry('org/two'));
  await log[Symbol.asyncDispose]();
  expect(failures).toEqual([]);
  expect(await models()).toEqual(['org/two']);
});

test('a log that cannot be written is reported once, and its entries are written when it can be', async () => {
  const { file, failures, open, models } = await logOf();
  await symlink('/dev/full', file);
  await using log = open();
  log.append(entry('org/one'));
  await log[Symbol.asyncDispose]();
  log.append(entry('org/two'));
  await log[Symbol.asyncDispose]();
  expect(failures).toEqual([expect.objectContaining({ code: 'BAD_PATH' })]);
  await rm(file);
  log.append(entry('org/three'));
  await log[Symbol.asyncDispose]();
  expect(await models()).toEqual(['org/three', 'org/two', 'org/one']);
  expect(failures).toHaveLength(1);
});

test('a log that cannot be written loses its oldest entries, and nothing is created where the disk is not mounted', async () => {
  let isAway = true;
  const requireDisk = async (): Promise<void> => {
    if (isAway) throw new Error('not mounted');
  };
  const { directory, file, failures, open, models } = await logOf({ requireDisk });
  await rmdir(directory);
  await using log = open();
  for (let number = 0; number < 510; number += 1) log.append(entry(`org/${number}`));
  await log[Symbol.asyncDispose]();
  await expect(stat(directory)).rejects.toThrow('ENOENT');
  expect(failures).toHaveLength(1);
  isAway = false;
  await mkdir(directory);
  log.append(entry('org/last'));
  await log[Symbol.asyncDispose]();
  const kept = await models(1_000);
  expect([kept.length, kept[0], kept.at(-1)]).toEqual([500, 'org/last', 'org/11']);
  expect((await readFile(file, 'utf8')).split('\n')).toHaveLength(501);
});

test('a token that somebody pasted as a name is not saved', async () => {
  const { file, open } = await logOf();
  const [hub, own] = ['hf_AbCdEfGhIjKlMnOpQrStUvWxYz012345678', `skulk_${'a-b_'.repeat(10)}zzz`];
  {
    await using log = open();
    log.append({ ...entry(`org/${hub}`), target: own });
  }
  const text = await readFile(file, 'utf8');
  expect(text).not.toContain(hub);
  expect(text).not.toContain('skulk_');
  expect(JSON.parse(text)).toMatchObject({ model_id: 'org/***', target: '***' });
});

test('a directory with the name of the log is an error for reading it, and does not stop writing requests', async () => {
  const { file, failures, open } = await logOf();
  await mkdir(file);
  await writeFile(join(file, 'x'), '');
  await using log = open();
  await expect(log.readLast(10)).rejects.toMatchObject({ code: 'EISDIR' });
  log.append(entry('org/one'));
  await log[Symbol.asyncDispose]();
  expect(failures).toEqual([expect.objectContaining({ code: 'EISDIR' })]);
});

test('two writers at once lose no entry and damage no line, also when the file becomes too large', async () => {
  const { file, older, failures, open } = await logOf({ maxBytes: 1_000 });
  const count = 8;
  const written = async (name: string): Promise<void> => {
    await using log = open();
    for (let number = 0; number < count; number += 1) {
      log.append(entry(`${name}/${number}`));
      // Each is written alone, so that the two take turns.
      await log[Symbol.asyncDispose]();
    }
  };
  await Promise.all([written('one'), written('two')]);
  expect(failures).toEqual([]);
  const lines = (await Promise.all([older, file].map((path) => readFile(path, 'utf8')))).join('').split('\n').slice(0, -1);
  const kept = lines.map((line) => JSON.parse(line).model_id as string);
  expect((await readFile(file, 'utf8')).length).toBeLessThan(1_500);
  // What is kept are the last entries of each writer, in their order.
  for (const name of ['one', 'two']) {
    const own = kept.filter((id) => id.startsWith(name));
    expect(own).toEqual(Array.from({ length: own.length }, (_, index) => `${name}/${count - own.length + index}`));
  }
  expect(kept.length).toBeGreaterThan(4);
});

test('an entry of another process is seen at the next look, and its file is not moved away again', async () => {
  // Two entries are more than this.
  const { file, older, open } = await logOf({ maxBytes: 250 });
  await using server = open();
  server.append(entry('org/one'));
  server.append(entry('org/two'));
  expect((await server.readLast(10)).map(({ model_id }) => model_id)).toEqual(['org/two', 'org/one']);
  {
    await using command = open();
    command.append(entry('org/three'));
  }
  // The command has made the file the older one.
  expect((await readFile(older, 'utf8')).split('\n')).toHaveLength(3);
  expect((await server.readLast(10)).map(({ model_id }) => model_id)).toEqual(['org/three', 'org/two', 'org/one']);
  server.append(entry('org/four'));
  expect((await server.readLast(10)).map(({ model_id }) => model_id)).toEqual(['org/four', 'org/three', 'org/two', 'org/one']);
  expect((await readFile(file, 'utf8')).split('\n')).toHaveLength(3);
});

test('a search reads both files and what waits for the disk, newest first, and says whether there is more', async () => {
  const { file, open, failures } = await logOf({ maxBytes: 500 });
  await using log = open();
  for (const id of ['org/one', 'other/two', 'org/three', 'org/four']) {
    log.append(entry(id));
    await log[Symbol.asyncDispose]();
  }
  const search = async (limit: number): Promise<unknown> => {
    const { entries, more } = await log.search({ limit, pick: (one) => (one.model_id?.startsWith('org/') === true ? one : undefined) });
    return [entries.map(({ model_id }) => model_id), more];
  };
  expect(await search(2)).toEqual([['org/four', 'org/three'], true]);
  expect(await search(3)).toEqual([['org/four', 'org/three', 'org/one'], false]);
  await rm(file);
  await symlink('/dev/full', file);
  for (const id of ['org/five', 'org/six']) log.append(entry(id));
  await log[Symbol.asyncDispose]();
  expect(failures).toHaveLength(1);
  await rm(file);
  expect(await search(1)).toEqual([['org/six'], true]);
  expect(await search(2)).toEqual([['org/six', 'org/five'], expect.any(Boolean)]);
});
