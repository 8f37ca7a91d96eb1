import { readFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { readFromSecond } from '../../src/core/connect/second-store.ts';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import { countedDoor } from '../helpers/counted-door.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, sha256, writeFiles } from '../helpers/model-files.ts';
import { ask } from '../helpers/raw-http.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { serveModels, stagingNode } from '../helpers/staging-node.ts';

const weights = noise(3 * 1024 * 1024, 21);
const files = { 'config.json': '{"a":1}', 'model.safetensors': weights };

/** A store that nodes reach through a door, and the store of a second machine that has a copy of its model. */
async function twoStores({ env = {} }: { readonly env?: Readonly<Record<string, string>> } = {}) {
  const world = await hubWorld();
  const source = join(world.home, 'source');
  await writeFiles(source, files);
  expect(await world.host('add', source, '--as', 'org/m')).toMatchObject({ status: 0 });
  const main = await world.serveInProcess();
  const door = await countedDoor(main.url);
  const home = join(world.home, 'second');
  const second = await serveInProcess({ home, env: { HF_ENDPOINT: 'http://127.0.0.1:1', SKULK_UPSTREAM: main.url, ...env } });
  const own = { HF_ENDPOINT: 'http://127.0.0.1:1', SKULK_CONNECT_TIMEOUT: '30' };
  const fill = await runInProcess(['stage', 'org/m'], { env: { ...own, SKULK_HOME: join(world.home, 'filler'), SKULK_STORE: second.url } });
  expect(fill).toMatchObject({ status: 0 });
  const node = (name: string, args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    runInProcess(args, {
      env: {
        ...own,
        SKULK_HOME: join(world.home, name),
        SKULK_STORE: door.url,
        SKULK_SECOND_STORES: `http://127.0.0.1:1,${second.url}`,
        ...more,
      },
    });
  return { world, main, door, second, node };
}

const nodesOf = async (url: string) => ((await ask(url, '/nodes')).json() as { node_id: string }[]).map(({ node_id }) => node_id);

longTest('while the store is away, registry, show, stage and run read from the second store, which is named in one line', async () => {
  const { world, door, second, node } = await twoStores();
  const before = await node('n0', ['registry']);
  expect(before).toMatchObject({ status: 0, stderr: '' });
  const nodes = await nodesOf(second.url);
  await door.shut();
  for (const args of [['registry'], ['show', 'org/m'], ['stage', '--dry-run', 'org/m']]) {
    const ended = await node('n1', args);
    expect(ended, args.join(' ')).toMatchObject({ status: 0 });
    expect(ended.stderr.match(/reading from the second store/g), args.join(' ')).toHaveLength(1);
    expect(ended.stderr).toContain(`; reading from the second store ${second.url}\n`);
    expect(ended.stderr).toContain('cannot be added, downloaded, deleted or ordered until the store answers');
  }
  const listed = /^org\/m +3\.00 MiB/m;
  expect(before.stdout).toMatch(listed);
  expect((await node('n1', ['registry'])).stdout).toMatch(listed);
  const staged = await node('n1', ['stage', 'org/m']);
  expect(staged).toMatchObject({ status: 0, stdout: `${join(world.home, 'n1', 'staging', 'org--m')}\n` });
  expect(sha256(await readFile(join(staged.stdout.trim(), 'model.safetensors')))).toBe(sha256(weights));
  const seen = join(world.home, 'seen');
  const program = 'require("node:fs").writeFileSync(process.argv[1], process.argv[2])';
  const ran = await node('n2', ['run', 'org/m', '--', process.execPath, '-e', program, seen, '{path}']);
  expect(ran).toMatchObject({ status: 0 });
  expect(await readFile(seen, 'utf8')).toBe(join(world.home, 'n2', 'staging', 'org--m'));
  // A second store does not learn of nodes that only read from it.
  expect(await nodesOf(second.url)).toEqual(nodes);
});

longTest('what the second store lacks is not downloaded by it, and changes are refused while the store is away', async () => {
  const { world, door, second, node } = await twoStores();
  world.hub.push('org/other', { files });
  await door.shut();
  const missing = await node('n1', ['stage', 'org/other']);
  expect(missing).toMatchObject({ status: 4, stdout: '' });
  expect(missing.stderr).toContain('second store');
  expect(missing.stderr).toContain('org/other is not in the store');
  expect((await ask(second.url, '/downloads?recent=true')).json()).toMatchObject([{ modelId: 'org/m' }]);
  expect(await node('n1', ['delete', 'org/m', '--yes'])).toMatchObject({ status: 4, stdout: '' });
  expect(await node('n1', ['download', 'org/other'])).toMatchObject({ status: 4, stdout: '' });
  expect((await ask(second.url, '/models')).json()).toEqual(['org/m']);
});

longTest('a store that disappears in the middle of a stage is continued by the second store', async () => {
  const { world, door, node } = await twoStores();
  door.shutAt(door.bytes() + 1_500_000);
  const ended = await node('n1', ['stage', 'org/m', '--connections', '1', '--json']);
  expect(ended, ended.stderr).toMatchObject({ status: 0 });
  expect(ended.stderr).toContain('reading from the second store');
  expect(sha256(await readFile(join(world.home, 'n1', 'staging', 'org--m', 'model.safetensors')))).toBe(sha256(weights));
});

longTest('a store that accepts connections and says nothing is replaced by the second store', async () => {
  const { node } = await twoStores();
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const { port } = silent.address() as { port: number };
  const ended = await node('n1', ['stage', 'org/m'], { SKULK_STORE: `http://127.0.0.1:${port}`, SKULK_STALL_TIMEOUT: '1' });
  expect(ended, ended.stderr).toMatchObject({ status: 0, stderr: expect.stringContaining('reading from the second store') });
});

usualTest('a store that answers is used alone, and a model that it lacks is not taken from the second store', async () => {
  const { world, node } = await twoStores();
  expect(await world.host('delete', 'org/m', '--yes')).toMatchObject({ status: 0 });
  const ended = await node('n1', ['show', 'org/m']);
  expect(ended).toMatchObject({ status: 3, stdout: '' });
  expect(ended.stderr).not.toContain('second');
});

longTest('a second store gets only SKULK_SECOND_TOKEN, never the token of the store', async () => {
  const { world, door, second, node } = await twoStores();
  const made = await runInProcess(['token', 'create', 'reader', '--role', 'read', '--json'], {
    env: { SKULK_HOME: join(world.home, 'second') },
  });
  const { token } = JSON.parse(made.stdout) as { token: string };
  expect(await runInProcess(['policy', 'set', 'lan', 'none'], { env: { SKULK_HOME: join(world.home, 'second') } })).toMatchObject({
    status: 0,
  });
  await expect.poll(async () => (await ask(second.url, '/models')).status).toBe(401);
  await door.shut();
  const refused = await node('n1', ['stage', 'org/m'], { SKULK_TOKEN: token });
  expect(refused).toMatchObject({ status: 4, stdout: '' });
  expect(refused.stderr).toContain('refused access');
  expect(await node('n1', ['stage', 'org/m'], { SKULK_TOKEN: 'of-the-store', SKULK_SECOND_TOKEN: token })).toMatchObject({ status: 0 });
});

longTest('doctor says of each second store whether it answers, and how many models it has', async () => {
  const { second, node } = await twoStores();
  const { stdout } = await node('n1', ['doctor', '--json']);
  const { checks } = JSON.parse(stdout) as { checks: { id: string; status: string; found: string }[] };
  expect(checks.filter(({ id }) => id === 'second store')).toMatchObject([
    { status: 'warning', found: 'http://127.0.0.1:1 does not answer' },
    { status: 'ok', found: `${second.url} answers, and has 1 model` },
  ]);
});

usualTest('a node that reads from a second store takes part in no swarm there', async () => {
  const { url } = await serveModels({ 'org/m': { a: 'x' } });
  const { deps } = await stagingNode('http://127.0.0.1:1', { env: { SKULK_SECOND_STORES: url } });
  const away = new SkulkError('STORE_UNREACHABLE', 'the store is away');
  const { value } = await readFromSecond(deps, away, async ({ store }) => store);
  expect(value).toHaveProperty('health');
  expect(value).not.toHaveProperty('swarm');
});
