import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

/** A store host with a model of two quantizations, which was added without a revision, and a node of it. */
async function storeAndNode() {
  const home = await temporaryDirectory();
  const model = join(home, 'model');
  await mkdir(model);
  for (const name of ['x-Q4_K_M.gguf', 'x-Q8_0.gguf', 'config.json']) await writeFile(join(model, name), `${name}\n`);
  const { url } = await serveInProcess({ home: join(home, 'host') });
  const node = (...args: string[]) => runInProcess(args, { env: { SKULK_HOME: join(home, 'node'), SKULK_STORE: url } });
  const added = await node('add', model, '--as', 'https://huggingface.co/org/x');
  expect(added).toMatchObject({ status: 0, stdout: expect.stringContaining('next: skulk stage org/x\n') });
  return node;
}

test('every command accepts a pasted reference', async () => {
  const node = await storeAndNode();
  const file = 'https://huggingface.co/org/x/blob/main/x-Q8_0.gguf';
  const shown = await node('show', file, '--json');
  expect(JSON.parse(shown.stdout)).toMatchObject({ total_bytes: 24, files: [{ path: 'config.json' }, { path: 'x-Q8_0.gguf' }] });
  const staged = await node('stage', file);
  expect(staged).toMatchObject({ status: 0, stdout: expect.stringMatching(/\/org--x\n$/) });
  expect(await node('activate', 'hf.co/org/x:q8_0', '--pid', String(process.pid))).toMatchObject({ status: 0, stdout: staged.stdout });
  expect(await node('activate', 'org/x:Q4_K_M', '--pid', String(process.pid))).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('run `skulk stage org/x:Q4_K_M` first'),
  });
  expect(await node('deactivate', file)).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('released 1 lease on org/x:x-Q8_0.gguf'),
  });
  expect(await node('verify', file, 'hf://org/x')).toMatchObject({ status: 0 });
  expect(await node('verify', '--staging', file)).toMatchObject({ status: 0 });
  expect(await node('cancel', file)).toMatchObject({ status: 3, stderr: expect.stringContaining('org/x') });
  expect(await node('downloads', file)).toMatchObject({ status: 0, stdout: '' });
  expect(await node('purge-staging', 'hf://org/x')).toMatchObject({ status: 0, stdout: expect.stringContaining('removed org/x') });
  expect(await node('delete', 'https://huggingface.co/org/x/tree/v2', '--yes')).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('org/x exists here without a revision, not at v2'),
  });
  expect(await node('delete', 'https://huggingface.co/org/x/tree/main', '--yes')).toMatchObject({ status: 0 });
});

test('an unknown selector fails with 3 and a list of selectors, and removes nothing', async () => {
  const node = await storeAndNode();
  expect(await node('show', 'org/x:Q2_K')).toMatchObject({
    status: 3,
    stderr: expect.stringMatching(/has no Q2_K.*\n.*it has Q4_K_M, Q8_0/),
  });
  expect(await node('show', 'org/x@v2')).toMatchObject({ status: 3, stderr: expect.stringContaining('not at v2') });
  await node('stage', 'org/x');
  expect(await node('purge-staging', 'org/x:Q2_K')).toMatchObject({
    status: 3,
    stderr: expect.stringMatching(/org\/x:Q2_K is not staged.*\n.*it has Q4_K_M/),
  });
  expect(await node('delete', 'hf.co/org/x:Q2_K', '--yes')).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('it has Q4_K_M, Q8_0'),
  });
  expect(await node('verify', '--staging', 'org/x')).toMatchObject({ status: 0 });
});

test('purge-staging accepts several models, and removes none if one is missing', async () => {
  const node = await storeAndNode();
  await node('stage', 'org/x');
  expect(await node('purge-staging', 'org/x', 'org/y')).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('org/y is not staged'),
  });
  expect((await node('staging')).stdout).toContain('1 model');
  expect(await node('purge-staging', '--all-nodes', 'org/x', 'org/y', '--yes')).toMatchObject({ status: 0 });
  expect((await node('staging')).stdout).toContain('0 models');
});
