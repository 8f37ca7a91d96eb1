import { expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise } from '../helpers/model-files.ts';

test('the status of a download with few or no missing bytes ends with its full size, never with 0 of 0', async () => {
  const world = await hubWorld();
  const four = { 'Foo-Q4_K_M.gguf': noise(3_000, 1), 'config.json': '{}' };
  const eight = { 'Foo-Q8_0.gguf': noise(5_000, 2) };
  world.hub.push('org/g', { files: { ...four, ...eight } });
  const { url } = await world.serveInProcess();
  const download = async (...args: string[]) => JSON.parse((await world.host('download', ...args, '--json')).stdout);
  const ask = async (method: string, path: string, body?: object) =>
    (
      await fetch(`${url}/models/org/g/download${path}`, {
        method,
        ...(body !== undefined && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
      })
    ).json();
  const bytes = (count: number) => ({ status: 'complete', progress: 1, bytes_done: count, bytes_total: count });

  expect(await download('org/g')).toMatchObject(bytes(3_002));
  // Existing bytes are not counted.
  expect(await download('org/g:Q8_0')).toMatchObject(bytes(5_000));
  expect(await ask('GET', '/status')).toMatchObject(bytes(5_000));
  // The store has it under another spelling, without a job of its own.
  expect(await ask('POST', '', { gguf_file: 'Foo-Q8_0.gguf' })).toMatchObject(bytes(5_000));
  // A new commit with the same content: no file is downloaded.
  world.hub.push('org/g', { files: { ...four, ...eight } });
  expect(await download('org/g', '--revision', 'main')).toMatchObject(bytes(8_002));
  expect(await ask('GET', '/status')).toMatchObject(bytes(8_002));
});
