import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pythonStore } from '../helpers/python-store.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

/** An address of this machine that no other test uses; only Linux has all of 127.0.0.0/8. */
const ownAddress = (): string => `127.${[0, 0, 0].map(() => 2 + Math.floor(Math.random() * 250)).join('.')}`;

/** A machine whose configured store host has the Python program at a port. */
async function machine({ port, host }: { readonly port: number; readonly host: string }) {
  const home = await temporaryDirectory();
  const store = await pythonStore({ 'org/plain': { files: { 'config.json': '{}' } } }, { host, port });
  await writeFile(join(home, 'skulk.yaml'), `model_store: {store_host: kite9, store_http_host: ${host}}\n`);
  const env = { SKULK_HOME: home, SKULK_CONFIG: join(home, 'skulk.yaml'), SKULK_NO_DISCOVERY: '', SKULK_NO_MDNS: '1', SKULK_NODE_ID: 'n1' };
  return { store, run: (...args: readonly string[]) => runInProcess(args, { env }), env };
}

test.skipIf(process.platform !== 'linux')(
  'a Python store host of a later release is found at port 12415 by doctor and discover',
  async () => {
    const host = ownAddress();
    const { run, store } = await machine({ host, port: 12_415 });
    const { others } = JSON.parse((await run('discover', '--json')).stdout) as { others: unknown };
    expect(others).toContainEqual({ url: `http://${host}:12415`, version: null });
    expect((await run('discover')).stdout).toMatch(new RegExp(`^http://${host}:12415 +the Python program$`, 'm'));
    const { stdout } = await run('doctor');
    expect(stdout).toContain(`but the Python program answers at ${store.url}`);
    expect(stdout).toContain(`set store_port: 12415, or SKULK_STORE=${store.url}`);
  },
);

test.skipIf(process.platform !== 'linux')(
  'a Python store host of an early release answers at port 58080, and doctor names it',
  async () => {
    const { run, store } = await machine({ host: ownAddress(), port: 58_080 });
    expect((await run('doctor')).stdout).toContain(`the Python program answers at ${store.url}, with 1 model`);
    expect((await run('discover')).stdout).toMatch(new RegExp(`^${store.url} +the Python program$`, 'm'));
  },
);

test('discover also asks a store in SKULK_STORE at its own port', async () => {
  const { store, env } = await machine({ host: '127.0.0.1', port: 0 });
  const found = await runInProcess(['discover'], { env: { ...env, SKULK_STORE: store.url } });
  expect(found.stdout).toMatch(new RegExp(`^${store.url} +the Python program$`, 'm'));
});
