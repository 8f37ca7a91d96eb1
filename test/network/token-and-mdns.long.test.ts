import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { writeFiles } from '../helpers/model-files.ts';
import { type Machine, machinesOnOneLan } from '../helpers/namespaces.ts';
import type { RecordedRequest } from '../helpers/recording-store.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

const token = 'only-for-my-store';
const program = fileURLToPath(new URL('../helpers/announced-store.mjs', import.meta.url));

/** Announces a store from a machine. @returns the requests to it */
async function announceFrom(
  machine: Machine,
  hostname: string,
  nodeId: string,
  ...advertised: readonly string[]
): Promise<() => readonly RecordedRequest[]> {
  const [command = '', ...rest] = machine.prefix.split(' ');
  const child = spawn(command, [...rest, process.execPath, program, machine.address, hostname, nodeId, ...advertised], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  await expect.poll(() => text).toContain('ready');
  return () =>
    text
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as RecordedRequest);
}

const tokensOf = (requests: readonly RecordedRequest[]): readonly (string | null)[] => requests.map(({ authorization }) => authorization);

test('commands send no token to a store that is only announced by mDNS, under any name', wants('network namespaces'), async () => {
  const home = await temporaryDirectory();
  const [stranger, node] = (await machinesOnOneLan(2)) as [Machine, Machine];
  const requests = await announceFrom(stranger, 'kite3', '12D3KooWhost');
  await node.setHosts(`127.0.0.1 localhost\n${stranger.address} nas.local nas nas.example.org\n`);
  const store = (host: string): string => `model_store:\n  store_host: ${host}\n`;
  await writeFiles(home, {
    'kite3.yaml': store('kite3'),
    'id.yaml': store('12D3KooWhost'),
    'mdns.yaml': store('nas.local'),
    'nas.yaml': store('nas'),
    'full.yaml': store('nas.example.org'),
    'address.yaml': store(stranger.address),
    'listed/machine.yaml': `token_hosts: [kite3, nas.local, ${stranger.address}]\n`,
  });
  const run = (config: string | undefined, more: Record<string, string> = {}, verb: readonly string[] = ['registry']) =>
    node.skulk(verb, {
      SKULK_HOME: join(home, 'node'),
      SKULK_TOKEN: token,
      ...(config !== undefined && { SKULK_CONFIG: join(home, config) }),
      ...more,
    }).ended;
  for (const config of [undefined, 'kite3.yaml', 'id.yaml', 'mdns.yaml']) {
    for (const verb of [['registry'], ['stage', 'org/m'], ['nodes']]) {
      const ended = await run(config, {}, verb);
      expect(ended, `${config} ${verb}: ${ended.stderr}`).toMatchObject({ status: 2, stdout: '' });
      expect(ended.stderr, config).toContain('the token is not sent');
      expect(ended.stderr, config).toMatch(/SKULK_STORE=[\s\S]*token_hosts/);
    }
  }
  // A URL does not bypass the trusted name lookup.
  expect(await run(undefined, { SKULK_STORE: 'http://kite3:58080' })).toMatchObject({ status: 2 });
  expect(tokensOf(requests()).filter((one) => one !== null)).toEqual([]);

  // A chosen store gets the token, also by an mDNS name that was written explicitly.
  const listed = { SKULK_HOME: join(home, 'listed') };
  const chosen = [
    [undefined, { SKULK_STORE: 'http://nas.local:58080' }],
    ['nas.yaml', {}],
    [undefined, listed],
    [undefined, { SKULK_STORE: `http://${stranger.address}:58080` }],
    ['full.yaml', {}],
    ['address.yaml', {}],
    ['kite3.yaml', listed],
    ['mdns.yaml', listed],
  ] as const;
  for (const [config, env] of chosen) {
    const before = requests().length;
    const ended = await run(config, env as Record<string, string>);
    expect(ended, `${config}: ${ended.stderr}`).toMatchObject({ status: 0 });
    await expect.poll(() => tokensOf(requests().slice(before))).toContain(`Bearer ${token}`);
  }
  // Without a token nothing changes.
  const without = await node.skulk(['registry'], { SKULK_HOME: join(home, 'node') }).ended;
  expect(without, without.stderr).toMatchObject({ status: 0 });
});

test('a node sends no token to a store that is only announced, and reports this', wants('network namespaces'), async () => {
  const home = await temporaryDirectory();
  const [stranger, node] = (await machinesOnOneLan(2)) as [Machine, Machine];
  const requests = await announceFrom(stranger, 'kite3', '12D3KooWhost');
  await writeFiles(home, { 'kite3.yaml': 'model_store:\n  store_host: kite3\n', 'mdns.yaml': 'model_store:\n  store_host: nas.local\n' });
  const env = { SKULK_HOME: join(home, 'node'), SKULK_TOKEN: token };

  const stopped = await node.skulk(['serve', '--json'], { ...env, SKULK_CONFIG: join(home, 'mdns.yaml') }).ended;
  expect(stopped, stopped.stderr).toMatchObject({ status: 2, stdout: '' });

  for (const more of [{}, { SKULK_CONFIG: join(home, 'kite3.yaml') }]) {
    const { child, ended } = node.skulk(['serve', '--role', 'node', '--json'], { ...env, ...more });
    let said = '';
    child.stderr?.on('data', (text: string) => {
      said += text;
    });
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    await expect.poll(() => said).toContain('the token is not sent');
    const ask = (...headers: readonly string[]) =>
      node.curl('-o', '/dev/null', '-w', '%{http_code}', ...headers, 'http://127.0.0.1:52415/store/registry');
    expect(await ask('-H', `Authorization: Bearer ${token}`)).toBe('503');
    child.kill('SIGTERM');
    await ended;
  }
  // A node without its own token keeps the token of its caller.
  const { child, ended } = node.skulk(['serve', '--role', 'node', '--json'], { SKULK_HOME: join(home, 'node') });
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  const url = 'http://127.0.0.1:52415/store/registry';
  expect(await node.curl('-o', '/dev/null', '-w', '%{http_code}', '-H', `Authorization: Bearer ${token}`, url)).toBe('503');
  expect(await node.curl('-o', '/dev/null', '-w', '%{http_code}', url)).toBe('200');
  child.kill('SIGTERM');
  await ended;
  expect(requests().map(({ path }) => path)).toContain('/store/registry');
  expect(tokensOf(requests()).filter((one) => one !== null)).toEqual([]);
});

test(
  'an address that a store reports about itself gets no token, regardless of what answers there',
  wants('network namespaces'),
  async () => {
    const home = await temporaryDirectory();
    const [store, stranger, node] = (await machinesOnOneLan(3)) as [Machine, Machine, Machine];
    await store.addAddress('169.254.7.1/16');
    await node.addAddress('169.254.7.3/16');
    await node.setHosts('127.0.0.1 localhost\n169.254.7.1 kite3\n');
    // A machine with that address on this network claims to be the same store.
    const atStore = await announceFrom(store, 'kite3', 'n1', `http://${stranger.address}:58080`);
    const atStranger = await announceFrom(stranger, 'kite3', 'n1');
    const env = { SKULK_HOME: join(home, 'node'), SKULK_STORE: 'http://kite3:58080', SKULK_NO_MDNS: '1' };
    expect(await node.skulk(['registry'], { ...env, SKULK_TOKEN: token }).ended).toMatchObject({ status: 0 });
    await expect.poll(() => tokensOf(atStore())).toContain(`Bearer ${token}`);
    expect(atStranger()).toEqual([]);
    // Without a token there is no risk.
    expect(await node.skulk(['registry'], env).ended).toMatchObject({ status: 0 });
    await expect.poll(() => atStranger().map(({ path }) => path)).toContain('/registry');
  },
);

test('the first refusal by a store that mDNS found says everything that is needed', wants('network namespaces'), async () => {
  const home = await temporaryDirectory();
  const [store, node] = (await machinesOnOneLan(2)) as [Machine, Machine];
  const own = { SKULK_HOME: join(home, 'store') };
  const { child } = store.skulk(['serve', '--json'], own);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  expect(await store.skulk(['policy', 'set', 'lan', 'none'], own).ended).toMatchObject({ status: 0 });
  const made = await store.skulk(['token', 'create', 'node', '--role', 'node', '--json'], own).ended;
  const { token: secret } = JSON.parse(made.stdout) as { token: string };
  const bare = { SKULK_HOME: join(home, 'node') };
  const refused = await node.skulk(['registry'], bare).ended;
  expect(refused).toMatchObject({ status: 2, stdout: '' });
  expect(refused.stderr).toContain('set SKULK_TOKEN');
  const [, address = ''] = /SKULK_STORE=(\S+), because/.exec(refused.stderr) ?? [];
  expect(address).toBe(`http://${store.address}:58080`);
  expect(await node.skulk(['registry'], { ...bare, SKULK_TOKEN: secret, SKULK_STORE: address }).ended).toMatchObject({ status: 0 });
});
