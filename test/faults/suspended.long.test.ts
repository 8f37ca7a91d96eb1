import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { sha256 } from '../helpers/directory-store.ts';
import { digestsBelow } from '../helpers/model-files.ts';
import { type RunningSkulk, startSkulk } from '../helpers/spawn-skulk.ts';
import { serveThroughProxy } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';

/** Stops a process, and waits until the system has stopped it. */
async function suspend({ pid, child }: RunningSkulk): Promise<void> {
  child.kill('SIGSTOP');
  await until('the stopped process', async () => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
  });
}

const stallMs = 2_000;

test.skipIf(process.platform !== 'linux')(
  'a stage that was suspended for longer than a stall reads the data in its sockets, and requests nothing twice',
  async () => {
    const files = { 'a.bin': 'a'.repeat(30_000), 'b.bin': 'b'.repeat(30_000) };
    const { proxy } = await serveThroughProxy({ 'org/m': files });
    const home = await temporaryDirectory();
    const env = { SKULK_HOME: home, SKULK_STORE: proxy.url, SKULK_STALL_TIMEOUT: String(stallMs / 1000) };
    let suspended: Promise<void> | undefined;
    let underWay = 0;
    const goOn = async (): Promise<void> => {
      await sleep(1.5 * stallMs);
      await until('the answers to lie in its sockets', () => underWay === 0);
      staging.child.kill('SIGCONT');
    };
    proxy.setFault(async ({ pass }) => {
      underWay += 1;
      suspended ??= suspend(staging).then(() => void goOn());
      await suspended;
      await pass();
      underWay -= 1;
    });
    const staging = startSkulk(['stage', 'org/m', '--json'], { env });
    expect(await staging.exited).toMatchObject({ status: 0 });
    expect(suspended).toBeDefined();
    expect(await digestsBelow(join(home, 'staging/org--m'))).toEqual(
      Object.fromEntries(Object.entries(files).map(([path, content]) => [path, sha256(content)])),
    );
    const requests = proxy.requests.filter((line) => /\.bin$/.test(line));
    expect(requests.toSorted()).toEqual(['GET /models/org%2Fm/a.bin', 'GET /models/org%2Fm/b.bin']);
  },
);

test.skipIf(process.platform !== 'linux')(
  'a stage that was suspended while it waited for an answer uses the answer that arrived meanwhile',
  async () => {
    const { proxy } = await serveThroughProxy({ 'org/m': { 'a.bin': 'first' } });
    const env = { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: proxy.url, SKULK_STALL_TIMEOUT: String(stallMs / 1000) };
    let isStopped = false;
    proxy.onRequest((line) => {
      if (!/\/manifest$/.test(line) || isStopped) return;
      isStopped = true;
      staging.child.kill('SIGSTOP');
      void sleep(1.5 * stallMs).then(() => staging.child.kill('SIGCONT'));
    });
    const staging = startSkulk(['stage', 'org/m'], { env });
    expect(await staging.exited).toMatchObject({ status: 0 });
    // At the end it asks again whether the model still exists.
    const before = proxy.requests.slice(0, proxy.requests.indexOf('GET /models/org%2Fm/a.bin'));
    expect(before.filter((line) => /\/manifest$/.test(line))).toHaveLength(1);
  },
);
