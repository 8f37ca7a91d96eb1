import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { writeFiles } from '../helpers/model-files.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

usualTest.each([
  ['purge me/x', 'did you mean "skulk purge-staging"'],
  ['search qwen', 'skulk registry WORD'],
  ['start', 'did you mean "skulk serve"'],
  ['models', 'did you mean "skulk registry"'],
  ['unstage me/x', 'did you mean "skulk purge-staging"'],
  ['clean', 'did you mean "skulk reconcile"'],
  ['update', 'did you mean "skulk upgrade"'],
  ['uninstall', 'sh install.sh --uninstall'],
  ['run me/x', 'hint: use: skulk run me/x -- PROGRAM ARGUMENTS'],
  ['run --token secret me/x --', 'hint: use: skulk run me/x -- PROGRAM ARGUMENTS'],
  ['run -- me/x -- ls', 'hint: use: skulk run me/x -- PROGRAM ARGUMENTS'],
  ['run -- ls', 'hint: use: skulk run MODEL -- PROGRAM ARGUMENTS'],
  ['show me/x --use lm-studio', 'hint: did you mean lmstudio?'],
  ['add model me/x', 'the id of the model follows --as'],
  ['stage ./model', '`skulk add PATH --as org/name` adds files to the store'],
  ['stage ~/model', '"~/model" is not a model id: it is a path'],
  ['health --store mac-studio-1', 'use the form http://mac-studio-1:58080;'],
  ['health --store http://10.0.0.9:52415/#code=abc', 'usually http://10.0.0.9:58080;'],
])('%s explains what to type instead', async (line, hint) => {
  const ended = await runInProcess(line.split(' '), { env: { SKULK_HOME: await temporaryDirectory() } });
  expect(ended).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining(hint) });
});

usualTest('config init warns if its file replaces the one of the user, and if an older store is left aside', async () => {
  const home = await temporaryDirectory();
  const env = { HOME: home, XDG_CONFIG_HOME: join(home, 'xdg'), SKULK_HOME: join(home, 'skulk') };
  await writeFiles(home, { 'model/config.json': '{}' });
  const [work, disk] = [join(home, 'work'), join(home, 'disk')];
  await Promise.all([work, disk, join(home, 'xdg/skulk')].map((path) => mkdir(path, { recursive: true })));
  expect(await runInProcess(['add', join(home, 'model'), '--as', 'org/model'], { env })).toMatchObject({ status: 0 });
  const users = join(home, 'xdg/skulk/skulk.yaml');
  const init = (...args: readonly string[]) => runInProcess(['config', 'init', ...args], { env, cwd: work });
  const first = await init('--config', users, '--store-path', disk);
  expect(first.status).toBe(0);
  expect(first.stderr).toContain(`the models in ${join(home, 'skulk/store')} are not in the store at ${disk}`);
  expect(first.stderr).not.toContain('now replaces');
  const second = await init('--store-host', 'kite3');
  expect(second.status).toBe(0);
  expect(second.stderr).toContain(`in ${work} and below, ${join(work, 'skulk.yaml')} now replaces ${users}`);
  // A node has no store.
  expect(second.stderr).not.toContain('the models in');
});

usualTest('a new store host without a directory of the store is sent to serve, and add creates the directory', async () => {
  const home = await temporaryDirectory();
  const env = { HOME: home, XDG_CONFIG_HOME: join(home, 'xdg'), SKULK_HOME: join(home, 'skulk') };
  await writeFiles(home, { 'model/config.json': '{}' });
  expect((await runInProcess(['config', 'init'], { env, cwd: home })).status).toBe(0);
  const asked = await runInProcess(['registry'], { env, cwd: home });
  expect(asked).toMatchObject({ status: 2, stdout: '' });
  expect(asked.stderr).toContain('this machine is the store host, but has no store yet');
  expect(asked.stderr).toContain('hint: `skulk serve` and `skulk add` create it');
  expect(await runInProcess(['add', join(home, 'model'), '--as', 'org/model'], { env, cwd: home })).toMatchObject({ status: 0 });
  expect((await runInProcess(['registry'], { env, cwd: home })).stdout).toContain('org/model');
});
