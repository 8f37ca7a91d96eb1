import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeFiles } from '../helpers/model-files.ts';
import { canMakeNamespaces, type Machine, machinesOnOneLan } from '../helpers/namespaces.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const canMake = await canMakeNamespaces();

async function serveOn(machine: Machine, home: string) {
  await mkdir(join(home, 'store'), { recursive: true });
  const { child, ended } = machine.skulk(['serve', '--json'], { SKULK_HOME: home });
  await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
  return { child, ended };
}

test.skipIf(!canMake)(
  'a machine without a configuration finds the one store of its LAN, and asks when there are two',
  { timeout: 60_000 },
  async () => {
    const home = await temporaryDirectory();
    const [host, other, node] = (await machinesOnOneLan(3)) as [Machine, Machine, Machine];
    const first = await serveOn(host, join(home, 'host'));
    await writeFiles(join(home, 'source'), { 'a.gguf': 'some bytes' });
    expect(await host.skulk(['add', join(home, 'source'), '--as', 'org/m'], { SKULK_HOME: join(home, 'host') }).ended).toMatchObject({
      status: 0,
    });
    const env = { SKULK_HOME: join(home, 'node') };

    const found = await node.skulk(['discover', '--json', '--explain'], env).ended;
    expect(found.status, found.stderr).toBe(0);
    expect(JSON.parse(found.stdout)).toMatchObject({
      stores: [{ url: `http://${host.address}:58080` }],
      addresses: expect.arrayContaining([expect.objectContaining({ address: node.address, chosen: true })]),
    });
    const staged = await node.skulk(['stage', 'org/m'], env).ended;
    expect(staged, staged.stderr).toMatchObject({ status: 0, stdout: `${join(home, 'node/staging/org--m')}\n` });

    const second = await serveOn(other, join(home, 'other'));
    const asked = await node.skulk(['registry'], { SKULK_HOME: join(home, 'node') }).ended;
    expect(asked).toMatchObject({ status: 4, stdout: '' });
    expect(asked.stderr).toContain(`http://${host.address}:58080`);
    expect(asked.stderr).toContain(`http://${other.address}:58080`);

    // Who ends says goodbye, and --no-mdns says nothing.
    first.child.kill('SIGTERM');
    expect(await first.ended).toMatchObject({ status: 0 });
    const left = await node.skulk(['discover', '--json'], env).ended;
    expect(JSON.parse(left.stdout)).toMatchObject({ stores: [{ url: `http://${other.address}:58080` }] });
    second.child.kill('SIGTERM');
    await second.ended;
  },
);
