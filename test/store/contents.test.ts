import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ggufBytes } from '../helpers/gguf-bytes.ts';
import { noise, writeFiles } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import type { Ended } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 4920734272\n`;
const page = '<!doctype html><title>429 Too Many Requests</title>';
const index = JSON.stringify({ weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' } });
const clone = { 'config.json': '{}', 'model.safetensors.index.json': index, 'model-00001-of-00002.safetensors': pointer };

/** A directory, and the commands of its store host. */
async function host(files: Readonly<Record<string, string | Uint8Array>>) {
  const home = await temporaryDirectory();
  const source = join(home, 'm');
  await writeFiles(source, files);
  const env = { SKULK_HOME: join(home, 'host') };
  return { home, source, run: (...args: string[]): Promise<Ended> => runInProcess(args, { env }) };
}

test('files that no program can load are added with a warning for each file, and verify calls the model incomplete', async () => {
  const { source, run } = await host(clone);
  const added = await run('add', source, '--as', 'org/m', '--json');
  expect(added.status, added.stderr).toBe(0);
  expect(JSON.parse(added.stdout).problems).toEqual([
    { path: 'model-00001-of-00002.safetensors', kind: 'incomplete', reason: expect.stringContaining('Git LFS pointer') },
    { path: 'model.safetensors.index.json', kind: 'incomplete', reason: 'it names "model-00002-of-00002.safetensors", which is missing' },
  ]);
  expect(added.stderr).toContain(
    'warning: org/m: "model.safetensors.index.json" cannot be used: it names "model-00002-of-00002.safetensors", which is missing',
  );
  expect(added.stderr.match(/--strict refuses such files/g)).toHaveLength(1);
  const again = await run('add', source, '--as', 'org/m');
  expect([again.status, again.stdout]).toEqual([0, expect.not.stringContaining('next:')]);
  const verified = await run('verify', '--json');
  expect(verified.status).toBe(6);
  expect(JSON.parse(verified.stdout)).toMatchObject({
    ok: false,
    models: [
      {
        model_id: 'org/m',
        status: 'incomplete',
        bad_files: [
          { path: 'model-00001-of-00002.safetensors', problem: 'unusable', reason: expect.stringContaining('Git LFS pointer') },
          { path: 'model.safetensors.index.json', problem: 'unusable' },
        ],
      },
    ],
  });
  const table = await run('verify');
  expect(table.stdout).toMatch(/^org\/m: cannot be used \(/m);
  // It restores records, which are correct.
  expect(table.stderr).not.toContain('--repair');
  expect(table.stderr).toContain('add or download a complete model');
  expect(table.stdout).toMatch(/model-00001-of-00002\.safetensors +it is a Git LFS pointer/);
});

test('--strict refuses such a model before anything is copied, moved or sent', async () => {
  const { home, source, run } = await host({ ...clone, 'page.gguf': page });
  const refused = await run('add', source, '--as', 'org/m', '--strict', '--move');
  expect(refused).toMatchObject({ status: 6, stdout: '' });
  expect(refused.stderr).toMatch(/is refused: "model-00001-of-00002\.safetensors" cannot be used: .* \(and 2 more\)/);
  expect((await readdir(source)).length).toBe(4);
  // From another machine, whose store is behind HTTP.
  const served = await serveInProcess({ home: join(home, 'host') });
  onTestFinished(() => served[Symbol.asyncDispose]());
  const sent = await runInProcess(['add', source, '--as', 'org/m', '--strict'], {
    env: { SKULK_HOME: join(home, 'node'), SKULK_STORE: served.url },
  });
  expect(sent).toMatchObject({ status: 6, stdout: '' });
  expect(await (await fetch(`${served.url}/models`)).json()).toEqual([]);
});

test('weights of an unknown format cause a warning, but the copy is not called damaged', async () => {
  const { source, run } = await host({ 'm.gguf': noise(5_000), 'config.json': '{}' });
  const added = await run('add', source, '--as', 'org/m');
  expect(added.status).toBe(0);
  expect(added.stderr).toContain('it does not begin with "GGUF"');
  expect(await run('verify')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^org\/m: ok \(but "m\.gguf" cannot be used: /) });
  expect((await run('add', source, '--as', 'org/n', '--strict')).status).toBe(6);
});

test('a complete model has no warning', async () => {
  const { source, run } = await host({ 'm-Q4_K_M.gguf': ggufBytes({ 'general.architecture': 'llama' }), 'README.md': page });
  expect(await run('add', source, '--as', 'org/m', '--strict', '--no-progress')).toMatchObject({
    status: 0,
    // One about the new store, but none about the model.
    stderr: expect.not.stringContaining('org/m'),
  });
  expect(await run('verify')).toMatchObject({ status: 0, stdout: 'org/m: ok\n' });
});

test('everywhere a model is chosen, one that no program can load has the reason beside it', async () => {
  const good = ggufBytes({ 'general.architecture': 'llama' });
  const { home, source, run } = await host(clone);
  const gguf = join(home, 'gguf');
  await writeFiles(gguf, { 'm-Q4_K_M.gguf': good, 'm-Q8_0.gguf': '' });
  await run('add', source, '--as', 'org/m');
  await run('add', gguf, '--as', 'org/g');
  const served = await serveInProcess({ home: join(home, 'host') });
  onTestFinished(() => served[Symbol.asyncDispose]());
  const node = (...args: string[]): Promise<Ended> =>
    runInProcess(args, { env: { SKULK_HOME: join(home, 'node'), SKULK_STORE: served.url } });
  const isPointer = '"model-00001-of-00002.safetensors" is a Git LFS pointer';

  const listed = await node('registry');
  expect(listed.stderr).toContain(`no program can load org/m: ${isPointer}`);
  expect(listed.stderr).toContain('no program can load org/g:Q8_0: "m-Q8_0.gguf" is empty');
  const { entries } = JSON.parse((await node('registry', '--json')).stdout);
  const empty = [{ path: 'm-Q8_0.gguf', reason: 'it is empty', selector: 'Q8_0' }];
  expect(entries.map(({ problems }: { problems: unknown }) => problems)).toEqual([empty, expect.objectContaining({ length: 2 })]);
  expect(await (await fetch(`${served.apiUrl}/v1/models`)).json()).toMatchObject({ data: [{ problems: empty }, { id: 'org/m' }] });

  expect((await node('show', 'org/m')).stdout).toContain(`problem   no program can load this model: ${isPointer}`);
  expect((await node('show', 'org/g')).stdout).toContain('problem   no program can load Q8_0: "m-Q8_0.gguf" is empty\n');
  expect((await node('show', 'org/g:Q4_K_M')).stdout).not.toContain('problem');

  for (const args of [
    ['stage', 'org/m', '--dry-run'],
    ['stage', 'org/m'],
    ['stage', 'org/m'],
    ['stage', 'org/m', '--offline'],
  ] as const) {
    const staged = await node(...args);
    expect(staged).toMatchObject({ status: 0, stderr: expect.stringContaining(`warning: no program can load org/m: ${isPointer}`) });
    expect(staged.stderr).toContain('skulk add PATH --as org/m --force');
  }
  expect((await node('run', 'org/g:Q8_0', '--', 'true')).stderr).toContain('no program can load org/g:Q8_0: "m-Q8_0.gguf" is empty');
  expect((await node('run', 'org/g:Q4_K_M', '--', 'true')).stderr).not.toContain('no program');
  expect((await node('stage', 'org/g:Q8_0', '--offline')).stderr).toContain('no program can load org/g:Q8_0: "m-Q8_0.gguf" is empty');
  expect((await node('stage', 'org/g:Q4_K_M', '--offline')).stderr).not.toContain('no program');
  // No file is named as the one to load.
  for (const args of [['stage'], ['stage', '--offline'], ['run', '-v']] as const) {
    const [verb, ...flags] = args;
    const rest = verb === 'run' ? ['--', 'true'] : [];
    expect((await node(verb, ...flags, 'org/g:Q8_0', ...rest)).stderr).not.toContain('the file to load');
    expect((await node(verb, ...flags, 'org/g:Q4_K_M', ...rest)).stderr).toContain('org/g: the file to load is m-Q4_K_M.gguf');
  }
  expect(JSON.parse((await node('stage', 'org/g:Q8_0', '--json')).stdout)).toMatchObject({ staged: [{ problems: empty }] });

  const copies = await node('staging');
  expect(copies.stderr).toContain(`no program can load org/m: ${isPointer}`);
  expect(copies.stderr).toContain('no program can load org/g:Q8_0: "m-Q8_0.gguf" is empty');
  expect(copies.stderr.match(/no program can load/g)).toHaveLength(2);
  const { models } = JSON.parse((await node('staging', '--json')).stdout) as { models: { model_id: string; problems?: unknown }[] };
  expect(models.find(({ model_id }) => model_id === 'org/g')?.problems).toEqual(empty);
  expect(await node('purge-staging', 'org/g:Q4_K_M')).toMatchObject({ status: 0 });
  // The only quantization of a copy is named too.
  expect((await node('staging')).stderr).toContain('no program can load org/g:Q8_0: "m-Q8_0.gguf" is empty');

  const { nodes } = JSON.parse((await run('nodes', '--json')).stdout) as { nodes: { node_id: string; staged_models: number }[] };
  const other = nodes.find(({ staged_models }) => staged_models > 0)?.node_id ?? '';
  const ordered = await run('stage', 'org/m', 'org/g:Q8_0', 'org/g:Q4_K_M', '--on', other);
  expect(ordered).toMatchObject({ status: 9, stderr: expect.stringContaining(`warning: no program can load org/m: ${isPointer}`) });
  expect(ordered.stderr.match(/no program can load/g)).toHaveLength(2);

  // The result of reading the heads is kept until a file changes.
  expect(JSON.parse(await readFile(join(served.storePath, '.skulk/v1/problems/org--g.json'), 'utf8'))).toMatchObject({ problems: empty });
  await writeFiles(gguf, { 'm-Q8_0.gguf': good });
  await run('add', gguf, '--as', 'org/g', '--force');
  expect((await node('registry')).stderr).not.toContain('org/g');

  // It goes with the model.
  const cached = async (): Promise<readonly string[]> => (await readdir(join(served.storePath, '.skulk/v1/problems'))).toSorted();
  expect(await cached()).toEqual(['org--g.json', 'org--m.json']);
  // The node has not answered yet.
  expect(await run('delete', 'org/g', '--yes')).toMatchObject({ status: 9 });
  expect(await cached()).toEqual(['org--m.json']);
});

test('a directory of several models, and a single file without weights, cause a warning', async () => {
  const { home, source, run } = await host({ 'llama-7b-Q4_K_M.gguf': ggufBytes({}), 'sub/phi/phi-Q4_0.gguf': ggufBytes({}) });
  const added = await run('add', source, '--as', 'org/m');
  expect(added.status).toBe(0);
  expect(added.stderr).toContain('warning: org/m becomes one model, but its files have the names of 2 models: "llama-7b", "phi"');
  expect(added.stderr).toContain('skulk add FILE --as ID');
  await writeFiles(home, { 'skulk.yaml': 'a: b' });
  const file = join(home, 'skulk.yaml');
  expect((await run('add', file, '--as', 'org/s', '--strict')).status).toBe(6);
  const alone = await run('add', file, '--as', 'org/s');
  expect(alone).toMatchObject({ status: 0, stderr: expect.stringContaining('warning: org/s: the file has no weights that skulk knows') });
  // Only a tokenizer, perhaps.
  await writeFiles(home, { 'parts/tokenizer.json': '{}' });
  expect((await run('add', join(home, 'parts'), '--as', 'org/t', '--strict')).stderr).not.toContain('no weights');
});
