import { channel } from 'node:diagnostics_channel';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import { patienceOf } from '../../src/core/connect/reach-store.ts';
import { parseModelRef } from '../../src/core/kernel/model-id.ts';
import { reconcile } from '../../src/core/operations/nodes/reconcile.ts';
import { runModel } from '../../src/core/operations/stage/run-model.ts';
import { sha256 } from '../helpers/directory-store.ts';
import { digestsBelow } from '../helpers/model-files.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { slowDoor } from '../helpers/slow-door.ts';
import { copyOf, serveModels, stagingNode } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const models = { 'org/m': { 'a.bin': 'first' }, 'org/n': { 'b.bin': 'other' } };

/** Counts attempts to connect from this process, until the test ends. */
function countAttempts(): () => number {
  let attempts = 0;
  const count = (): void => {
    attempts += 1;
  };
  const sockets = channel('net.client.socket');
  sockets.subscribe(count);
  onTestFinished(() => void sockets.unsubscribe(count));
  return () => attempts;
}

/** Makes a copy look as if it was staged at another time, with or without a time of each quantization in its record. */
async function setStagedAt(copy: string, at: string, { ofGroups = true }: { readonly ofGroups?: boolean } = {}): Promise<void> {
  const path = join(copy, '.skulk.json');
  const { staged, ...record } = JSON.parse(await readFile(path, 'utf8')) as { staged: { groups: object[] } };
  const groups = staged.groups.map((group) => ({ ...group, staged_at: ofGroups ? at : undefined }));
  await writeFile(path, JSON.stringify({ ...record, staged: { ...staged, at, groups } }));
}

longTest('a command waits for a store that accepts connections late, and stages its current model', async () => {
  const [before, after] = [await serveModels(models), await serveModels({ 'org/m': { 'a.bin': 'second' } })];
  const home = await temporaryDirectory();
  await (await stagingNode(before.url, { home })).stage('org/m');
  const door = await slowDoor(after.url);
  await door.close();
  const node = await stagingNode(door.url, { home, env: { SKULK_CONNECT_TIMEOUT: '60' } });
  const attempts = countAttempts();
  const staged = node.stage('org/m');
  while (attempts() === 0) await sleep(5);
  // An earlier version gave up after 80 ms.
  await sleep(400);
  door.open();
  expect(await staged).toMatchObject({ source: 'store', path: copyOf(node, 'org/m') });
  expect(await digestsBelow(copyOf(node, 'org/m'))).toEqual({ 'a.bin': sha256('second') });
  expect(node.world.warnings()).toEqual([]);
});

longTest('a silent store costs any command one wait, and the warning shows the age of the copies', async () => {
  const { url } = await serveModels(models);
  const home = await temporaryDirectory();
  const before = await stagingNode(url, { home });
  await before.request(['org/m', 'org/n']);
  const stagedAt = new Date(Date.now() - 3 * 86_400_000 - 60_000).toISOString();
  await setStagedAt(copyOf(before, 'org/m'), stagedAt);
  const door = await slowDoor(url);
  await door.close();
  const attempts = countAttempts();
  const env = { SKULK_CONNECT_TIMEOUT: '0.2' };

  const staging = await stagingNode(door.url, { home, env });
  expect(await staging.request(['org/m', 'org/n', 'org/m'])).toMatchObject({ staged: Array(3).fill({ source: 'cache' }) });
  expect(attempts()).toBe(1);
  const hints = staging.world.events.flatMap((event) => (event.type === 'warning' ? [event.hint] : []));
  expect(hints).toHaveLength(3);
  expect(hints[0]).toBe(`using the verified copy on this machine, which was staged 3 d ago (${stagedAt})`);
  expect(hints[1]).toMatch(/which was staged just now \(\d{4}-/);
  expect(staging.world.warnings()[0]).toContain('did not accept a connection within 0.2 s');

  const running = await stagingNode(door.url, { home, env });
  const takeSignals = () => () => {};
  const request = { ref: parseModelRef('org/m'), command: ['true'], offline: false, takeSignals };
  expect(await runModel(running.deps, request)).toEqual({ status: 0 });
  expect(attempts()).toBe(2);
  expect(running.world.warnings()).toHaveLength(1);

  const reconciling = await stagingNode(door.url, { home, env });
  await reconcile(reconciling.deps, { dryRun: false, receiveOrders: true });
  expect(attempts()).toBe(3);
});

usualTest('without the store, the age in the warning is that of the quantization, also in a record of an earlier version', async () => {
  const { url, stop } = await serveModels({ 'org/g': { 'g-Q4_K_M.gguf': 'four', 'g-Q8_0.gguf': 'eight', 'config.json': '{}' } });
  const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000 - 60_000).toISOString();
  const node = await stagingNode(url);
  const copy = copyOf(node, 'org/g');
  await node.stage('org/g:Q4_K_M');
  await setStagedAt(copy, daysAgo(3), { ofGroups: false });
  await node.stage('org/g:Q8_0');
  await stop();
  const ageOf = async (ref: string): Promise<string | undefined> => {
    await node.stage(ref);
    const last = node.world.events.findLast((event) => event.type === 'warning' && event.hint?.startsWith('using the verified copy'));
    return last?.type === 'warning' ? /which was staged (.*) \(/.exec(last.hint ?? '')?.[1] : undefined;
  };
  expect([await ageOf('org/g:Q4_K_M'), await ageOf('org/g:Q8_0')]).toEqual(['3 d ago', 'just now']);
  await setStagedAt(copy, daysAgo(5), { ofGroups: false });
  expect([await ageOf('org/g:Q4_K_M'), await ageOf('org/g:Q8_0')]).toEqual(['5 d ago', '5 d ago']);
});

usualTest('a store that refuses connections is tried each time, because this takes no time', async () => {
  const { url, stop } = await serveModels(models);
  const node = await stagingNode(url, { env: { SKULK_CONNECT_TIMEOUT: '600' } });
  await node.stage('org/m');
  await stop();
  const attempts = countAttempts();
  await node.request(['org/m', 'org/m']);
  expect(attempts()).toBeGreaterThan(1);
  expect(node.world.warnings()[0]).toContain('connection refused');
});

longTest(
  'a store that accepts a connection and does not answer is given up after the documented time, once for the whole command',
  async () => {
    const { url } = await serveModels(models);
    const home = await temporaryDirectory();
    await (await stagingNode(url, { home })).request(['org/m']);
    const sockets = new Set<Socket>();
    const mute = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
    await new Promise<void>((done) => mute.listen(0, '127.0.0.1', done));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      mute.close();
    });
    const { port } = mute.address() as { port: number };
    const node = await stagingNode(`http://127.0.0.1:${port}`, { home });
    const request = { ref: parseModelRef('org/m'), command: ['true'], offline: false, takeSignals: () => () => {} };
    expect(await runModel(node.deps, request)).toEqual({ status: 0 });
    expect(node.world.warnings()).toEqual([
      expect.stringMatching(/cannot check whether org\/m has changed in the store: .* sent nothing for 2 s/),
    ]);
    // One for the orders and one for the model, each tried and then asked, and no request after the end of the program.
    expect(sockets.size).toBe(2);
  },
);

usualTest('the wait for a store is 1.5 s or the value of SKULK_CONNECT_TIMEOUT, and an invalid value is refused', async () => {
  const patience = (value?: string) => patienceOf({ env: value === undefined ? {} : { SKULK_CONNECT_TIMEOUT: value } });
  expect(patience()).toEqual({ connectMs: 1_500, answerMs: 2_000 });
  expect(patience(' 5 ')).toEqual({ connectMs: 5_000, answerMs: 5_000 });
  expect(patience('0.25')).toEqual({ connectMs: 250, answerMs: 2_000 });
  for (const wrong of ['0', '-1', 'soon', '1s', '1e9', '601', '1,5', 'NaN', 'Infinity'])
    expect(() => patience(wrong), wrong).toThrow(`SKULK_CONNECT_TIMEOUT is "${wrong}"; it must be a number of seconds`);
  const { url } = await serveModels(models);
  const home = await temporaryDirectory();
  await (await stagingNode(url, { home })).stage('org/m');
  const node = await stagingNode(url, { home, env: { SKULK_CONNECT_TIMEOUT: 'soon' } });
  await expect(node.stage('org/m')).rejects.toMatchObject({ code: 'CONFIG', hint: expect.stringContaining('1.5') });
});

usualTest('a copy that is used without its store is named with its quantization', async () => {
  const { url } = await serveModels({ 'org/g': { 'g-Q8_0.gguf': 'eight', 'g-Q4_K_M.gguf': 'four' } });
  const home = await temporaryDirectory();
  await (await stagingNode(url, { home })).request(['org/g:Q8_0']);
  const door = await slowDoor(url);
  await door.close();
  const node = await stagingNode(door.url, { home });
  expect(await node.request(['org/g'])).toMatchObject({ staged: [{ source: 'cache' }] });
  const hints = node.world.events.flatMap((event) => (event.type === 'warning' ? [event.hint] : []));
  expect(hints).toEqual([expect.stringMatching(/^using the verified copy of Q8_0 on this machine, which was staged just now /)]);
});
