import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { writeFiles } from '../helpers/model-files.ts';
import { type Machine, machinesOnOneLan } from '../helpers/namespaces.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

/** A store with the model `org/m` in a home, before any server runs. */
async function storeIn(home: string, source: string): Promise<void> {
  await mkdir(join(home, 'store'), { recursive: true });
  await writeFiles(source, { 'a.gguf': 'some bytes' });
  expect(await runInProcess(['add', source, '--as', 'org/m'], { env: { SKULK_HOME: home } })).toMatchObject({ status: 0 });
}

async function serveOn(machine: Machine, home: string, ...args: readonly string[]) {
  await mkdir(join(home, 'store'), { recursive: true });
  const { child, ended } = machine.skulk(['serve', '--json', ...args], { SKULK_HOME: home });
  await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
  return { child, ended };
}

longTest(
  'a machine without a configuration uses the only store on its LAN, and needs a choice between two',
  wants('network namespaces'),
  async () => {
    const home = await temporaryDirectory();
    const [host, other, node] = (await machinesOnOneLan(3)) as [Machine, Machine, Machine];
    await storeIn(join(home, 'host'), join(home, 'source'));
    const first = await serveOn(host, join(home, 'host'));
    const env = { SKULK_HOME: join(home, 'node') };

    const found = await node.skulk(['discover', '--json', '--explain'], env).ended;
    expect(found.status, found.stderr).toBe(0);
    expect(JSON.parse(found.stdout)).toMatchObject({
      stores: [{ url: `http://${host.address}:58080` }],
      addresses: expect.arrayContaining([expect.objectContaining({ address: node.address, chosen: true })]),
    });
    const staged = await node.skulk(['stage', 'org/m'], env).ended;
    expect(staged, staged.stderr).toMatchObject({ status: 0, stdout: `${join(home, 'node/staging/org--m')}\n` });
    expect(JSON.parse((await node.skulk(['health', '--json'], env).ended).stdout)).toMatchObject({ mdns_address: host.address });

    // A machine fills its own store, regardless of other stores on the LAN.
    await mkdir(join(home, 'own/store'), { recursive: true });
    const added = await node.skulk(['add', join(home, 'source'), '--as', 'org/own'], { SKULK_HOME: join(home, 'own') }).ended;
    expect(added, added.stderr).toMatchObject({ status: 0 });
    expect(await readdir(join(home, 'own/store'))).toContain('org--own');

    const second = await serveOn(other, join(home, 'other'));
    const asked = await node.skulk(['registry'], { SKULK_HOME: join(home, 'node') }).ended;
    expect(asked).toMatchObject({ status: 4, stdout: '' });
    expect(asked.stderr).toContain(`http://${host.address}:58080`);
    expect(asked.stderr).toContain(`http://${other.address}:58080`);

    // A server that ends says goodbye, and one with --no-mdns announces nothing.
    first.child.kill('SIGTERM');
    expect(await first.ended).toMatchObject({ status: 0 });
    const left = await node.skulk(['discover', '--json'], env).ended;
    expect(JSON.parse(left.stdout)).toMatchObject({ stores: [{ url: `http://${other.address}:58080` }] });
    second.child.kill('SIGTERM');
    await second.ended;
  },
);

longTest(
  'a server that starts beside another store prints a warning, and its commands use the store that has models',
  wants('network namespaces'),
  async () => {
    const home = await temporaryDirectory();
    const [host, second, node] = (await machinesOnOneLan(3)) as [Machine, Machine, Machine];
    const source = join(home, 'source');
    await storeIn(join(home, 'host'), source);
    await serveOn(host, join(home, 'host'));

    // Its first start: the store does not exist yet.
    const env = { SKULK_HOME: join(home, 'second') };
    const served = second.skulk(['serve', '--json'], env);
    await once(served.child.stdout as NodeJS.ReadableStream, 'data');
    served.child.kill('SIGTERM');
    const { stderr } = await served.ended;
    expect(stderr).toContain(`there is already another store on the LAN: http://${host.address}:58080`);
    expect(stderr).toContain('skulk serve --role node');
    const registry = await second.skulk(['registry', '--json'], env).ended;
    expect(JSON.parse(registry.stdout), registry.stderr).toMatchObject({ entries: [{ model_id: 'org/m' }] });
    const doctor = await second.skulk(['doctor', '--json'], env).ended;
    expect(JSON.parse(doctor.stdout)).toMatchObject({
      ok: true,
      checks: expect.arrayContaining([
        expect.objectContaining({ id: 'role', found: expect.stringContaining(`a node of http://${host.address}:58080`) }),
      ]),
    });

    await mkdir(join(home, 'disk'));
    // Two stores: a machine with a server means its own store; every other machine must choose, and nothing is fetched from elsewhere.
    const own = await serveOn(second, join(home, 'second'), '--store-path', join(home, 'disk'));
    expect(await second.skulk(['add', source, '--as', 'org/own'], env).ended).toMatchObject({ status: 0 });
    const mine = await second.skulk(['registry', '--json'], env).ended;
    expect(JSON.parse(mine.stdout), mine.stderr).toMatchObject({ entries: [{ model_id: 'org/own' }] });
    const found = await second.skulk(['doctor', '--json'], env).ended;
    expect(JSON.parse(found.stdout)).toMatchObject({
      ok: true,
      checks: expect.arrayContaining([expect.objectContaining({ id: 'role', todo: expect.stringContaining('--store-path') })]),
    });
    const asked = await node.skulk(['stage', 'org/m', '--json'], { SKULK_HOME: join(home, 'node') }).ended;
    expect(asked).toMatchObject({ status: 4, stdout: '' });
    expect(asked.stderr).toContain('STORE_AMBIGUOUS');
    own.child.kill('SIGTERM');
    await own.ended;
  },
);

longTest('a store configured by its node id is found by mDNS', wants('network namespaces'), async () => {
  const home = await temporaryDirectory();
  const [host, node] = (await machinesOnOneLan(2)) as [Machine, Machine];
  await storeIn(join(home, 'host'), join(home, 'source'));
  const hostEnv = { SKULK_HOME: join(home, 'host'), SKULK_NODE_ID: '12D3KooWhost' };
  const { child, ended } = host.skulk(['serve', '--json'], hostEnv);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  await writeFiles(home, { 'node/skulk.yaml': 'model_store:\n  store_host: 12D3KooWhost\n' });
  const env = { SKULK_HOME: join(home, 'node'), SKULK_CONFIG: join(home, 'node/skulk.yaml') };
  const staged = await node.skulk(['stage', 'org/m', '-v'], env).ended;
  expect(staged, staged.stderr).toMatchObject({ status: 0, stderr: expect.stringContaining(`http://${host.address}:58080`) });
  // The local copy is compared with the current content of the store.
  expect(await host.skulk(['delete', 'org/m', '--yes', '--force'], hostEnv).ended).toMatchObject({ status: 9 });
  expect(await node.skulk(['stage', 'org/m'], env).ended).toMatchObject({ status: 3, stdout: '' });
  const health = await node.skulk(['health'], env).ended;
  expect(health.stdout).toMatch(new RegExp(`^location +http://12D3KooWhost:58080, found by mDNS at ${host.address}$`, 'm'));
  expect(JSON.parse((await node.skulk(['health', '--json'], env).ended).stdout)).toMatchObject({ mdns_address: host.address });
  const doctor = await node.skulk(['doctor'], env).ended;
  expect(doctor.stdout).toContain(`mDNS found the store of that name at ${host.address}`);
  const alone = await node.skulk(['doctor'], { ...env, SKULK_NO_MDNS: '1' }).ended;
  expect(alone).toMatchObject({ status: 4, stdout: expect.stringContaining('store_http_host') });
  child.kill('SIGTERM');
  await ended;
});

longTest(
  'a node that starts before its store finds the store later, and carries out orders at once',
  wants('network namespaces'),
  async () => {
    const home = await temporaryDirectory();
    const [host, node] = (await machinesOnOneLan(2)) as [Machine, Machine];
    await serveOn(node, join(home, 'node'), '--role', 'node');
    await serveOn(host, join(home, 'host'));
    const nodes = async () => {
      return JSON.parse(await host.curl('http://127.0.0.1:58080/nodes')) as { address: string | null; connected: boolean }[];
    };
    await expect.poll(nodes).toContainEqual(expect.objectContaining({ address: node.address, connected: true }));
  },
);

longTest('the advertised address of the same store is used instead of a link-local address', wants('network namespaces'), async () => {
  const home = await temporaryDirectory();
  const [host, node, stranger] = (await machinesOnOneLan(3)) as [Machine, Machine, Machine];
  await host.addAddress('169.254.7.1/16');
  await node.addAddress('169.254.7.2/16');
  await node.setHosts('127.0.0.1 localhost\n169.254.7.1 kite3.local\n');
  const hostEnv = { SKULK_HOME: join(home, 'host') };
  await storeIn(join(home, 'host'), join(home, 'source'));
  await serveOn(host, join(home, 'host'), '--no-mdns');
  const env = { SKULK_STORE: 'http://kite3.local:58080', SKULK_NO_MDNS: '1' };
  const seenFrom = async (name: string): Promise<string | undefined> => {
    const staged = await node.skulk(['stage', 'org/m'], { ...env, SKULK_HOME: join(home, name), SKULK_NODE_ID: name }).ended;
    expect(staged, staged.stderr).toMatchObject({ status: 0 });
    const nodes = JSON.parse(await host.curl('http://127.0.0.1:58080/nodes')) as { node_id: string; address: string }[];
    return nodes.find(({ node_id }) => node_id === name)?.address;
  };
  expect(await seenFrom('n1')).toBe(node.address);
  const health = await node.skulk(['health', '--json'], { ...env, SKULK_HOME: join(home, 'n1') }).ended;
  expect(JSON.parse(health.stdout)).toMatchObject({
    advertised: { url: `http://${host.address}:58080`, because: expect.stringContaining('RFC 1918') },
  });
  const doctor = await host.skulk(['doctor', '--json'], hostEnv).ended;
  expect(doctor.stdout).toContain(`http://${host.address}:58080`);

  // The same store with another node id, where another store answers.
  const ports = ['--port', '58090', '--api-port', '52490'];
  await serveOn(stranger, join(home, 'stranger'), '--no-mdns', ...ports);
  const named = await serveOn(host, join(home, 'second'), '--no-mdns', ...ports, '--advertise', stranger.address);
  const asked = await node.skulk(['health', '--json', '--store', 'http://kite3.local:58090'], { ...env, SKULK_HOME: join(home, 'n2') })
    .ended;
  expect(JSON.parse(asked.stdout)).toMatchObject({
    advertised: { url: `http://${stranger.address}:58090` },
    store_path: join(home, 'second/store'),
  });
  named.child.kill('SIGTERM');
  await named.ended;
});

usualTest('an invalid address is not advertised', async () => {
  const home = await temporaryDirectory();
  const ended = await runInProcess(['serve', '--advertise', 'kite3'], { env: { SKULK_HOME: home } });
  expect(ended).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('--advertise must be an IPv4 address') });
});

longTest('serve without a token warns about a public address, and settings still need the key', wants('network namespaces'), async () => {
  const home = await temporaryDirectory();
  const [host, other] = (await machinesOnOneLan(2)) as [Machine, Machine];
  await host.addAddress('8.8.8.8/32');
  const hostEnv = { SKULK_HOME: join(home, 'host'), XDG_CONFIG_HOME: join(home, 'config') };
  const { child, ended } = host.skulk(['serve', '--json', '--no-mdns'], hostEnv);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  const api = `http://${host.address}:52415`;
  const put = (from: Machine, body: object): Promise<string> =>
    from.curl(
      '-X',
      'PUT',
      '-H',
      'content-type: application/json',
      '-d',
      JSON.stringify(body),
      '-w',
      '%{http_code}',
      '-o',
      '/dev/null',
      `${api}/config`,
    );
  const harmless = { model_store: { staging: { staging_keep_recent_gb: 3 } } };
  expect([await put(other, { hf_token: 'hf_thief' }), await put(other, harmless)]).toEqual(['403', '403']);
  // A server on that machine is not enough.
  expect(await put(host, { hf_token: 'hf_mine' })).toBe('403');
  child.kill('SIGTERM');
  expect((await ended).stderr).toMatch(/8\.8\.8\.8 may be reachable from the internet/);

  const guarded = host.skulk(['serve', '--json', '--no-mdns'], { SKULK_HOME: join(home, 'guarded'), SKULK_TOKEN: 's3cret' });
  await once(guarded.child.stdout as NodeJS.ReadableStream, 'data');
  guarded.child.kill('SIGTERM');
  expect((await guarded.ended).stderr).not.toMatch(/internet|s3cret/);
});
