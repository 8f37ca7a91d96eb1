import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { namesInHosts, searchDomains } from '../../src/core/connect/own-names.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { type Machine, machinesOnOneLan } from '../helpers/namespaces.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

longTest(
  'a machine is the store host if store_host resolves to it under any name, and a contradicting role ends with 2',
  wants('network namespaces'),
  async () => {
    const home = await temporaryDirectory();
    const [host, node] = (await machinesOnOneLan(2)) as [Machine, Machine];
    const hosts = `127.0.0.1 localhost\n${host.address} models.example.org\n`;
    await host.setHosts(hosts);
    await node.setHosts(hosts);
    await mkdir(join(home, 'store'));
    await writeFiles(home, { 'skulk.yaml': `model_store:\n  store_host: models.example.org\n  store_path: ${join(home, 'store')}\n` });
    const env = (name: string) => ({ SKULK_HOME: join(home, name), SKULK_CONFIG: join(home, 'skulk.yaml') });
    const serve = async (machine: Machine, name: string, ...args: readonly string[]) => {
      const { child, ended } = machine.skulk(['serve', '--json', ...args], env(name));
      const [line] = (await Promise.race([
        once(child.stdout as NodeJS.ReadableStream, 'data'),
        ended.then(({ stderr }) => Promise.reject(new Error(stderr))),
      ])) as [string];
      return { child, ended, ready: JSON.parse(line) as { role: string; store_url: string } };
    };

    const refused = await host.skulk(['serve', '--role', 'node', '--json'], env('a')).ended;
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toContain(`models.example.org: it resolves to ${host.address}, an address of this machine`);
    for (const args of [
      ['--role', 'store'],
      ['--store-path', join(home, 'store')],
    ]) {
      const foreign = await node.skulk(['serve', '--json', ...args], env('b')).ended;
      expect(foreign).toMatchObject({ status: 2, stdout: '' });
      expect(foreign.stderr).toContain(`resolves to ${host.address}, another machine`);
    }

    const served = await serve(host, 'a');
    expect(served.ready).toMatchObject({ role: 'store' });
    expect((await serve(node, 'b')).ready).toMatchObject({ role: 'node', store_url: 'http://models.example.org:58080' });
    const doctor = await host.skulk(['doctor', '--json'], env('a')).ended;
    expect(doctor.stdout).toContain(`models.example.org resolves to ${host.address}`);

    // It answers under its own names, but not under a name that only resolves to its address.
    const ask = (name: string, port: number) =>
      node.curl('-o', '/dev/null', '-w', '%{http_code}', '-H', `Host: ${name}`, `http://${host.address}:${port}/health`);
    for (const port of [58080]) {
      for (const name of ['models.example.org', 'MODELS.example.org.:58080', hostname(), `${hostname()}.local`, host.address])
        expect([name, await ask(name, port)]).toEqual([name, '200']);
      for (const name of ['evil.example.org', `${hostname()}.evil.example`]) expect([name, await ask(name, port)]).toEqual([name, '403']);
    }
    served.child.kill('SIGTERM');
    await served.ended;
  },
);

longTest(
  'a name in the hosts file for an address of this machine is one of its names, without a line in skulk.yaml',
  wants('network namespaces'),
  async () => {
    const home = await temporaryDirectory();
    const [host] = (await machinesOnOneLan(1)) as [Machine];
    await host.setHosts(
      `127.0.0.1 localhost ads.example\n127.0.1.1 ${hostname()}.fritz.example\n${host.address} models.example.org models\n10.98.0.77 other.example.org\n`,
    );
    await mkdir(join(home, 'store'), { recursive: true });
    const { child } = host.skulk(['serve', '--json'], { SKULK_HOME: home });
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    for (const [name, status] of [
      ['models.example.org', '200'],
      [`${hostname()}.fritz.example`, '200'],
      ['ads.example', '403'],
      ['other.example.org', '403'],
    ] as const) {
      const got = await host.curl('-w', '\n%{http_code}', '-H', `Host: ${name}`, `http://${host.address}:58080/health`);
      expect([name, got.split('\n').at(-1)]).toEqual([name, status]);
      // The message must not lead to the opposite mistake.
      if (status === '403') expect(got).not.toContain('store_host');
    }
  },
);

usualTest('hosts files and search domains are parsed like the system parses them', () => {
  expect(namesInHosts('127.0.0.1\tlocalhost kite3.Example.ORG. # me\n\n#127.0.0.1 no\n::1 kite3\n9.9.9.9 far\n', ['kite3'])).toEqual([
    'kite3.example.org',
    'kite3',
  ]);
  expect(searchDomains('nameserver 10.0.0.1\ndomain a.example\nsearch fritz.box  Lan.\noptions x\n')).toEqual(['fritz.box', 'lan']);
  expect(searchDomains('')).toEqual([]);
});
