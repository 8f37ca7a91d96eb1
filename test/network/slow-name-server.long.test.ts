import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { writeFiles } from '../helpers/model-files.ts';
import { type Machine, machinesOnOneLan } from '../helpers/namespaces.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

/** A name server that reads questions and answers none. */
const mute = "const s=require('dgram').createSocket('udp4');s.on('message',()=>console.log('asked'));s.bind(53,()=>console.log('ready'))";

test('a store that mDNS knows is used, and commands end, while the name server does not answer', wants('network namespaces'), async () => {
  const home = await temporaryDirectory();
  const [host, node] = (await machinesOnOneLan(2)) as [Machine, Machine];
  const [command = '', ...rest] = node.prefix.split(' ');
  const server = spawn(command, [...rest, process.execPath, '-e', mute], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void server.kill('SIGKILL'));
  await once(server.stdout, 'data');
  // The resolver itself gives up after a quarter of an hour, so nothing here waits for it.
  await node.setResolver(`nameserver ${node.address}\noptions timeout:30 attempts:5\n`);

  const source = join(home, 'source');
  await mkdir(join(home, 'host/store'), { recursive: true });
  await writeFiles(source, { 'a.gguf': 'some bytes' });
  expect(await runInProcess(['add', source, '--as', 'org/m'], { env: { SKULK_HOME: join(home, 'host') } })).toMatchObject({ status: 0 });
  const served = host.skulk(['serve', '--json'], { SKULK_HOME: join(home, 'host'), SKULK_NODE_ID: 'storebox' });
  await once(served.child.stdout as NodeJS.ReadableStream, 'data');

  const env = { SKULK_HOME: join(home, 'node'), SKULK_STORE: 'http://storebox:58080' };
  const staged = await node.skulk(['stage', 'org/m', '-v'], env).ended;
  expect(staged, staged.stderr).toMatchObject({ status: 0, stderr: expect.stringContaining('DNS does not resolve storebox') });
  const doctor = await node.skulk(['doctor'], env).ended;
  expect(doctor, doctor.stdout).toMatchObject({ status: 0 });
  expect(doctor.stdout).toContain(`was not resolved by DNS within 3 s, but mDNS found the store of that name at ${host.address}`);
  expect(doctor.stdout).toContain('the store at http://storebox:58080 answers');

  // The copy does not change silently: it is known to be up to date, or the reason is given.
  served.child.kill('SIGTERM');
  await served.ended;
  const alone = await node.skulk(['stage', 'org/m'], env).ended;
  expect(alone).toMatchObject({ status: 0, stderr: expect.stringContaining('the name storebox was not resolved within 1.5 s') });
});
