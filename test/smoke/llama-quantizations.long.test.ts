import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ggufBytes } from '../helpers/gguf-bytes.ts';
import { mapFile } from '../helpers/mapped-file.ts';
import { noise, writeFiles } from '../helpers/model-files.ts';
import { ownEnvironment } from '../helpers/own-environment.ts';
import { llamaQuantize } from '../helpers/quantizer.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { startSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { writeTinyLlama, writeTinyLlamaShards } from '../helpers/tiny-llama.ts';
import { wants } from '../helpers/wants.ts';

const llamaScript = fileURLToPath(new URL('../llama/run-in-llama.js', import.meta.url));
const run = promisify(execFile);

/** The description of a model that llama.cpp has loaded. */
interface Said {
  readonly skipped?: string;
  readonly text?: string;
  /** The size of all tensors, in bytes. */
  readonly size?: number;
  /** The value of `general.file_type`: 2 is Q4_0, 7 is Q8_0. */
  readonly type?: number;
  readonly words?: readonly string[];
}
const saidIn = (stdout: string): Said => JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Said;
const load = async (...args: readonly string[]): Promise<Said> =>
  saidIn((await run(process.execPath, [llamaScript, ...args], { env: ownEnvironment({}) })).stdout);

/** A store with real quantizations of one model, whole ones and one in shards, a projector, and files whose names are not weights. */
async function llamaStore() {
  const home = await temporaryDirectory();
  const source = join(home, 'source');
  await mkdir(join(source, 'F32'), { recursive: true });
  const whole = join(home, 'whole.gguf');
  await writeTinyLlama(whole);
  for (const type of ['Q8_0', 'Q4_0']) await run(process.execPath, [llamaQuantize, whole, join(source, `tiny-${type}.gguf`), type]);
  await writeTinyLlamaShards((no, of) => join(source, 'F32', `tiny-F32-0000${no}-of-0000${of}.gguf`), 3);
  const projector = ggufBytes({ 'general.architecture': 'clip', 'general.type': 'mmproj' });
  await writeFiles(source, { 'mmproj-F16.gguf': projector, 'imatrix.gguf': noise(500, 1), 'config.json': '{}' });
  expect(await runInProcess(['add', source, '--as', 'org/tiny'], { env: { SKULK_HOME: home } })).toMatchObject({ status: 0 });
  const { url } = await serveInProcess({ home });
  const env = { SKULK_HOME: join(home, 'node'), SKULK_STORE: url };
  const node = (...args: readonly string[]) => runInProcess(args, { env });
  /** `skulk run`, whose program is a process. */
  const start = (...args: readonly string[]) => startSkulk(args, { env }).exited;
  return { node, start, whole, copy: join(home, 'node', 'staging', 'org--tiny') };
}

test(
  'llama.cpp loads each of several quantizations in one directory, also one in shards, and those that remain after a removal',
  wants('llama.cpp', 'llama-quantize'),
  async () => {
    const { node, start, whole, copy } = await llamaStore();
    const mmproj = join(copy, 'mmproj-F16.gguf');
    /** The output of llama.cpp in `skulk run`, with the projector in its arguments too. */
    const runLlama = async (selector: string): Promise<Said> => {
      const program = ['--', process.execPath, llamaScript, '{gguf}', '--mmproj', '{mmproj}'];
      const { status, stdout, stderr } = await start('run', `org/tiny:${selector}`, ...program);
      expect(status, stderr).toBe(0);
      const said = saidIn(stdout);
      if (said.skipped === undefined) expect(said.words).toEqual(['--mmproj', mmproj]);
      return said;
    };
    const gguf = async (ref: string): Promise<string> => (await node('stage', ref, '--print', 'gguf')).stdout.trim();
    const names = async () => (await readdir(copy, { recursive: true })).filter((name) => name.endsWith('.gguf')).toSorted();

    expect(await node('stage', 'org/tiny:Q8_0', 'org/tiny:F32', 'org/tiny:Q4_0', '--keep', '1h')).toMatchObject({ status: 0 });
    const [full, q8, q4, shards] = [await load(whole), await runLlama('Q8_0'), await runLlama('Q4_0'), await runLlama('F32')];
    if (full.skipped !== undefined) return;
    expect([q8.type, q4.type]).toEqual([7, 2]);
    // All tensors of all shards, of which llama.cpp gets the first.
    expect(shards.size).toBe(full.size);
    expect(new Set([q8.size, q4.size, full.size]).size).toBe(3);
    for (const { text } of [q8, q4, shards]) expect(text?.length).toBeGreaterThan(0);
    expect(await gguf('org/tiny:Q8_0')).toBe(join(copy, 'tiny-Q8_0.gguf'));
    expect(await gguf('org/tiny:f32')).toBe(join(copy, 'F32', 'tiny-F32-00001-of-00003.gguf'));
    // Without a selector it is the best of those in the store.
    expect(await gguf('org/tiny')).toBe(join(copy, 'tiny-Q4_0.gguf'));

    const held = await mapFile(join(copy, 'tiny-Q4_0.gguf'));
    const before = await held.digest();
    for (const gone of ['F32', 'Q8_0']) expect(await node('purge-staging', `org/tiny:${gone}`, '--force')).toMatchObject({ status: 0 });
    expect(await names()).toEqual(['mmproj-F16.gguf', 'tiny-Q4_0.gguf']);
    expect(await runLlama('Q4_0')).toEqual(q4);
    expect(await runLlama('F32')).toEqual(shards);
    expect(await held.digest()).toBe(before);
  },
);
