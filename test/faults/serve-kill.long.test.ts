import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { chunkSize } from '../../src/core/kernel/chunk-size.ts';
import { faultProxy } from '../helpers/fault-proxy.ts';
import { digestsBelow, noise, writeFiles } from '../helpers/model-files.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { rounds, seededRandom, sized, testSeed } from '../helpers/seeded.ts';
import { startServe, startSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

test('a stage resumes after each kill -9 of serve during one transfer, and the store stays complete', async () => {
  const home = await temporaryDirectory();
  const source = join(home, 'm');
  await writeFiles(source, { 'model.bin': noise(sized({ small: 3, large: 8 }) * chunkSize, 21), 'config.json': '{}' });
  const env = { SKULK_HOME: join(home, 'host') };
  let served = await startServe({ home: env.SKULK_HOME });
  onTestFinished(() => served[Symbol.asyncDispose]());
  expect((await runInProcess(['add', source, '--as', 'org/m'], { env })).status).toBe(0);
  const proxy = await faultProxy(served.url);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  proxy.setRate(60e6);
  const start = () =>
    startSkulk(['stage', 'org/m', '--connections', '2'], { env: { SKULK_HOME: join(home, 'node'), SKULK_STORE: proxy.url } });
  let stage = start();
  // A stage waits some ten seconds for a store that restarts, which a busy machine may not meet. Then it is started again, as a user would.
  const startAgain = async (): Promise<void> => {
    const last = stage;
    if ((await last.exited).status === 4 && last === stage) stage = start();
  };
  const random = seededRandom(testSeed);
  for (let kill = 0; kill < rounds({ few: 1, many: 6 }); kill += 1) {
    await Promise.race([proxy.passed(proxy.bytes() + (0.2 + random()) * chunkSize), startAgain()]);
    await served.kill();
    served = await startServe({ home: env.SKULK_HOME });
    proxy.setTarget(served.url);
  }
  let ended = await stage.exited;
  while (ended.status === 4) {
    await startAgain();
    ended = await stage.exited;
  }
  expect(ended, `SKULK_TEST_SEED=${testSeed} ${ended.stderr}`).toMatchObject({ status: 0 });
  expect(await digestsBelow(ended.stdout.trim())).toEqual(await digestsBelow(source));
  expect((await runInProcess(['verify'], { env })).status).toBe(0);
});

test('a stage whose store goes away says that the received data is kept, only if there is some, and the same command resumes', async () => {
  const home = await temporaryDirectory();
  const source = join(home, 'm');
  const size = 3 * chunkSize;
  await writeFiles(source, { 'model.bin': noise(size, 22) });
  const served = await startServe({ home: join(home, 'host') });
  onTestFinished(() => served[Symbol.asyncDispose]());
  expect((await runInProcess(['add', source, '--as', 'org/m'], { env: { SKULK_HOME: join(home, 'host') } })).status).toBe(0);
  const proxy = await faultProxy(served.url);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  const kept = 'the received data is kept: run the same command again to resume';
  const env = { SKULK_HOME: join(home, 'node'), SKULK_STORE: proxy.url };
  const stage = () => startSkulk(['stage', 'org/m', '--connections', '1'], { env });
  proxy.setFault(async ({ socket }) => void socket.destroy());
  const without = await stage().exited;
  expect(without).toMatchObject({ status: 4, stdout: '', stderr: expect.not.stringContaining(kept) });
  proxy.setFault(undefined);
  proxy.setRate(60e6);
  const broken = stage();
  await proxy.passed(1.5 * chunkSize);
  await proxy.stop();
  expect(await broken.exited).toMatchObject({ status: 4, stdout: '', stderr: expect.stringContaining(kept) });
  proxy.setRate(0);
  await proxy.start();
  expect((await stage().exited).status).toBe(0);
  expect(proxy.bytes()).toBeLessThan(size + chunkSize);
});
