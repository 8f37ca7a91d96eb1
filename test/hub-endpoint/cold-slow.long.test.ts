import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, sha256 } from '../helpers/model-files.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { clientPath, wants } from '../helpers/wants.ts';

const run = promisify(execFile);
const weights = noise(11 * 1024 * 1024, 3);
const [slowBytes, everyMs] = [8, 5_000];

/** A store without the model. Its Hub sends the first bytes of the weights one at a time, five seconds apart. */
async function slowWorld() {
  const world = await hubWorld();
  world.hub.push('org/m', { files: { 'config.json': '{}', 'model.safetensors': weights } });
  world.hub.fault = async ({ path, host, response }) => {
    if (path !== 'model.safetensors' || host !== 'cdn') return false;
    response.writeHead(200, { 'Content-Length': String(weights.length) }).flushHeaders();
    let at = 0;
    for (; at < slowBytes && !response.destroyed; at += 1) {
      await pause(everyMs);
      response.write(weights.subarray(at, at + 1));
    }
    response.end(weights.subarray(at));
    return true;
  };
  const cwd = await temporaryDirectory();
  return { host: await world.serve(), cwd };
}

test('curl gets a whole file of which Hugging Face sends one byte every five seconds', async () => {
  const { host, cwd } = await slowWorld();
  await run('curl', ['-sSf', '--noproxy', '*', '-o', 'file', `${host.url}/org/m/resolve/main/model.safetensors`], { cwd });
  expect(sha256(await readFile(join(cwd, 'file')))).toBe(sha256(weights));
});

test('hf gets a whole file of which Hugging Face sends one byte every five seconds', wants('hf'), async () => {
  const { host, cwd } = await slowWorld();
  const env = { PATH: clientPath, HOME: cwd, HF_ENDPOINT: host.url, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' };
  await run('hf', ['download', 'org/m', 'model.safetensors'], { cwd, env });
  const blobs = join(cwd, '.cache/huggingface/hub/models--org--m/blobs');
  expect(await readdir(blobs)).toEqual([sha256(weights)]);
  expect(sha256(await readFile(join(blobs, sha256(weights))))).toBe(sha256(weights));
});
