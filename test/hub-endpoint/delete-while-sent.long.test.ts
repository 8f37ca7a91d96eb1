import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { heldReader } from '../helpers/held-reader.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, sha256, writeFiles } from '../helpers/model-files.ts';
import { ask } from '../helpers/raw-http.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { until } from '../helpers/waiting.ts';

const large = noise(24 * 1024 * 1024, 1);
const other = noise(large.length, 2);
const file = '/org/m/resolve/main/m-Q4_K_M.gguf';

test.each([
  ['a file of the Hub', 'the store host', file],
  ['a blob of the registry', 'the store host', `/v2/org/m/blobs/sha256:${sha256(large)}`],
  ['a file that a node passes on', 'a node', file],
] as const)(
  'a model that is deleted while a client reads %s gives right bytes or a closed connection, and is removed completely',
  async (_, server, target) => {
    const world = await hubWorld();
    for (const [name, content] of Object.entries({ one: large, two: other }))
      await writeFiles(join(world.home, name), { 'm-Q4_K_M.gguf': content });
    const add = (name: string) => world.host('add', join(world.home, name), '--as', 'org/m');
    expect(await add('one')).toMatchObject({ status: 0 });
    const host = await world.serveInProcess();
    const url =
      server === 'a node'
        ? (await serveInProcess({ home: join(world.home, 'n1'), args: ['--role', 'node'], env: { SKULK_STORE: host.url } })).apiUrl
        : host.url;
    const reader = await heldReader(url + target);
    expect(await world.host('delete', 'org/m', '--yes')).toMatchObject({ status: 0 });
    expect((await ask(url, target, { method: 'HEAD' })).status).toBe(404);
    await until('an empty trash', async () => (await readdir(join(world.storePath, '.skulk/v1/trash')).catch(() => [])).length === 0);
    expect((await readdir(world.storePath)).filter((name) => name.includes('--'))).toEqual([]);
    // Other bytes under the same name are not sent to this reader.
    expect(await add('two')).toMatchObject({ status: 0 });
    const { bytes, isWhole } = await reader.end();
    expect(bytes.equals(large.subarray(0, bytes.length))).toBe(true);
    expect(isWhole).toBe(bytes.length === large.length);
  },
);
