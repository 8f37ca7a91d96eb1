import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ggufBytes } from '../helpers/gguf-bytes.ts';
import { noise, writeFiles } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const weights = (size: number, seed: number): Buffer => Buffer.concat([ggufBytes({ 'general.architecture': 'llama' }), noise(size, seed)]);
const [first, second] = ['m-Q8_0-00001-of-00002.gguf', 'm-Q8_0-00002-of-00002.gguf'];
const files = { 'm-Q4_K_M.gguf': weights(30_000, 1), [first]: weights(40_000, 2), [second]: weights(20_000, 3), 'config.json': '{}' };

/** A store with a model of two quantizations, and its canonical directory. */
async function storeOfTwo() {
  const home = await temporaryDirectory();
  await writeFiles(join(home, 'source'), files);
  const run = (...args: readonly string[]) => runInProcess(args, { env: { SKULK_HOME: home } });
  const verify = async (...args: readonly string[]) => {
    const { status, stdout } = await run('verify', ...args, '--json');
    return { status, models: (JSON.parse(stdout) as { models: object[] }).models };
  };
  await writeFiles(join(home, 'store'), {});
  expect(await run('add', join(home, 'source'), '--as', 'org/m')).toMatchObject({ status: 0 });
  return { home, run, verify, place: join(home, 'store/org--m') };
}

test('skulk verify MODEL:SELECTOR reads that quantization and its shared files, and no other', async () => {
  const { run, verify, place } = await storeOfTwo();
  await writeFile(join(place, second), weights(20_000, 4));
  expect(await run('verify', 'org/m:q4_k_m')).toMatchObject({ status: 0, stdout: 'org/m:Q4_K_M: ok\n' });
  expect(await run('verify', 'org/m:Q8_0')).toMatchObject({ status: 6, stderr: expect.stringContaining('org/m:Q8_0') });
  // The record of the other one is unchanged, and this one is not served only because its date is right.
  await writeFile(join(place, 'config.json'), '[]');
  expect(await verify('org/m:Q8_0', 'org/m:m-Q4_K_M.gguf')).toMatchObject({
    status: 6,
    models: [
      {
        model_id: 'org/m',
        selector: 'Q8_0',
        status: 'damaged',
        bad_files: [{ path: 'config.json' }, { path: second, problem: 'content' }],
      },
      { model_id: 'org/m', selector: 'Q4_K_M', status: 'damaged', bad_files: [{ path: 'config.json' }] },
    ],
  });
  const { models } = await verify('org/m:Q8_0', 'org/m');
  expect(models).toEqual([expect.not.objectContaining({ selector: expect.anything() })]);
  expect(await run('verify', 'org/m:Q2_K')).toMatchObject({ status: 3, stderr: expect.stringContaining('it has Q4_K_M, Q8_0') });
  expect(await run('verify', 'org/m@v2')).toMatchObject({ status: 3, stderr: expect.stringContaining('not at v2') });
});

test('the file server verifies a quantization, and refuses an invalid reference', async () => {
  const { home, place } = await storeOfTwo();
  await writeFile(join(place, second), weights(20_000, 4));
  const { url } = await serveInProcess({ home });
  const verify = async (...model_ids: string[]) => {
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(`${url}/verify`, { method: 'POST', headers, body: JSON.stringify({ model_ids }) });
    return { status: answer.status, last: JSON.parse((await answer.text()).trimEnd().split('\n').at(-1) ?? '') };
  };
  expect(await verify('org/m:Q4_K_M')).toMatchObject({ status: 200, last: { result: { ok: true, models: [{ selector: 'Q4_K_M' }] } } });
  expect(await verify('org/m:Q8_0')).toMatchObject({ status: 200, last: { result: { ok: false, models: [{ selector: 'Q8_0' }] } } });
  expect(await verify('org/m:Q2_K')).toMatchObject({ status: 404, last: { code: 'FILE_NOT_FOUND', hint: 'it has Q4_K_M, Q8_0' } });
  expect(await verify('org/m:../../x.gguf')).toMatchObject({ status: 400, last: { code: 'BAD_PATH' } });
});
