import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestsBelow, digestsOfFiles, noise, writeFiles } from '../helpers/model-files.ts';
import { type Machine, machinesOnOneLan } from '../helpers/namespaces.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until, within } from '../helpers/waiting.ts';
import { wants } from '../helpers/wants.ts';

const files = { 'config.json': '{}', 'w.bin': noise(20 * 1024 * 1024 + 5, 3) };
const size = Object.values(files).reduce((sum, { length }) => sum + length, 0);

/** A store host whose nodes take its model together, and a node, each in a network of its own. */
async function sharingLan() {
  const home = await temporaryDirectory();
  const [host, node] = (await machinesOnOneLan(2)) as [Machine, Machine];
  await writeFiles(join(home, 'model'), files);
  const env = { SKULK_HOME: join(home, 'host') };
  expect(await runInProcess(['add', join(home, 'model'), '--as', 'org/a'], { env })).toMatchObject({ status: 0 });
  for (const setting of ['swarm.enabled auto', 'swarm.min_bytes 1'])
    expect(await runInProcess(['policy', 'set', ...setting.split(' ')], { env })).toMatchObject({ status: 0 });
  const server = host.skulk(['serve', '--json', '--no-mdns'], env);
  const failure = server.ended.then(({ stderr }) => Promise.reject(new Error(stderr)));
  await Promise.race([once(server.child.stdout as NodeJS.ReadableStream, 'data'), failure]);
  failure.catch(() => undefined);
  const url = `http://${host.address}:58080`;
  const { digest } = JSON.parse(await host.curl(`${url}/models/org%2Fa/manifest`)) as { digest: string };
  const ask = async (more: object = {}) => {
    const body = JSON.stringify({ digest, ...more });
    return JSON.parse(await host.curl('-H', 'content-type: application/json', '-d', body, `${url}/models/org%2Fa/swarm`)) as {
      state: string;
      member: string;
    };
  };
  // Another member, so that the node is not alone.
  const { member } = await ask();
  await ask();
  await until('the swarm', async () => (await ask({ member })).state === 'swarm');
  const sent = async () =>
    (JSON.parse(await host.curl(`${url}/store/swarm`)) as { swarms: { host_sent_bytes: number }[] }).swarms[0]?.host_sent_bytes;
  const stage = async () => {
    const { ended } = node.skulk(['stage', '--json', '--verbose', 'org/a'], { SKULK_HOME: join(home, 'node'), SKULK_STORE: url });
    const { status, stdout, stderr } = await within('the stage', ended);
    expect([status, stderr]).toEqual([0, expect.any(String)]);
    return { stderr, staged: (JSON.parse(stdout) as { staged: [{ path: string }] }).staged[0] };
  };
  return { host, node, sent, stage };
}

test.each([
  ['refuses', 'node', 'to'],
  ['drops', 'host', 'from'],
] as const)(
  'a firewall that %s connections to peers costs a node no byte more than the store alone',
  wants('network namespaces'),
  async (_, at, direction) => {
    const lan = await sharingLan();
    await lan[at].block('58083-58183', direction);
    const { staged, stderr } = await lan.stage();
    // No aria2 has started at the node, and nothing was sent twice.
    expect(staged).toMatchObject({ source: 'store', bytes_transferred: size });
    expect(stderr).toContain('for peers, cannot be reached');
    expect(await digestsBelow(staged.path)).toMatchObject(digestsOfFiles(files));
    expect(await lan.sent()).toBe(0);
  },
);

test('a node takes the same model from peers if no firewall is between them', wants('network namespaces', 'aria2'), async () => {
  const lan = await sharingLan();
  const { staged } = await lan.stage();
  expect(staged).toMatchObject({ source: 'swarm' });
  expect(await digestsBelow(staged.path)).toMatchObject(digestsOfFiles(files));
});
